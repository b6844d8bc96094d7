"""The figures that the integration guide wants tracked, as they stand, for every workspace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlestar.services.pipelines import PipelinesService
    from mlestar.services.scores import ScoresService
    from mlestar.services.windows import WindowsService


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number. `labels` are (name, value) pairs; the unit stands in the name."""

    name: str
    help: str
    labels: tuple[tuple[str, str], ...]
    value: float


class MonitoringService:
    """Reads what the other services keep."""

    def __init__(self, *, scores: ScoresService, windows: WindowsService, pipelines: PipelinesService) -> None:
        """Keep the parts."""
        self._scores = scores
        self._windows = windows
        self._pipelines = pipelines

    async def figures(self, *, workspaces: Iterable[str] | None = None) -> list[Figure]:
        """Scores, alerts, window use, thinking and run durations, and model metrics.

        Args:
            workspaces: Which; None means every one that something was written to.
        """
        known = await self._windows.workspaces()
        found: list[Figure] = []
        for workspace in known if workspaces is None else sorted(set(known) & set(workspaces)):
            found += await self._score(workspace)
            found += await self._memory(workspace)
            found += await self._runs(workspace)
        return found

    async def _score(self, workspace: str) -> list[Figure]:
        score = await self._scores.score(workspace=workspace)
        about = (("workspace", workspace),)
        points = [
            Figure(
                name="mlestar_score_points",
                help="Evidence-backed score, 0 to 100.",
                labels=(*about, ("dimension", dimension)),
                value=value,
            )
            for dimension, value in score.score.items()
        ]
        ready = float(score.interpretation.production_ready)
        return [
            *points,
            Figure(name="mlestar_production_ready", help="1 when ready for production.", labels=about, value=ready),
            Figure(name="mlestar_alerts", help="Standing alerts.", labels=about, value=len(score.alerts)),
            Figure(
                name="mlestar_coverage_percent",
                help="Share of the rubric inspected or measured.",
                labels=about,
                value=score.coverage,
            ),
        ]

    async def _memory(self, workspace: str) -> list[Figure]:
        report = await self._windows.report(workspace=workspace)
        about = (("workspace", workspace),)
        used = [
            Figure(
                name="mlestar_window_used_tokens",
                help="Tokens in a context window.",
                labels=(*about, ("window", str(use.window))),
                value=use.used,
            )
            for use in report.windows
        ]
        return [
            *used,
            Figure(name="mlestar_thinking_steps", help="Thoughts kept.", labels=about, value=report.sequential_steps),
            Figure(
                name="mlestar_thinking_step_mean_seconds",
                help="Mean duration of a thinking step.",
                labels=about,
                value=report.average_step_duration,
            ),
            Figure(
                name="mlestar_important_retention_ratio",
                help="Share of important tokens shown verbatim.",
                labels=about,
                value=report.important_retention,
            ),
        ]

    async def _runs(self, workspace: str) -> list[Figure]:
        """Of the newest run of each name: how long its stages took, and what its model measured."""
        found: list[Figure] = []
        seen: set[str] = set()
        for run in await self._pipelines.runs(workspace=workspace):
            if run.name in seen or not run.ended:
                continue
            seen.add(run.name)
            about = (("workspace", workspace), ("pipeline", run.name))
            found += [
                Figure(
                    name="mlestar_stage_duration_seconds",
                    help="Duration of a stage of the newest run.",
                    labels=(*about, ("stage", stage.name)),
                    value=stage.duration_s,
                )
                for stage in run.stages
            ]
            found += [
                Figure(
                    name="mlestar_model_metric",
                    help="Held-out metric of the newest run.",
                    labels=(*about, ("metric", metric)),
                    value=float(estimate["value"]),
                )
                for metric, estimate in run.metrics.items()
            ]
            succeeded = float(run.status == "succeeded")
            found.append(
                Figure(name="mlestar_run_succeeded", help="1 when the newest run did.", labels=about, value=succeeded)
            )
        return found
