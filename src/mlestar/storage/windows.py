"""Reads and writes the entries of windows, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, func, insert, select, update

from mlestar.core.windows.entry import VERBATIM, Entry
from mlestar.core.windows.model import State
from mlestar.storage.tables_memory import (
    IMPORTANT_ONLY,
    KEYED,
    SHOWN,
    SHOWN_WHOLE,
    entries,
    events,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_E = entries.c
_LIVE = select(
    _E.pk, _E.number, _E.part, _E.home, _E.shown_in, _E.priority, _E.pinned, _E.kind, _E.level, _E.touched,
    func.coalesce(_E.view, _E.text), _E.tokens, _E.verbatim_tokens,
).where(_E.workspace_id == bindparam("workspace"), SHOWN)  # fmt: skip
_LIVE_IN = _LIVE.where(_E.shown_in == bindparam("window"))
_ENTRY = select(entries).where(
    _E.workspace_id == bindparam("workspace"), _E.number == bindparam("number"), _E.part == bindparam("part")
)
_PARTS = (
    select(entries)
    .where(_E.workspace_id == bindparam("workspace"), _E.number == bindparam("number"), _E.part > 0)
    .order_by(_E.part)
)
_STANDING = (State.LIVE, State.SPLIT, State.ARCHIVED)
_SAME = select(entries).where(
    _E.workspace_id == bindparam("workspace"),
    _E.sha256 == bindparam("sha256"),
    _E.home == bindparam("window"),
    _E.part == 0,
    _E.superseded_by == 0,
    _E.state.in_(_STANDING),
)
_KEYED = select(entries).where(
    _E.workspace_id == bindparam("workspace"),
    _E.home == bindparam("window"),
    _E.key == bindparam("key"),
    KEYED,
    _E.part == 0,
    _E.superseded_by == 0,
    _E.state.in_(_STANDING),
)
_EXPIRED = select(entries).where(
    _E.workspace_id == bindparam("workspace"),
    _E.expires_at.is_not(None),
    _E.expires_at <= bindparam("now"),
    _E.part == 0,
    _E.state.in_(_STANDING),
)
_NEXT_EXPIRY = select(func.min(_E.expires_at)).where(
    _E.workspace_id == bindparam("workspace"), _E.expires_at.is_not(None), _E.state.in_(_STANDING)
)
_TEXT = select(_E.text).where(_E.workspace_id == bindparam("workspace"), _E.number == bindparam("number"), _E.part == 0)
_IMPORTANT = select(
    func.coalesce(func.sum(_E.verbatim_tokens), 0),
    func.coalesce(func.sum(case((_E.level == VERBATIM, _E.verbatim_tokens), else_=0)), 0),
).where(_E.workspace_id == bindparam("workspace"), IMPORTANT_ONLY, _E.state.in_((State.LIVE, State.ARCHIVED)))
_INSERT = insert(entries)
_REPLACE_VIEW = (
    update(entries)
    .where(_E.pk == bindparam("row"))
    .values(
        level=bindparam("level"),
        view=bindparam("view"),
        shown_in=bindparam("shown_in"),
        tokens=bindparam("tokens"),
        state=bindparam("state"),
    )
)
_EVENT = insert(events)


def live_entries(connection: Connection, workspace: int, window: int = 0) -> list[Entry]:
    """The live entries shown in a window, or in all of them for window 0."""
    statement, values = (_LIVE_IN, {"window": window}) if window else (_LIVE, {})
    return [
        Entry(
            pk=pk, number=number, part=part, home=home, shown_in=shown_in, priority=priority, pinned=pinned, kind=kind,
            level=level, touched=touched, view=view, tokens=tokens, verbatim_tokens=verbatim_tokens,
        )
        for pk, number, part, home, shown_in, priority, pinned, kind, level, touched, view, tokens, verbatim_tokens
        in connection.execute(statement, {"workspace": workspace, **values})
    ]  # fmt: skip


def entry(connection: Connection, workspace: int, number: int, part: int = 0) -> Row[Any] | None:
    """One entry's whole row."""
    return connection.execute(_ENTRY, {"workspace": workspace, "number": number, "part": part}).one_or_none()


def parts_of(connection: Connection, workspace: int, number: int) -> Sequence[Row[Any]]:
    """The parts of a split entry, in order; empty when it was never split."""
    return connection.execute(_PARTS, {"workspace": workspace, "number": number}).all()


def as_mapping(row: Row[Any]) -> dict[str, Any]:
    """A row's columns by name."""
    return dict(zip(entries.columns.keys(), row, strict=True))


def same_text(connection: Connection, workspace: int, window: int, sha256: str) -> Row[Any] | None:
    """The standing entry of that window with this very text."""
    found = connection.execute(_SAME, {"workspace": workspace, "window": window, "sha256": sha256}).all()
    return min(found, key=lambda row: row.number, default=None)


def keyed(connection: Connection, workspace: int, window: int, key: str) -> Row[Any] | None:
    """The standing entry of that window with this key."""
    return connection.execute(_KEYED, {"workspace": workspace, "window": window, "key": key}).one_or_none()


def standing_in(connection: Connection, workspace: int, window: int) -> Sequence[Row[Any]]:
    """Whole entries at home in a window that are shown somewhere (a split one by its parts)."""
    statement = select(entries).where(
        _E.workspace_id == workspace,
        _E.home == window,
        SHOWN_WHOLE,
    )
    return sorted(connection.execute(statement).all(), key=lambda row: row.number)


def standing_findings(connection: Connection, workspace: int, window: int) -> Sequence[Row[Any]]:
    """Findings at home in a window that no newer one stands in for."""
    statement = select(entries).where(
        _E.workspace_id == workspace,
        _E.home == window,
        KEYED,
        _E.kind == "finding",
        _E.part == 0,
        _E.superseded_by == 0,
        _E.state.in_(_STANDING),
    )
    return sorted(connection.execute(statement).all(), key=lambda row: row.number)


def expired(connection: Connection, workspace: int, now: float) -> Sequence[Row[Any]]:
    """Standing entries whose time to live has run out."""
    return connection.execute(_EXPIRED, {"workspace": workspace, "now": now}).all()


def next_expiry(connection: Connection, workspace: int) -> float | None:
    """When the next entry expires."""
    return connection.execute(_NEXT_EXPIRY, {"workspace": workspace}).scalar_one()


def text_of(connection: Connection, workspace: int, number: int) -> str:
    """The whole text of an entry; empty for number 0."""
    if not number:
        return ""
    return connection.execute(_TEXT, {"workspace": workspace, "number": number}).scalar_one_or_none() or ""


def important_tokens(connection: Connection, workspace: int) -> tuple[int, int]:
    """Tokens of all important entries at full length, and of those that are shown so."""
    total, verbatim = connection.execute(_IMPORTANT, {"workspace": workspace}).one()
    return int(total), int(verbatim)


def insert_entry(connection: Connection, values: Mapping[str, Any]) -> int:
    """Store an entry; returns its row."""
    key = connection.execute(_INSERT, values).inserted_primary_key
    return int(key[0]) if key else 0


def update_entry(connection: Connection, pk: int, **values: Any) -> None:
    """Change some columns of one entry."""
    connection.execute(update(entries).where(_E.pk == pk).values(**values))


def set_state(connection: Connection, workspace: int, number: int, state: State) -> None:
    """Give an entry and its parts a state, out of every window."""
    connection.execute(
        update(entries)
        .where(_E.workspace_id == workspace, _E.number == number)
        .values(state=state, shown_in=_E.home, tokens=0)
    )


def touch(connection: Connection, workspace: int, number: int, clock: int) -> None:
    """Note that an entry and its parts were named now."""
    connection.execute(update(entries).where(_E.workspace_id == workspace, _E.number == number).values(touched=clock))


def drop_parts(connection: Connection, workspace: int, number: int) -> None:
    """Forget how an entry was cut; its whole text stays."""
    connection.execute(delete(entries).where(_E.workspace_id == workspace, _E.number == number, _E.part > 0))


def follower(connection: Connection, workspace: int, number: int) -> int:
    """The entry that was indexed with this one as its neighbour; 0 when there is none."""
    statement = (
        select(_E.number)
        .where(_E.workspace_id == workspace, _E.number > number, _E.part == 0, _E.follows == number)
        .order_by(_E.number)
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none() or 0


def replace_views(connection: Connection, changed: Sequence[Mapping[str, Any]]) -> None:
    """Store how entries are shown after balancing."""
    if changed:
        connection.execute(_REPLACE_VIEW, changed)


def add_events(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append to the history."""
    if rows:
        connection.execute(_EVENT, rows)
