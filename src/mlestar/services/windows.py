"""The seven windows as use cases, the same for MCP, REST and the CLI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlestar.core.windows import content as contents
from mlestar.core.windows.model import KINDS, WINDOWS, State, choice, priority_number, window_number
from mlestar.core.windows.reading import MOST_ENTRIES, MOST_REPLY_TOKENS, WindowRead
from mlestar.core.windows.rendering import text_of
from mlestar.errors import Conflict, InvalidInput
from mlestar.services.memory.archive import WindowArchive
from mlestar.services.memory.arguments import checked_key, checked_workspace, parse_id
from mlestar.services.memory.changes import change_entry, entry_of, expect_version, required, target_of
from mlestar.services.memory.entry_writer import Draft
from mlestar.services.memory.reading import Question, WindowReader
from mlestar.storage import windows as store
from mlestar.storage import workspaces

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from mlestar.core.windows.receipt import Receipt
    from mlestar.services.memory.transaction import WindowTransaction

MODES = ("append", "replace", "remove", "pin", "unpin")


class WindowsService(WindowArchive):
    """Reads and writes the context windows of every workspace."""

    async def update(
        self,
        *,
        workspace: str = "default",
        window: int | str,
        content: Any = "",
        priority: int | str | None = None,
        key: str = "",
        mode: str = "append",
        kind: str = "note",
        expected_version: int | None = None,
        request_id: str = "",
        id: str = "",  # noqa: A002 - the name the tool gives it
        ttl_s: float | None = None,
        tags: Sequence[str] = (),
    ) -> Receipt:
        """Write to a window, or remove, pin or unpin one of its entries.

        `replace` replaces the entry of that id or key; with neither, everything in the window that is not pinned.

        Raises:
            InvalidInput: a value is wrong; nothing was stored.
            NotFound: no entry of that id or key.
            Conflict: the window is no longer at `expected_version`, or `request_id` was used for something else.
            BudgetExceeded: critical entries alone do not fit.
        """
        number = window_number(window)
        choice("mode", mode, MODES)
        choice("kind", kind, KINDS)
        level = priority_number(priority, WINDOWS[number - 1].priority)
        if ttl_s is not None and not 0 < ttl_s < 1e10:  # noqa: PLR2004 - 300 years
            raise InvalidInput(f"ttl_s is {ttl_s}; an entry lives for a positive number of seconds.")
        writes = mode in {"append", "replace"} or (mode == "pin" and not id and not key)
        read = contents.read_content(content, kind) if writes else None
        arguments = [number, mode, kind, level, key, id, ttl_s, read.sha256 if read else ""]

        def apply(transaction: WindowTransaction) -> str:
            expect_version(transaction, number, expected_version)
            target = target_of(transaction, number, key, id) if id or (key and not writes) else None
            if read is None:
                return change_entry(transaction, required(target, mode), mode)
            others: Sequence[Row[Any]] = ()
            if mode == "replace" and target is None and not key:
                others = store.standing_in(transaction.connection, transaction.workspace_id, number)
            written = transaction.append(
                Draft(
                    window=number, content=read, priority=level, pinned=mode == "pin", key=checked_key(key),
                    tags=tags, ttl_s=ttl_s,
                )
            )  # fmt: skip
            for old in [target] if target is not None else [row for row in others if not row.pinned]:
                if old.number != written and old.state != State.PURGED:
                    transaction.supersede(old, written)
            return "stored"

        return await self.write(workspace, apply, request_id=request_id, arguments=arguments)

    async def compact(self, *, workspace: str = "default", ids: Sequence[str], summary: str) -> Receipt:
        """Let the caller's own summary stand for entries; they stay archived, searchable and linked to it."""
        wanted = [parse_id(item)[0] for item in ids]
        if not wanted:
            raise InvalidInput("ids is empty.", do="name the entries that the summary stands for")
        read = contents.read_content(summary, "note")

        def apply(transaction: WindowTransaction) -> str:
            rows = [entry_of(transaction, item) for item in dict.fromkeys(wanted)]
            if any(row.state == State.PURGED for row in rows):
                raise Conflict("A purged entry cannot be compacted.", do="leave it out")
            written = transaction.append(
                Draft(
                    window=rows[0].home, content=read, priority=max(row.priority for row in rows),
                    pinned=any(row.pinned for row in rows), tags=("summary",),
                )
            )  # fmt: skip
            for row in rows:
                if row.number != written:
                    transaction.supersede(row, written, state=State.ARCHIVED)
            return "stored"

        return await self.write(workspace, apply)

    async def replace_findings(
        self, *, workspace: str = "default", window: int, items: Sequence[Mapping[str, Any]]
    ) -> Receipt:
        """Make these the findings of a window: the same key supersedes, findings that are gone leave it.

        `items` are {key, text, priority}; the key is the check's id.
        """
        number = window_number(window)
        reads = [(item, contents.read_content(item["text"], "finding")) for item in items]

        def apply(transaction: WindowTransaction) -> str:
            kept = {item["key"] for item in items}
            for row in store.standing_findings(transaction.connection, transaction.workspace_id, number):
                if row.key not in kept:
                    transaction.retire(row)
            for item, read in reads:
                level = priority_number(item.get("priority"), WINDOWS[number - 1].priority)
                transaction.append(Draft(window=number, content=read, priority=level, key=checked_key(item["key"])))
            return "stored"

        return await self.write(workspace, apply)

    async def read(
        self,
        *,
        workspace: str = "default",
        window: int | str = 0,
        query: str = "",
        id: str = "",  # noqa: A002 - the name the tool gives it
        limit: int = 20,
        budget_tokens: int = 2000,
        min_priority: int | str | None = 0,
        offset: int = 0,
    ) -> WindowRead:
        """Read an entry (`id`), search (`query`), a window, or, with none of them, an overview.

        Raises:
            InvalidInput: a value is wrong.
            NotFound: no entry of that id.
        """
        name = checked_workspace(workspace)
        if offset < 0:
            raise InvalidInput(f"offset is {offset}.", do="use 0, or the next_offset of the reply before")
        budget = min(max(int(budget_tokens), 1), MOST_REPLY_TOKENS)
        question = Question(
            window=window_number(window) if window not in {0, "", "0"} else 0,
            query=query,
            limit=min(max(int(limit), 1), MOST_ENTRIES),
            budget_tokens=budget,
            min_priority=priority_number(min_priority, 0),
            offset=offset,
        )
        target = parse_id(id) if id else None

        def use(reader: WindowReader) -> WindowRead:
            return reader.by_id(*target, offset, budget) if target else reader.by_question(question)

        return await self._read(name, use)

    async def window_text(self, *, workspace: str = "default", window: int | str) -> str:
        """A window as text, at most its cap; empty when nothing is in it."""
        number = window_number(window)

        def use(connection: Connection) -> str:
            row = workspaces.find(connection, name)
            return text_of(number, store.live_entries(connection, row.id, number)) if row else ""

        name = checked_workspace(workspace)
        return await self.database.reading(use)

    async def entry_text(self, *, workspace: str = "default", id: str) -> str:  # noqa: A002 - the name the tool gives it
        """The whole text of an entry, byte for byte."""
        number, part = parse_id(id)

        def use(reader: WindowReader) -> str:
            reader.by_id(number, part, 0, 1)
            found = store.entry(reader.connection, reader.row.id, number, part) if reader.row else None
            return found.text if found else ""

        return await self._read(checked_workspace(workspace), use)

    async def initialize(self, *, workspace: str = "default", reset: bool = False) -> Receipt:
        """Make sure the seven windows are there; `reset` archives what they hold (pinned entries too)."""

        def apply(transaction: WindowTransaction) -> str:
            if reset:
                for window in WINDOWS:
                    for row in store.standing_in(transaction.connection, transaction.workspace_id, window.number):
                        transaction.retire(row)
            return "changed" if reset else "unchanged"

        return await self.write(workspace, apply)
