"""Alerts that follow from the state of a workspace's runs and windows, not from its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from mlestar.core.readiness import Alert
from mlestar.core.run import Status
from mlestar.core.windows.model import WINDOWS, State
from mlestar.storage.tables_memory import entries, workspaces
from mlestar.storage.tables_runs import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection


_NEWEST_RUN = (
    select(runs.c.id, runs.c.name, runs.c.status)
    .where(runs.c.workspace == bindparam("workspace"))
    .order_by(runs.c.created.desc(), runs.c.id.desc())
    .limit(1)
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


def alerts_of_state(connection: Connection, workspace: str) -> list[Alert]:
    """The newest run failed; a window has no room for all of its important entries."""
    named = {"workspace": workspace}
    alerts = [
        Alert(kind="pipeline", message=f"the newest run of {name or 'a pipeline'} failed: see {run_id}", about=run_id)
        for run_id, name, status in connection.execute(_NEWEST_RUN, named)
        if status == Status.FAILED
    ]
    names = {window.number: window.name for window in WINDOWS}
    return alerts + [
        Alert(
            kind="window",
            message=f"window {number} ({names[number]}) has no room for {count} important entries: compact some",
            about=str(number),
        )
        for number, count in connection.execute(_ARCHIVED_IMPORTANT, named)
    ]
