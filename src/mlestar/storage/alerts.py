"""Alerts that follow from the state of a workspace's runs and windows, beside those of its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from mlestar.core.run import Status
from mlestar.core.score.alerting import GUIDE, Alert, Thresholds, score_alerts
from mlestar.core.windows.model import WINDOWS, State
from mlestar.storage.tables_memory import entries, workspaces
from mlestar.storage.tables_runs import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.score.summary import ScoreSummary


_NEWEST_RUNS = (
    select(runs.c.id, runs.c.name, runs.c.status)
    .where(
        runs.c.workspace == bindparam("workspace"),
        runs.c.status.in_([Status.SUCCEEDED, Status.FAILED]),
    )
    .order_by(runs.c.created.desc(), runs.c.id.desc())
    .limit(bindparam("most"))
)
_ARCHIVED_IMPORTANT = (
    select(entries.c.home, func.count())
    .join(workspaces, workspaces.c.id == entries.c.workspace_id)
    .where(
        workspaces.c.name == bindparam("workspace"),
        entries.c.important,
        entries.c.state == State.ARCHIVED,
        entries.c.superseded_by == 0,  # what a caller compacted has a summary in its place
    )
    .group_by(entries.c.home)
    .order_by(entries.c.home)
)


def alerts_of_state(connection: Connection, workspace: str, thresholds: Thresholds = GUIDE) -> list[Alert]:
    """The newest runs failed; a window has no room for all of its important entries."""
    newest = connection.execute(_NEWEST_RUNS, {"workspace": workspace, "most": thresholds.failed_runs}).all()
    failed = len(newest) == thresholds.failed_runs and all(status == Status.FAILED for _, _, status in newest)
    alerts = [
        Alert(kind="pipeline", message=f"the newest run of {name or 'a pipeline'} failed: see {run_id}", about=run_id)
        for run_id, name, _ in newest[:1]
        if failed
    ]
    names = {window.number: window.name for window in WINDOWS}
    return alerts + [
        Alert(
            kind="window",
            message=f"window {number} ({names[number]}) has no room for {count} important entries: compact some",
            about=str(number),
        )
        for number, count in connection.execute(_ARCHIVED_IMPORTANT, {"workspace": workspace})
        if count >= thresholds.window_entries
    ]


def alerts_of(
    connection: Connection, workspace: str, summary: ScoreSummary, thresholds: Thresholds = GUIDE
) -> tuple[Alert, ...]:
    """Every alert of a workspace: of its scores, its runs and its windows."""
    drift = [alert for alert in summary.alerts if alert.kind == "drift"]
    return (
        *score_alerts(summary.score, drift, thresholds),
        *alerts_of_state(connection, workspace, thresholds),
    )
