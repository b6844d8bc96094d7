"""The integration guide's combined use cases: each joins services that know nothing of one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.score.rubric import DIMENSIONS
from mlestar.core.windows.model import WINDOWS

if TYPE_CHECKING:
    from mlestar.core.run import Pipeline, Run
    from mlestar.core.thinking.model import ThinkResult
    from mlestar.services.evaluation import Evaluation, EvaluationService
    from mlestar.services.pipelines import PipelinesService
    from mlestar.services.scores import ScoresService
    from mlestar.services.thinking import ThinkingService
    from mlestar.services.windows import WindowsService

SYNTHETIC = "marketing_dataset"
GUIDE_TEXT = ("content", "hashtags")
"""The text columns that the guide's own pipeline uses on the marketing data set."""
PARTS = {
    "scoping": ("projectDetails", 5),
    "training": ("modelConfig", 4),
    "analysis": ("modelMetrics", 4),
    "reliability": ("deploymentConfig", 3),
    "excellence": ("projectArtifacts", 3),
}
"""Dimension -> the guide's name for its claims, and the priority at which integrating loads them."""


@dataclass(frozen=True, kw_only=True)
class GuideStep:
    """One step as the guide shows it. `output` is the brief, never a made-up result; `duration` is in seconds."""

    step: int
    description: str
    input: str
    output: str
    context: tuple[Any, ...]
    duration: float


@dataclass(frozen=True, kw_only=True)
class GuideThinking:
    """A problem thought through, as the guide shows it. Durations are in seconds."""

    problem: str
    steps: tuple[str, ...]
    results: tuple[str, ...]
    sequential_steps: tuple[GuideStep, ...]
    total_duration: float
    session: str
    next_tool: str


@dataclass(frozen=True, kw_only=True)
class Integration:
    """A model loaded, evaluated and thought through. `star_score` is the overall score, 0 to 100."""

    evaluation: Evaluation
    star_score: float
    recommendations: tuple[str, ...]
    thinking: GuideThinking


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """What training came to. `metrics` are held-out values; `estimates` carry their intervals and baselines."""

    id: str
    name: str
    version: int | None
    status: str
    metrics: Mapping[str, float]
    star_score: float
    run_id: str
    synthetic: bool
    estimates: Mapping[str, Any]
    baselines: Mapping[str, Any]
    error: Mapping[str, Any]


class GuideService:
    """Joins the windows, the thinking, the judge and the pipelines the way the guide's endpoints do."""

    def __init__(
        self,
        *,
        windows: WindowsService,
        thinking: ThinkingService,
        evaluation: EvaluationService,
        scores: ScoresService,
        pipelines: PipelinesService,
    ) -> None:
        """Keep the parts."""
        self._windows = windows
        self._thinking = thinking
        self._evaluation = evaluation
        self._scores = scores
        self._pipelines = pipelines

    async def think(
        self, *, problem: str, steps: Sequence[str], workspace: str = "default", session: str = ""
    ) -> GuideThinking:
        """Think through a problem; without steps, the problem is its own one step."""
        planned = list(steps) or [problem]
        result = await self._thinking.think(workspace=workspace, problem=problem, steps=planned, session=session)
        return _as_the_guide_shows(result, planned)

    async def integrate(self, *, parts: Mapping[str, Any], workspace: str = "default") -> Integration:
        """Load a model's parts into windows 1 to 5, evaluate the five dimensions from them, think through them.

        Args:
            parts: name, training, metrics, deployment, docs.
            workspace: Where to.
        """
        name = str(parts.get("name") or "the model")
        claims = {
            "scoping": {"name": name},
            "training": parts.get("training") or {},
            "analysis": parts.get("metrics") or {},
            "reliability": parts.get("deployment") or {},
            "excellence": parts.get("docs") or {},
        }
        for window, dimension in zip(WINDOWS, DIMENSIONS, strict=False):
            _, priority = PARTS[dimension.key]
            await self._windows.update(
                workspace=workspace,
                window=window.number,
                content=claims[dimension.key],
                priority=priority,
                key=f"model:{name}",
                kind="json",
            )
        evaluation = await self._evaluation.evaluate(
            workspace=workspace,
            dimension="all",
            evidence={PARTS[key][0]: claim for key, claim in claims.items()},
        )
        thinking = await self.think(
            workspace=workspace,
            problem=f"Is {name} ready for production, and what is to be done next?",
            steps=[f"{dimension.name}: what is proven of {name}, what is missing?" for dimension in DIMENSIONS],
        )
        return Integration(
            evaluation=evaluation,
            star_score=evaluation.overall or 0.0,
            recommendations=tuple(f"{action.check}: {action.text}" for action in evaluation.next_actions),
            thinking=thinking,
        )

    async def create_pipeline(self, *, name: str, config: Mapping[str, Any], workspace: str = "default") -> Pipeline:
        """Keep a pipeline; an empty config is the guide's placeholder and means its marketing data set."""
        chosen = config or {"data": {"source": SYNTHETIC}, "features": {"textFeatures": list(GUIDE_TEXT)}}
        return await self._pipelines.create(workspace=workspace, name=name, config=chosen)

    async def train(
        self,
        *,
        name: str,
        data_size: int,
        training: Mapping[str, Any],
        data: Mapping[str, Any],
        features: Mapping[str, Any],
        environment: str,
        wait_s: float,
        workspace: str = "default",
    ) -> TrainedModel:
        """Run a pipeline that trains, measures and registers a model of this name.

        Args:
            name: Of the model.
            data_size: Rows of the synthetic marketing data set, when `data` names no source.
            training: The pipeline's `training` part; values of None are left to their defaults.
            data: The pipeline's `data` part; empty: the marketing data set.
            features: The pipeline's `features` part; empty on the marketing data set: the guide's text columns.
            environment: Where its pointer moves.
            wait_s: Seconds to wait for the end.
            workspace: Where to.
        """
        source = dict(data) or {"source": SYNTHETIC, "size": data_size}
        chosen = dict(features)
        if not chosen and source.get("source") == SYNTHETIC:
            chosen = {"textFeatures": list(GUIDE_TEXT)}
        run = await self._pipelines.run(
            workspace=workspace,
            name=name,
            config={
                "data": source,
                "features": chosen,
                "training": {key: value for key, value in training.items() if value is not None},
                "deployment": {"environment": environment},
            },
            wait_s=wait_s,
        )
        score = await self._scores.score(workspace=workspace)
        return _as_model(run, name, float(score.score["overall"]))


def _as_the_guide_shows(result: ThinkResult, steps: Sequence[str]) -> GuideThinking:
    shown = tuple(
        GuideStep(
            step=step.step,
            description=step.description,
            input=result.problem,
            output=step.brief,
            context=step.context,
            duration=step.duration_s,
        )
        for step in result.steps
    )
    return GuideThinking(
        problem=result.problem,
        steps=tuple(steps),
        results=tuple(step.output for step in shown),
        sequential_steps=shown,
        total_duration=result.total_duration_s,
        session=result.session,
        next_tool=result.next_tool,
    )


def _as_model(run: Run, name: str, star_score: float) -> TrainedModel:
    return TrainedModel(
        id=run.run_id if not run.model else f"{run.model['name']}:{run.model['version']}",
        name=name,
        version=run.model.get("version"),
        status=run.status,
        metrics={metric: float(estimate["value"]) for metric, estimate in run.metrics.items()},
        star_score=star_score,
        run_id=run.run_id,
        synthetic=run.synthetic,
        estimates=run.metrics,
        baselines=run.baselines,
        error=run.error,
    )
