"""The judge as a use case: evidence in, findings kept, a score with its reasons out."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import anyio.to_thread

from mlestar.core.claims.evidence_input import ALL, asked_dimensions
from mlestar.core.score.alerting import score_alerts
from mlestar.core.score.finding_json import from_json
from mlestar.core.score.rubric import CHECKS, DIMENSIONS, RUBRIC_VERSION, Dimension
from mlestar.core.score.views import CriterionView, DimensionView, FindingView, Interpretation, Judgement, numbers
from mlestar.core.window_items import window_items
from mlestar.errors import InvalidInput
from mlestar.services.alert_thresholds import thresholds_of
from mlestar.services.evaluation_inputs import request_of
from mlestar.services.memory.arguments import checked_workspace
from mlestar.services.recording import record

if TYPE_CHECKING:
    from mlestar.core.evidence import Finding
    from mlestar.core.score.alerting import Alert, Thresholds
    from mlestar.core.score.readiness import NextAction
    from mlestar.execution.child import Limits
    from mlestar.settings import Settings
    from mlestar.storage.database import Database

Progress = Callable[[float, float | None, str], Awaitable[None]]
JUDGE = "mlestar.execution.judge:judge"
CHILD_LIMITS = {"memory_mb": 4_096, "cpu_s": 600}
"""What judging one project and its data may use: far above the targets of 1 GB and 15 s, below what would hurt."""
MOST_FINDINGS = 20
"""Findings shown in one answer; `findings_total` says how many there are."""


class RunChild(Protocol):
    """Runs a task of this package in a child process."""

    async def __call__(
        self,
        task: str,
        payload: Mapping[str, Any],
        *,
        on_progress: Progress | None = None,
        limits: Limits | None = None,
    ) -> dict[str, Any]:
        """Answer with the task's JSON result."""
        ...


class Windows(Protocol):
    """The part of the windows that the judge writes to."""

    async def replace_findings(self, *, workspace: str, window: int, items: list[dict[str, Any]]) -> object:
        """Put these findings in the place of the window's earlier ones."""
        ...


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What one evaluation found: the numbers side by side, never the score alone.

    `findings` and `next_actions` give gains in points of `score`; `scores` are those of the whole workspace.
    `overall`, `dimensions` and `interpretation` are there when all five dimensions were asked for.
    """

    workspace: str
    dimension: str
    score: float
    declared: float
    ceiling: float
    coverage: float
    criteria: tuple[CriterionView, ...]
    findings: tuple[FindingView, ...]
    findings_total: int
    next_actions: tuple[NextAction, ...]
    alerts: tuple[Alert, ...]
    blockers: tuple[FindingView, ...]
    statements: Mapping[str, Any]
    changes: tuple[Mapping[str, Any], ...]
    terms: Mapping[str, Any]
    read: Mapping[str, Any]
    rubric_version: str = RUBRIC_VERSION
    overall: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    dimensions: tuple[DimensionView, ...] = ()
    interpretation: Interpretation | None = None


class EvaluationService:
    """Evaluates, keeps what was found, tells the windows."""

    def __init__(
        self,
        database: Database,
        windows: Windows,
        run_child: RunChild,
        settings: Settings,
        clock: Callable[[], float],
    ) -> None:
        """Keep the parts; nothing is opened."""
        self._database = database
        self._windows = windows
        self._run_child = run_child
        self._settings = settings
        self._clock = clock

    async def evaluate(
        self,
        *,
        dimension: str,
        workspace: str = "default",
        evidence: object = None,
        project: str = "",
        train: str = "",
        test: str = "",
        target: str = "",
        predictions: str = "",
        reference: str = "",
        current: str = "",
        model: str = "",
        groups: str | Iterable[str] = "",
        time: str = "",
        execute: bool = False,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Judge one dimension, or `all`, from what is named and what the workspace's last run measured.

        The findings replace those of earlier evaluations of the same dimensions.

        Raises:
            InvalidInput: An unknown dimension or evidence key, a column that is not there, an unreadable file.
            OutsideRoots: A path outside the allowed folders.
            NotFound: A path that is not there.
        """
        workspace = checked_workspace(workspace)
        request = request_of(
            self._settings,
            dimension=dimension,
            evidence={} if evidence is None else evidence,
            files={
                "project": project,
                "train": train,
                "test": test,
                "predictions": predictions,
                "reference": reference,
                "current": current,
                "model": model,
            },
            target=target,
            groups=groups,
            time=time,
            execute=execute,
        )
        answer = await self._judged(request, progress)
        found = [from_json(parts) for parts in answer["findings"]]
        terms = {**answer["terms"], **{part: answer[part] for part in ("profile", "given", "runnable")}}
        terms |= {"notes": notes} if (notes := answer["read"].get("project", {}).get("notes")) else {}
        asked = asked_dimensions(dimension)
        judgement, changes = await self._database.writing(
            functools.partial(
                record,
                workspace=workspace,
                at=self._clock(),
                evaluated={letter.id: [f for f in found if f.check.startswith(letter.id)] for letter in asked},
                terms=terms,
                cause=_cause(dimension, answer),
            )
        )
        await self._tell_windows(workspace, judgement, asked)
        return _evaluation(
            workspace, dimension, judgement, answer=answer, changes=changes, thresholds=thresholds_of(self._settings)
        )

    async def record_run_findings(
        self, *, workspace: str = "default", run_id: str, findings: Iterable[Finding], name: str = ""
    ) -> tuple[Mapping[str, Any], ...]:
        """Keep what a run measured, in the place of what earlier runs measured; answers with what changed.

        Raises:
            InvalidInput: A finding of no known check, or no run id.
        """
        measured = [replace(finding, run_id=run_id) for finding in findings]
        unknown = sorted({finding.check for finding in measured} - set(CHECKS))
        if unknown or not run_id:
            raise InvalidInput(f"run {run_id!r} reports unknown checks: {', '.join(unknown)}", valid=list(CHECKS))
        judgement, changes = await self._database.writing(
            functools.partial(
                record,
                workspace=workspace,
                at=self._clock(),
                measured=(run_id, measured),
                cause={"run": run_id, "name": name},
            )
        )
        letters = {finding.check[0] for finding in measured}
        await self._tell_windows(workspace, judgement, [d for d in DIMENSIONS if d.id in letters])
        return tuple(changes)

    async def _judged(self, request: Mapping[str, Any], progress: Progress | None) -> dict[str, Any]:
        """In a child process when there is something to read; statements alone are judged here, in a thread."""
        if request["places"]:
            from mlestar.execution.child import Limits

            return await self._run_child(JUDGE, request, on_progress=progress, limits=Limits(**CHILD_LIMITS))
        from mlestar.execution.judge import judge

        return await anyio.to_thread.run_sync(judge, request, lambda *_: None)

    async def _tell_windows(self, workspace: str, judgement: Judgement, asked: Iterable[Dimension]) -> None:
        for dimension in asked:
            items = window_items(judgement, dimension.id)
            await self._windows.replace_findings(workspace=workspace, window=dimension.window, items=items)


def _cause(dimension: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the history says of an evaluation: which dimension, from which inputs, of which state of the project."""
    project = answer["read"].get("project", {})
    of = {"project": project["root"], "commit": project["commit"]} if project else {}
    return {"evaluated": dimension, "given": answer["given"], **of}


def _evaluation(
    workspace: str,
    name: str,
    judgement: Judgement,
    *,
    answer: Mapping[str, Any],
    changes: list[dict[str, Any]],
    thresholds: Thresholds,
) -> Evaluation:
    everything = name == ALL
    letter = "" if everything else asked_dimensions(name)[0].id
    figures = numbers(judgement.card.overall if everything else judgement.card.dimension(letter).marks)
    ordered = judgement.ordered(letter)
    dimensions = judgement.dimensions()
    drift = [alert for alert in judgement.alerts if alert.kind == "drift"]
    alerts = score_alerts(judgement.scores(), drift, thresholds)
    shown = (a for a in alerts if everything or a.kind != "dimension" or a.about == name)
    return Evaluation(
        workspace=workspace,
        dimension=name,
        score=figures["score"],
        declared=figures["declared"],
        ceiling=figures["ceiling"],
        coverage=figures["coverage"],
        criteria=tuple(c for d in dimensions if d.id.startswith(letter) for c in d.criteria),
        findings=tuple(judgement.view(finding, letter) for finding in ordered[:MOST_FINDINGS]),
        findings_total=len(ordered),
        next_actions=judgement.actions(letter),
        alerts=tuple(shown),
        blockers=tuple(view for view in judgement.blockers() if view.check.startswith(letter)),
        statements=answer.get("statements", {}),
        changes=tuple(change for change in changes if change["check"].startswith(letter)),
        terms=answer["terms"],
        read=answer["read"],
        overall=figures["score"] if everything else None,
        scores=judgement.scores(),
        dimensions=dimensions if everything else (),
        interpretation=judgement.interpretation() if everything else None,
    )
