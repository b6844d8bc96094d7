"""Puts thoughts into a session and into window 6, inside the transaction of one write."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlestar.core.thinking import references
from mlestar.core.thinking.model import Session, Thought, prefix
from mlestar.core.thinking.references import Request
from mlestar.core.windows import content as contents
from mlestar.core.windows.content import Content
from mlestar.core.windows.model import IMPORTANT, State
from mlestar.errors import NotFound
from mlestar.services.memory.entry_writer import Draft
from mlestar.storage import thinking as store
from mlestar.storage import windows, workspaces

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.windows.receipt import Receipt
    from mlestar.services.memory.transaction import WindowTransaction
    from mlestar.storage.workspaces import WorkspaceRow

THINKING_WINDOW = 6
THOUGHT_PRIORITY = 2
LEFT_BEHIND_PRIORITY = 1
"""What a session's other thoughts are lowered to once it has its conclusion."""
PROBLEM_PRIORITY = 3


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What one call wants kept: a thought, or a problem with the steps to solve it.

    `priority` is what the caller asked for; None leaves it to what the thought is. `started` is when the call began,
    by time.perf_counter().
    """

    session: str
    request: Request
    texts: Sequence[Content]
    problem: str
    is_plan: bool
    priority: int | None
    started: float


@dataclass(kw_only=True)
class Stored:
    """What one call wrote, gathered inside its transaction."""

    session: Session
    thoughts: list[Thought]
    entries: list[str]
    row: WorkspaceRow | None = None


def length(thoughts: Sequence[Thought]) -> int:
    """How many thoughts a session has, of which these may be a part: they are numbered 1, 2, 3 as they come."""
    return thoughts[-1].seq if thoughts else 0


def no_session(connection: Connection, workspace: int, name: str) -> NotFound:
    """The error of a session that is not there, with those that are."""
    known = [found.session for found in store.sessions(connection, workspace, limit=10)]
    return NotFound(
        f"There is no thinking session {name[:80]!r}. Nothing was stored.",
        valid=known,
        do="leave session empty to start one",
    )


def replayed(connection: Connection, workspace: str, receipt: Receipt) -> Stored:
    """What the first try of a retried request wrote."""
    row = workspaces.find(connection, workspace)
    number = int(receipt.ids[-1])
    name = store.session_of(connection, row.id, number) if row else ""
    session = store.session(connection, row.id, name) if row else None
    if row is None or session is None:
        raise NotFound("The session of this request is gone.", do="send it with a new request_id")
    thoughts = store.thoughts_of(connection, row.id, name)
    return Stored(
        session=session, thoughts=[thought for thought in thoughts if thought.entry <= number], entries=[str(number)]
    )


class ThoughtWriter:
    """Writes the thoughts of one call."""

    def __init__(self, transaction: WindowTransaction, new_session: Callable[[], str]) -> None:
        """`new_session` mints the name of a session."""
        self._transaction = transaction
        self._new_session = new_session

    def write(self, planned: Planned) -> Stored:
        """Place each text in its session, append it to the window, supersede what it revises."""
        transaction, request = self._transaction, planned.request
        session = self._session(planned)
        look = store.thoughts_of if request.refers else store.ends_of
        known = look(transaction.connection, transaction.workspace_id, session.session)
        if planned.is_plan and not known:
            read = contents.read_content(f"[{session.session}] Problem: {planned.problem}", "thought")
            self._append(read, PROBLEM_PRIORITY, planned, session, "")
        entries: list[str] = []
        for text in planned.texts:
            total = length(known) + len(planned.texts) - len(entries)
            known.append(
                self._think(text, Request(total=total) if planned.is_plan else request, planned, session, known)
            )
            entries.append(str(known[-1].entry))
        concluded = not known[-1].next_needed
        if concluded:
            self._leave_behind(session.session, known[-1].entry)
        store.update_session(
            transaction.connection,
            transaction.workspace_id,
            session.session,
            total=max(known[-1].total, session.total),
            concluded=concluded,
            now=transaction.now,
        )
        return Stored(session=session, thoughts=known, entries=entries, row=transaction.row)

    def _session(self, planned: Planned) -> Session:
        """The session meant: the named one; without a name a new one, or for thought 2 and on the open one."""
        transaction, request = self._transaction, planned.request
        connection, workspace = transaction.connection, transaction.workspace_id
        if planned.session:
            found = store.session(connection, workspace, planned.session)
            if found is None:
                raise no_session(connection, workspace, planned.session)
            return found
        if request.continues and not planned.is_plan:
            latest = store.latest_open(connection, workspace)
            if latest:
                return latest
        minted, total = self._new_session(), request.total or 1
        store.add_session(connection, workspace, minted, problem=planned.problem, total=total, now=transaction.now)
        return Session(
            session=minted, problem=planned.problem, total=total, concluded=False,
            started_at=transaction.now, modified_at=transaction.now,
        )  # fmt: skip

    def _think(
        self, text: Content, request: Request, planned: Planned, session: Session, known: Sequence[Thought]
    ) -> Thought:
        transaction = self._transaction
        took = time.perf_counter() - planned.started
        thought = references.place(request, known, now=transaction.now, duration_s=took)
        replaced = references.revised(thought, known)
        read = Content(text=prefix(session.session, thought) + text.text, kind=text.kind, notes=text.notes)
        default = THOUGHT_PRIORITY if thought.next_needed else IMPORTANT
        placed = replace(thought, entry=self._append(read, default, planned, session, thought.branch))
        store.add_thought(transaction.connection, transaction.workspace_id, session.session, placed)
        if replaced:
            row = windows.entry(transaction.connection, transaction.workspace_id, replaced)
            if row is not None and row.state != State.PURGED:
                transaction.supersede(row, placed.entry)
        return placed

    def _append(self, content: Content, default: int, planned: Planned, session: Session, branch: str) -> int:
        tags = [f"session:{session.session}", *([f"branch:{branch}"] if branch else [])]
        priority = default if planned.priority is None else planned.priority
        return self._transaction.append(Draft(window=THINKING_WINDOW, content=content, priority=priority, tags=tags))

    def _leave_behind(self, session: str, conclusion: int) -> None:
        transaction = self._transaction
        numbers = store.unfinished_entries(
            transaction.connection, transaction.workspace_id, session, THOUGHT_PRIORITY, conclusion
        )
        for number in numbers:
            row = windows.entry(transaction.connection, transaction.workspace_id, number)
            if row is not None:
                transaction.set_priority(row, LEFT_BEHIND_PRIORITY)
