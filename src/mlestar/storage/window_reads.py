"""Read-only questions about entries and their history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from mlestar.core.windows.model import IMPORTANT
from mlestar.storage.tables_memory import SHOWN, entries, events, thoughts, windows, workspaces

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_E = entries.c
GOAL_WINDOW = 1
_SHOWN = (
    select(entries)
    .where(_E.workspace_id == bindparam("workspace"), SHOWN, _E.shown_in == bindparam("window"))
    .order_by(_E.important.desc(), _E.number, _E.part)
)
_GOALS = (
    select(entries)
    .where(
        _E.workspace_id == bindparam("workspace"),
        SHOWN,
        _E.shown_in == GOAL_WINDOW,
        _E.home == GOAL_WINDOW,
        _E.kind != "finding",
        _E.priority >= IMPORTANT,
    )
    .order_by(_E.priority.desc(), _E.touched.desc(), _E.number, _E.part)
    .limit(bindparam("most"))
)


def workspace_names(connection: Connection) -> list[str]:
    """Every workspace's name, `default` first, then in alphabetical order."""
    order = (workspaces.c.name != "default", workspaces.c.name)
    return list(connection.execute(select(workspaces.c.name).order_by(*order)).scalars())


def shown_in(connection: Connection, workspace: int, window: int) -> Sequence[Row[Any]]:
    """What a window shows, in the order it shows it."""
    return connection.execute(_SHOWN, {"workspace": workspace, "window": window}).all()


def standing_goals(connection: Connection, workspace: int, most: int) -> Sequence[Row[Any]]:
    """The goals and constraints that window 1 shows, the most important and newest first."""
    return connection.execute(_GOALS, {"workspace": workspace, "most": most}).all()


def most_important(connection: Connection, workspace: int, min_priority: int, limit: int) -> Sequence[Row[Any]]:
    """Live entries of all windows, by priority, newest first."""
    statement = (
        select(entries)
        .where(_E.workspace_id == workspace, SHOWN, _E.priority >= min_priority)
        .order_by(_E.pinned.desc(), _E.priority.desc(), _E.touched.desc(), _E.number.desc(), _E.part)
        .limit(limit)
    )
    return connection.execute(statement).all()


def history(connection: Connection, workspace: int, window: int, number: int, limit: int) -> Sequence[Row[Any]]:
    """Events, newest first; of one window or one entry where these are not 0."""
    statement = select(events).where(events.c.workspace_id == workspace)
    if window:
        statement = statement.where(events.c.window == window)
    if number:
        statement = statement.where(events.c.number == number)
    newest = (events.c.version.desc(), events.c.seq.desc()) if window else (events.c.seq.desc(),)
    return connection.execute(statement.order_by(*newest).limit(limit)).all()


def changed_since(connection: Connection, workspace: int, window: int, version: int) -> list[str]:
    """Ids of the entries of a window that changed after a version, oldest change first."""
    statement = (
        select(events.c.number)
        .where(events.c.workspace_id == workspace, events.c.window == window, events.c.version > version)
        .order_by(events.c.seq)
        .limit(200)
    )
    return list(dict.fromkeys(str(number) for number in connection.execute(statement).scalars()))


def written_by(connection: Connection, workspace: int, window: int, version: int) -> dict[int, str]:
    """Entries at home in a window -> the last thing that happened to each, up to a version."""
    statement = (
        select(events.c.number, events.c.action)
        .where(events.c.workspace_id == workspace, events.c.window == window, events.c.version <= version)
        .order_by(events.c.seq)
    )
    return {number: action for number, action in connection.execute(statement) if action not in {"moved", "left"}}


def counts(connection: Connection, workspace: int) -> tuple[int, int, float]:
    """Entries that a window shows, thinking steps, and the mean seconds of a step."""
    live = connection.execute(
        select(func.count(_E.number.distinct())).where(_E.workspace_id == workspace, SHOWN)
    ).scalar_one()
    steps, mean = connection.execute(
        select(func.count(), func.avg(thoughts.c.duration_s)).where(thoughts.c.workspace_id == workspace)
    ).one()
    return live, steps, float(mean or 0)


def versions_since(
    connection: Connection, seq: int, *, only_newest: bool = False
) -> tuple[int, list[tuple[str, int, int]]]:
    """The newest event, and (workspace, window, version) of each window that changed after event `seq`."""
    newest = connection.execute(select(func.max(events.c.seq))).scalar_one() or 0
    if newest <= seq or only_newest:
        return newest, []
    statement = (
        select(workspaces.c.name, windows.c.number, windows.c.version)
        .join(windows, windows.c.workspace_id == workspaces.c.id)
        .join(events, (events.c.workspace_id == windows.c.workspace_id) & (events.c.window == windows.c.number))
        .where(events.c.seq > seq)
        .distinct()
    )
    return newest, [(name, number, version) for name, number, version in connection.execute(statement)]
