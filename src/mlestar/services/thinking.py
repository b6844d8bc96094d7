"""The thinking loop: thoughts and planned steps, kept in window 6, answered with what the memory knows about them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlestar.core.thinking import arguments, references
from mlestar.core.thinking.model import MOST_BRANCHES, Session, StepBrief, ThinkResult
from mlestar.core.thinking.next_tool import next_tool
from mlestar.core.thinking.references import Request
from mlestar.core.thinking.views import FORMS, show
from mlestar.core.windows import content as contents
from mlestar.core.windows.model import choice, priority_number
from mlestar.errors import InvalidInput
from mlestar.services.memory.arguments import checked_workspace
from mlestar.services.memory.reading import WindowReader
from mlestar.services.memory.thinking_context import ContextFinder, Digest, brief
from mlestar.services.memory.thought_writer import (
    THOUGHT_PRIORITY,
    Planned,
    Stored,
    ThoughtWriter,
    length,
    no_session,
    replayed,
)
from mlestar.storage import thinking as store
from mlestar.storage import workspaces

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.windows.content import Content
    from mlestar.core.windows.receipt import Receipt
    from mlestar.services.memory.transaction import WindowTransaction
    from mlestar.services.windows import WindowsService
    from mlestar.storage.database import Database

MOST_CONTEXT_TOKENS = 8000
LEAST_STEP_TOKENS = 80


class ThinkingService:
    """Thinks in sessions; every thought survives the process."""

    def __init__(
        self,
        *,
        windows: WindowsService,
        database: Database,
        new_session: Callable[[], str] = lambda: "s-" + secrets.token_hex(4),
    ) -> None:
        """`new_session` mints the name of a session."""
        self._windows = windows
        self._database = database
        self._new_session = new_session

    async def think(
        self,
        *,
        workspace: str = "default",
        thought: str = "",
        next_thought_needed: Any = None,
        thought_number: Any = None,
        total_thoughts: Any = None,
        is_revision: Any = None,
        revises_thought: Any = None,
        branch_from_thought: Any = None,
        branch_id: str | None = None,
        needs_more_thoughts: Any = None,
        session: str = "",
        importance: int | str | None = None,
        problem: str = "",
        steps: Any = None,
        context_budget_tokens: Any = 1200,
        request_id: str = "",
    ) -> ThinkResult:
        """Keep one thought, or plan a `problem` in `steps`, and answer with what bears on it.

        Raises:
            InvalidInput: a value is wrong or a reference leads nowhere; nothing was stored.
            NotFound: no such session.
            InputTooLarge: more than 100 steps, or a thought over 1 MiB.
        """
        started = time.perf_counter()
        listed = arguments.steps(steps)
        request = Request(
            number=arguments.number("thoughtNumber", thought_number),
            total=arguments.number("totalThoughts", total_thoughts),
            next_needed=arguments.flag("nextThoughtNeeded", next_thought_needed),
            is_revision=arguments.flag("isRevision", is_revision),
            revises=arguments.number("revisesThought", revises_thought),
            branch_from=arguments.number("branchFromThought", branch_from_thought),
            branch=branch_id or "",
            needs_more=arguments.flag("needsMoreThoughts", needs_more_thoughts),
        )
        level = None if importance is None or importance == "" else priority_number(importance, THOUGHT_PRIORITY)
        budget = _budget(context_budget_tokens)
        planned = Planned(
            session=session, request=request, texts=_texts(thought, problem, listed), problem=_problem(problem),
            is_plan=bool(listed), priority=level, started=started,
        )  # fmt: skip

        def apply(transaction: WindowTransaction) -> str:
            nonlocal stored
            stored = ThoughtWriter(transaction, self._new_session).write(planned)
            return "stored"

        stored: Stored | None = None
        asked = (planned.problem, planned.is_plan)
        receipt = await self._windows.write(
            workspace, apply, request_id=request_id, arguments=[session, vars(request), level, asked, thought]
        )
        name = receipt.workspace

        def digest(connection: Connection) -> tuple[Stored, list[tuple[Digest, float]]]:
            known = stored or replayed(connection, name, receipt)
            return known, self._digests(connection, name, known, listed or [planned.texts[-1].text], budget)

        known, digests = await self._database.reading(digest)
        return _result(
            receipt, known, digests=digests, steps=listed, problem=planned.problem, request=request,
            duration_s=time.perf_counter() - started,
        )  # fmt: skip

    async def view(self, *, workspace: str = "default", session: str, form: str = "tree", branch: str = "") -> str:
        """A session as text: tree, linear, mermaid, markdown or json; of one branch where it is named.

        Raises:
            InvalidInput: no such form or branch, with the valid ones.
            NotFound: no such session.
        """
        choice("form", form, tuple(FORMS))

        def use(connection: Connection) -> str:
            row = workspaces.find(connection, checked_workspace(workspace))
            found = store.session(connection, row.id, session) if row else None
            if row is None or found is None:
                raise no_session(connection, row.id if row else 0, session)
            thoughts = store.with_texts(connection, row.id, session)
            if branch:
                known = references.branches(thoughts)
                if branch not in known:
                    raise InvalidInput(f"Session {session!r} has no branch {branch[:80]!r}.", valid=known or ["(none)"])
                thoughts = [thought for thought in thoughts if thought.branch == branch]
            return show(found, thoughts, form)

        return await self._database.reading(use)

    async def sessions(self, *, workspace: str = "default", limit: int = 20) -> list[Session]:
        """The sessions of a workspace, the one worked on last first."""

        def use(connection: Connection) -> list[Session]:
            row = workspaces.find(connection, checked_workspace(workspace))
            return store.sessions(connection, row.id, limit=min(max(limit, 1), 200)) if row else []

        return await self._database.reading(use)

    def _digests(
        self, connection: Connection, workspace: str, known: Stored, texts: Sequence[str], budget: int
    ) -> list[tuple[Digest, float]]:
        reader = WindowReader(
            connection, workspace=workspace, tokenizer=self._windows.tokenizer, cap=self._windows.cap_tokens,
            now=self._windows.clock(), row=known.row,
        )  # fmt: skip
        share = budget if len(texts) == 1 else max(LEAST_STEP_TOKENS, budget // len(texts)) if budget else 0
        finder = ContextFinder(reader, self._windows.tokenizer, known.session.session, share)
        found: list[tuple[Digest, float]] = []
        for text in texts:
            begun = time.perf_counter()
            found.append((finder.digest(text), time.perf_counter() - begun))
        return found


def _texts(thought: str, problem: str, steps: Sequence[str]) -> list[Content]:
    if steps:
        if not problem.strip():
            raise InvalidInput("steps came without a problem.", do="say in problem what the steps are to solve")
        return [contents.read_content(text, "thought") for text in steps]
    if not thought.strip():
        raise InvalidInput(
            "There is neither a thought nor a problem with steps; nothing was stored.",
            do="send thought, or problem and steps",
        )
    return [contents.read_content(thought, "thought")]


def _problem(problem: str) -> str:
    return contents.read_content(problem, "thought").text if problem.strip() else ""


def _budget(value: Any) -> int:
    if value == 0 or (isinstance(value, str) and value.strip() == "0"):
        return 0
    return min(arguments.number("contextBudgetTokens", value) or 0, MOST_CONTEXT_TOKENS)


def _result(
    receipt: Receipt,
    known: Stored,
    *,
    digests: Sequence[tuple[Digest, float]],
    steps: Sequence[str],
    problem: str,
    request: Request,
    duration_s: float,
) -> ThinkResult:
    last = known.thoughts[-1]
    names = references.branches(known.thoughts)
    entries = [str(thought.entry) for thought in known.thoughts[-len(steps) :]] if steps else known.entries
    briefs = tuple(
        StepBrief(
            step=at,
            description=step,
            thought_id=entry,
            brief=brief(step, digest, next_tool(step)),
            context=digest.context,
            findings=digest.findings,
            next_tool=next_tool(step),
            duration_s=round(seconds, 6),
        )
        for at, (step, entry, (digest, seconds)) in enumerate(zip(steps, entries, digests, strict=True), start=1)
    ) if steps else ()  # fmt: skip
    context = () if steps else (*digests[0][0].context, *digests[0][0].findings)
    return ThinkResult(
        thought_number=last.number,
        total_thoughts=last.total,
        next_thought_needed=last.next_needed,
        branches=tuple(names[:MOST_BRANCHES]),
        branch_count=len(names),
        thought_history_length=length(known.thoughts),
        workspace=receipt.workspace,
        session=known.session.session,
        thought_id=known.entries[-1],
        receipt=receipt,
        context=context,
        hints=references.hints(request, last, known.session, is_plan=bool(steps)),
        problem=problem or known.session.problem,
        steps=briefs,
        next_tool=briefs[0].next_tool if briefs else "",
        total_duration_s=round(duration_s, 6),
    )
