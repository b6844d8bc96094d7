"""Everything known about a workspace on one page: the integration guide's report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlestar.core.score.views import DimensionView
    from mlestar.services.pipelines import PipelinesService
    from mlestar.services.registry import RegistryService
    from mlestar.services.scores import ScoresService
    from mlestar.services.windows import WindowsService


@dataclass(frozen=True, kw_only=True)
class ReportSummary:
    """The head of the page."""

    overall_score: float
    total_models: int
    total_pipelines: int
    recommendation: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The page. `insights` are plain sentences: blockers, alerts and what to do next, most important first."""

    summary: ReportSummary
    dimensions: tuple[DimensionView, ...]
    scores: Mapping[str, float]
    models: tuple[Mapping[str, Any], ...]
    insights: tuple[str, ...]


class ReportService:
    """Reads what the other services keep."""

    def __init__(
        self, *, scores: ScoresService, pipelines: PipelinesService, registry: RegistryService, windows: WindowsService
    ) -> None:
        """Keep the parts."""
        self._scores = scores
        self._pipelines = pipelines
        self._registry = registry
        self._windows = windows

    async def report(self, *, workspace: str = "default") -> Report:
        """The page of one workspace."""
        score = await self._scores.score(workspace=workspace)
        models = await self._registry.models(workspace=workspace)
        runs = await self._pipelines.runs(workspace=workspace)
        pipelines = {run.pipeline_id for run in runs}
        memory = await self._windows.report(workspace=workspace)
        insights = [f"{blocker.check} blocks production: {blocker.observed}" for blocker in score.blockers]
        insights += [alert.message for alert in score.alerts]
        insights += [f"{action.check} (+{action.gain}): {action.text}" for action in score.next_actions]
        insights.append(f"the windows hold {memory.total_tokens} of {memory.max_tokens} tokens")
        return Report(
            summary=ReportSummary(
                overall_score=float(score.score["overall"]),
                total_models=len(models),
                total_pipelines=len(pipelines),
                recommendation=score.interpretation.verdict,
            ),
            dimensions=score.dimensions,
            scores=score.score,
            models=tuple(models),
            insights=tuple(insights),
        )
