"""Reads and writes workspaces with the sums of their seven windows, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from mlestar.core.windows.model import WINDOWS
from mlestar.storage.tables_memory import windows, workspaces

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_OPEN = (
    select(workspaces, windows)
    .join(windows, windows.c.workspace_id == workspaces.c.id)
    .where(workspaces.c.name == bindparam("name"))
    .order_by(windows.c.number)
)
_SAVE_WORKSPACE = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("row"))
    .values(clock=bindparam("clock"), next_number=bindparam("next_number"), next_expiry=bindparam("next_expiry"))
)
_SAVE_WINDOW = (
    update(windows)
    .where(windows.c.workspace_id == bindparam("workspace"), windows.c.number == bindparam("window"))
    .values(
        version=bindparam("version"),
        tokens=bindparam("tokens"),
        important_tokens=bindparam("important_tokens"),
        last_number=bindparam("last_number"),
        modified_at=bindparam("modified_at"),
    )
)


@dataclass(kw_only=True)
class WindowRow:
    """One window's sums while a transaction changes them."""

    number: int
    version: int
    tokens: int
    important_tokens: int
    last_number: int
    modified_at: float


@dataclass(kw_only=True)
class WorkspaceRow:
    """A workspace with its seven windows."""

    id: int
    name: str
    clock: int
    next_number: int
    next_expiry: float | None
    windows: dict[int, WindowRow]


def find(connection: Connection, name: str) -> WorkspaceRow | None:
    """The workspace of this name, or None when nothing was ever written to it."""
    rows = connection.execute(_OPEN, {"name": name}).all()
    if not rows:
        return None
    first = rows[0]
    return WorkspaceRow(
        id=first.id,
        name=first.name,
        clock=first.clock,
        next_number=first.next_number,
        next_expiry=first.next_expiry,
        windows={row.number: _window(row) for row in rows},
    )


def create(connection: Connection, name: str, now: float) -> WorkspaceRow:
    """A new workspace with seven empty windows."""
    result = connection.execute(insert(workspaces).values(name=name, clock=0, next_number=1, next_expiry=None))
    key = result.inserted_primary_key
    workspace_id = int(key[0]) if key else 0
    made = {
        window.number: WindowRow(
            number=window.number, version=0, tokens=0, important_tokens=0, last_number=0, modified_at=now
        )
        for window in WINDOWS
    }
    connection.execute(insert(windows), [{"workspace_id": workspace_id, **vars(row)} for row in made.values()])
    return WorkspaceRow(id=workspace_id, name=name, clock=0, next_number=1, next_expiry=None, windows=made)


def save(connection: Connection, row: WorkspaceRow, changed: Iterable[int]) -> None:
    """Write the workspace's counters and the windows that changed."""
    connection.execute(
        _SAVE_WORKSPACE,
        {"row": row.id, "clock": row.clock, "next_number": row.next_number, "next_expiry": row.next_expiry},
    )
    saved = [
        {
            "workspace": row.id, "window": window.number, "version": window.version, "tokens": window.tokens,
            "important_tokens": window.important_tokens, "last_number": window.last_number,
            "modified_at": window.modified_at,
        }
        for window in (row.windows[number] for number in sorted(changed))
    ]  # fmt: skip
    if saved:
        connection.execute(_SAVE_WINDOW, saved)


def _window(row: Row[Any]) -> WindowRow:
    return WindowRow(
        number=row.number,
        version=row.version,
        tokens=row.tokens,
        important_tokens=row.important_tokens,
        last_number=row.last_number,
        modified_at=row.modified_at,
    )
