"""Reads and writes thinking sessions, inside the caller's transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, union, update

from mlestar.core.thinking.model import Session, Thought, prefix
from mlestar.core.windows.model import State
from mlestar.storage.tables_memory import entries, thinking_sessions, thoughts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

_S = thinking_sessions.c
_T = thoughts.c
_SESSION = select(thinking_sessions).where(_S.workspace_id == bindparam("workspace"), _S.session == bindparam("name"))
_THOUGHTS = (
    select(thoughts).where(_T.workspace_id == bindparam("workspace"), _T.session == bindparam("name")).order_by(_T.seq)
)
_OF_SESSION = (_T.workspace_id == bindparam("workspace"), _T.session == bindparam("name"))
_ENDS = _THOUGHTS.where(
    _T.seq.in_(
        union(
            select(func.min(_T.seq)).where(*_OF_SESSION).group_by(_T.branch),
            select(func.max(_T.seq)).where(*_OF_SESSION).group_by(_T.branch),
        )
    )
)
_PROGRESS = (
    update(thinking_sessions)
    .where(_S.workspace_id == bindparam("workspace"), _S.session == bindparam("name"))
    .values(total=bindparam("reached"), concluded=bindparam("done"), modified_at=bindparam("now"))
)
_ADD = insert(thoughts)
_LATEST_OPEN = (
    select(thinking_sessions)
    .where(_S.workspace_id == bindparam("workspace"), _S.concluded.is_(False))
    .order_by(_S.modified_at.desc(), _S.started_at.desc(), _S.session)
    .limit(1)
)


def session(connection: Connection, workspace: int, name: str) -> Session | None:
    """One session, or None."""
    row = connection.execute(_SESSION, {"workspace": workspace, "name": name}).one_or_none()
    return None if row is None else _session(row)


def latest_open(connection: Connection, workspace: int) -> Session | None:
    """The session worked on last, of those without a conclusion."""
    row = connection.execute(_LATEST_OPEN, {"workspace": workspace}).one_or_none()
    return None if row is None else _session(row)


def sessions(connection: Connection, workspace: int, *, limit: int = 50) -> list[Session]:
    """Sessions, the one worked on last first, with how many thoughts each has."""
    counted = (
        select(func.count())
        .where(_T.workspace_id == workspace, _T.session == _S.session)
        .scalar_subquery()
        .label("thoughts")
    )
    statement = (
        select(thinking_sessions, counted)
        .where(_S.workspace_id == workspace)
        .order_by(_S.modified_at.desc(), _S.started_at.desc(), _S.session)
        .limit(limit)
    )
    return [_session(row, row.thoughts) for row in connection.execute(statement)]


def thoughts_of(connection: Connection, workspace: int, name: str) -> list[Thought]:
    """The thoughts of a session in the order they came, without their texts."""
    return _thoughts(connection.execute(_THOUGHTS, {"workspace": workspace, "name": name}))


def ends_of(connection: Connection, workspace: int, name: str) -> list[Thought]:
    """The first and the last thought of each branch of a session in the order they came, without their texts."""
    return _thoughts(connection.execute(_ENDS, {"workspace": workspace, "name": name}))


def _thoughts(found: Iterable[Any]) -> list[Thought]:
    return [
        Thought(
            seq=seq, number=number, total=total, branch=branch, branch_from=branch_from, revises=revises, entry=entry,
            next_needed=next_needed, duration_s=duration_s, at=at,
        )
        for _, _, seq, number, total, branch, branch_from, revises, entry, next_needed, duration_s, at in found
    ]  # fmt: skip


def session_of(connection: Connection, workspace: int, entry: int) -> str:
    """The session whose thought an entry holds; empty when it holds none."""
    statement = select(_T.session).where(_T.workspace_id == workspace, _T.entry_number == entry).limit(1)
    return connection.execute(statement).scalar_one_or_none() or ""


def with_texts(connection: Connection, workspace: int, name: str) -> list[Thought]:
    """The thoughts of a session with their texts, and which of them a revision has superseded."""
    statement = (
        select(_T.seq, entries.c.text, entries.c.state)
        .join(entries, (entries.c.workspace_id == _T.workspace_id) & (entries.c.number == _T.entry_number))
        .where(_T.workspace_id == workspace, _T.session == name, entries.c.part == 0)
    )
    texts = {seq: (text, state) for seq, text, state in connection.execute(statement)}
    found: list[Thought] = []
    for thought in thoughts_of(connection, workspace, name):
        text, state = texts.get(thought.seq, ("", State.PURGED))
        plain = text.removeprefix(prefix(name, thought))
        found.append(replace(thought, text=plain, superseded=state == State.SUPERSEDED))
    return found


def add_session(connection: Connection, workspace: int, name: str, *, problem: str, total: int, now: float) -> None:
    """Start a session."""
    connection.execute(
        insert(thinking_sessions).values(
            workspace_id=workspace, session=name, problem=problem, total=total, concluded=False, started_at=now,
            modified_at=now,
        )
    )  # fmt: skip


def update_session(
    connection: Connection, workspace: int, name: str, *, total: int, concluded: bool, now: float
) -> None:
    """Note how far a session is."""
    connection.execute(
        _PROGRESS, {"workspace": workspace, "name": name, "reached": total, "done": concluded, "now": now}
    )


def add_thought(connection: Connection, workspace: int, name: str, thought: Thought) -> None:
    """Append a thought to a session."""
    values = {
        "workspace_id": workspace, "session": name, "seq": thought.seq, "number": thought.number,
        "total": thought.total, "branch": thought.branch, "branch_from": thought.branch_from,
        "revises": thought.revises, "entry_number": thought.entry, "next_needed": thought.next_needed,
        "duration_s": thought.duration_s, "at": thought.at,
    }  # fmt: skip
    connection.execute(_ADD, values)


def unfinished_entries(connection: Connection, workspace: int, name: str, priority: int, but: int) -> list[int]:
    """Entries of a session's thoughts that still stand at the given priority in a window, save one."""
    statement = (
        select(entries.c.number)
        .join(thoughts, (_T.workspace_id == entries.c.workspace_id) & (_T.entry_number == entries.c.number))
        .where(
            entries.c.workspace_id == workspace,
            _T.session == name,
            entries.c.part == 0,
            entries.c.priority == priority,
            entries.c.number != but,
            entries.c.state.in_((State.LIVE, State.SPLIT)),
        )
        .order_by(entries.c.number)
        .distinct()
    )
    return list(connection.execute(statement).scalars())


def _session(row: Row[Any], thoughts: int = 0) -> Session:
    return Session(
        session=row.session, problem=row.problem, total=row.total, concluded=row.concluded,
        started_at=row.started_at, modified_at=row.modified_at, thoughts=thoughts,
    )  # fmt: skip
