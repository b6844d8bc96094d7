"""Reads and writes thinking sessions, inside the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from mlestar.core.thinking.model import Session, Thought, prefix
from mlestar.core.windows.model import State
from mlestar.storage.tables_memory import entries, thinking_sessions, thoughts

if TYPE_CHECKING:
    from sqlalchemy import Connection

_S = thinking_sessions.c
_T = thoughts.c


def session(connection: Connection, workspace: int, name: str) -> Session | None:
    """One session, or None."""
    found = sessions(connection, workspace, name=name)
    return found[0] if found else None


def sessions(connection: Connection, workspace: int, *, name: str = "", limit: int = 50) -> list[Session]:
    """Sessions, the one worked on last first."""
    statement = (
        select(thinking_sessions, func.count(_T.seq).label("thoughts"))
        .outerjoin(thoughts, (_T.workspace_id == _S.workspace_id) & (_T.session == _S.session))
        .where(_S.workspace_id == workspace)
        .group_by(_S.workspace_id, _S.session)
        .order_by(_S.modified_at.desc(), _S.started_at.desc(), _S.session)
        .limit(limit)
    )
    if name:
        statement = statement.where(_S.session == name)
    return [
        Session(
            session=row.session, problem=row.problem, total=row.total, concluded=row.concluded,
            started_at=row.started_at, modified_at=row.modified_at, thoughts=row.thoughts,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def thoughts_of(connection: Connection, workspace: int, name: str) -> list[Thought]:
    """The thoughts of a session in the order they came, without their texts."""
    statement = select(thoughts).where(_T.workspace_id == workspace, _T.session == name).order_by(_T.seq)
    return [
        Thought(
            seq=row.seq, number=row.number, total=row.total, branch=row.branch, branch_from=row.branch_from,
            revises=row.revises, entry=row.entry_number, next_needed=row.next_needed, duration_s=row.duration_s,
            at=row.at,
        )
        for row in connection.execute(statement)
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
        values = {**vars(thought), "text": plain, "superseded": state == State.SUPERSEDED}
        found.append(Thought(**values))
    return found


def add_session(connection: Connection, workspace: int, name: str, problem: str, total: int, now: float) -> None:
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
        update(thinking_sessions)
        .where(_S.workspace_id == workspace, _S.session == name)
        .values(total=total, concluded=concluded, modified_at=now)
    )


def add_thought(connection: Connection, workspace: int, name: str, thought: Thought) -> None:
    """Append a thought to a session."""
    connection.execute(
        insert(thoughts).values(
            workspace_id=workspace, session=name, seq=thought.seq, number=thought.number, total=thought.total,
            branch=thought.branch, branch_from=thought.branch_from, revises=thought.revises,
            entry_number=thought.entry, next_needed=thought.next_needed, duration_s=thought.duration_s, at=thought.at,
        )
    )  # fmt: skip


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
