"""The seven windows as use cases: update, read, compact, history, restore, purge. The same for MCP, REST and the CLI."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mlestar.core.windows import content as contents
from mlestar.core.windows.model import KINDS, WINDOWS, State, choice, priority_number, window_number
from mlestar.core.windows.reading import (
    MOST_ENTRIES,
    MOST_REPLY_TOKENS,
    HistoryEvent,
    WindowRead,
    WindowReport,
)
from mlestar.core.windows.receipt import Receipt, receipt_from_json
from mlestar.core.windows.rendering import text_of
from mlestar.errors import Conflict, InvalidInput, NotFound
from mlestar.services.window_reading import Question, WindowReader
from mlestar.services.window_transaction import Draft, WindowTransaction
from mlestar.storage import window_reads
from mlestar.storage import windows as store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from mlestar.core.tokens import Tokenizer
    from mlestar.storage.database import Database

T = TypeVar("T")
OnChange = Callable[[str, Sequence[int]], None]

MODES = ("append", "replace", "remove", "pin", "unpin")
DIMENSION_WINDOWS = {"scoping": 1, "training": 2, "analysis": 3, "reliability": 4, "excellence": 5}
_WORKSPACE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ID = re.compile(r"#?(\d{1,15})(?:\.(\d{1,6}))?")


@dataclass(frozen=True, kw_only=True)
class FindingNote:
    """A finding as the memory keeps it: `key` is the check's id, a newer one supersedes the older."""

    key: str
    text: str
    priority: int


class WindowsService:
    """Reads and writes the context windows of every workspace."""

    def __init__(
        self,
        *,
        database: Database,
        tokenizer: Tokenizer,
        cap_tokens: int = 4000,
        clock: Callable[[], float] = time.time,
        on_change: OnChange | None = None,
    ) -> None:
        """`on_change(workspace, windows)` is called after each commit, in the worker's thread."""
        self.database = database
        self.tokenizer = tokenizer
        self.cap_tokens = cap_tokens
        self.clock = clock
        self._on_change = on_change

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
            _expect(transaction, number, expected_version)
            target = _target(transaction, number, key, id) if id or (key and not writes) else None
            if read is None:
                return _change(transaction, _required(target, mode), mode)
            others: Sequence[Row[Any]] = ()
            if mode == "replace" and target is None and not key:
                others = store.standing_in(transaction.connection, transaction.workspace_id, number)
            written = transaction.append(
                Draft(
                    window=number, content=read, priority=level, pinned=mode == "pin", key=_checked_key(key),
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
            rows = [_entry(transaction, item) for item in dict.fromkeys(wanted)]
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
        self, *, workspace: str = "default", dimension: str, items: Sequence[FindingNote]
    ) -> Receipt:
        """Make these the findings of a dimension's window: same key supersedes, keys that are gone leave it."""
        window = DIMENSION_WINDOWS[choice("dimension", dimension, tuple(DIMENSION_WINDOWS))]
        reads = [(item, contents.read_content(item.text, "finding")) for item in items]

        def apply(transaction: WindowTransaction) -> str:
            kept = {item.key for item in items}
            for row in store.standing_findings(transaction.connection, transaction.workspace_id, window):
                if row.key not in kept:
                    transaction.retire(row)
            for item, read in reads:
                transaction.append(
                    Draft(window=window, content=read, priority=priority_number(item.priority, 3), key=item.key)
                )
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
            row = store.find_workspace(connection, name)
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

    async def history(
        self,
        *,
        workspace: str = "default",
        window: int | str = 0,
        id: str = "",
        limit: int = 50,  # noqa: A002 - as above
    ) -> list[HistoryEvent]:
        """What happened, newest first; of one window or one entry where given."""
        number = window_number(window) if window else 0
        entry = parse_id(id)[0] if id else 0

        def use(connection: Connection) -> list[HistoryEvent]:
            row = store.find_workspace(connection, name)
            found = window_reads.history(connection, row.id, number, entry, min(max(limit, 1), 500)) if row else ()
            return [
                HistoryEvent(
                    seq=event.seq, window=event.window, version=event.version, action=event.action,
                    id=f"{event.number}.{event.part}" if event.part else str(event.number), detail=event.detail,
                    at=event.at,
                )
                for event in found
            ]  # fmt: skip

        name = checked_workspace(workspace)
        return await self.database.reading(use)

    async def restore(
        self,
        *,
        workspace: str = "default",
        id: str = "",
        window: int | str = 0,
        version: int | None = None,  # noqa: A002 - as above
    ) -> Receipt:
        """Bring one entry back, or a window's entries as they stood at a version."""
        target = parse_id(id)[0] if id else 0
        number = 0 if target else window_number(window)

        def apply(transaction: WindowTransaction) -> str:
            if target:
                row = _entry(transaction, target)
                if row.state == State.PURGED:
                    raise Conflict(f"The text of entry {target} was purged and cannot come back.")
                transaction.restore(row)
                return "changed"
            _restore_window(transaction, number, version)
            return "changed"

        return await self.write(workspace, apply)

    async def purge(self, *, workspace: str = "default", id: str) -> Receipt:  # noqa: A002 - the name the tool gives it
        """Erase an entry's text for good; its id stays, as a tombstone."""
        target = parse_id(id)[0]

        def apply(transaction: WindowTransaction) -> str:
            transaction.forget(_entry(transaction, target))
            return "changed"

        return await self.write(workspace, apply)

    async def report(self, *, workspace: str = "default") -> WindowReport:
        """The figures of all seven windows."""
        name = checked_workspace(workspace)

        def use(reader: WindowReader) -> WindowReport:
            uses = reader.uses()
            live, archived, steps, mean = (0, 0, 0, 0.0)
            total, verbatim = 0, 0
            if reader.row:
                live, archived, steps, mean = window_reads.counts(reader.connection, reader.row.id)
                total, verbatim = store.important_tokens(reader.connection, reader.row.id)
            return WindowReport(
                workspace=name,
                total_windows=len(uses),
                active_windows=sum(use.used > 0 for use in uses),
                total_tokens=sum(use.used for use in uses),
                max_tokens=self.cap_tokens * len(uses),
                windows=uses,
                entries=live,
                archived=archived,
                important_retention=round(verbatim / total, 4) if total else 1.0,
                sequential_steps=steps,
                average_step_duration=mean,
            )

        return await self._read(name, use)

    async def write(
        self,
        workspace: str,
        apply: Callable[[WindowTransaction], str],
        *,
        request_id: str = "",
        arguments: Sequence[object] = (),
    ) -> Receipt:
        """Run one change in one transaction; a request that was answered before gets that answer again."""
        name = checked_workspace(workspace)
        fingerprint = _fingerprint(arguments)

        def use(connection: Connection) -> tuple[Receipt, bool]:
            if request_id:
                row = store.find_workspace(connection, name)
                kept = store.kept_reply(connection, row.id, request_id) if row else None
                if kept:
                    return _replayed(kept, fingerprint, request_id), False
            transaction = WindowTransaction(
                connection, workspace=name, tokenizer=self.tokenizer, cap=self.cap_tokens, now=self.clock()
            )
            receipt = transaction.finish(apply(transaction))
            if request_id:
                store.keep_reply(
                    connection, transaction.workspace_id, request_id, fingerprint, receipt.to_json(), transaction.now
                )
            return receipt, True

        receipt, is_new = await self.database.writing(use)
        if is_new:
            self.announce(receipt)
        return receipt

    def announce(self, receipt: Receipt) -> None:
        """Tell the listener which windows a committed write changed."""
        if self._on_change and receipt.windows:
            self._on_change(receipt.workspace, [use.window for use in receipt.windows])

    async def _read(self, name: str, use: Callable[[WindowReader], T]) -> T:
        def call(connection: Connection) -> T:
            reader = WindowReader(
                connection, workspace=name, tokenizer=self.tokenizer, cap=self.cap_tokens, now=self.clock()
            )
            return use(reader)

        return await self.database.reading(call)


def checked_workspace(name: str) -> str:
    """A workspace name that can stand in a URI and a log line.

    Raises:
        InvalidInput: it cannot.
    """
    if _WORKSPACE.fullmatch(name):
        return name
    raise InvalidInput(
        f"{name[:80]!r} is not a workspace name.",
        valid=["1 to 64 of A-Z a-z 0-9 . _ -"],
        do="use default, or a name like churn-model",
    )


def parse_id(value: object) -> tuple[int, int]:
    """Entry and part of an id: `12`, `#12` or `12.1`.

    Raises:
        InvalidInput: it is none.
    """
    match = _ID.fullmatch(str(value).strip())
    if match and not isinstance(value, bool):
        return int(match[1]), int(match[2] or 0)
    raise InvalidInput(f"{str(value)[:80]!r} is not an entry id.", valid=["12", "#12", "12.1"])


def _expect(transaction: WindowTransaction, window: int, expected: int | None) -> None:
    current = transaction.row.windows[window].version
    if expected is None or expected == current:
        return
    changed = window_reads.changed_since(transaction.connection, transaction.workspace_id, window, expected)
    raise Conflict(
        f"Window {window} is at version {current}, not {expected}. Nothing was stored.",
        do="read the changed entries, then write again with expected_version " + str(current),
        details={"current": current, "changed": changed},
    )


def _target(transaction: WindowTransaction, window: int, key: str, entry_id: str) -> Row[Any]:
    if entry_id:
        return _entry(transaction, parse_id(entry_id)[0])
    row = store.keyed(transaction.connection, transaction.workspace_id, window, key)
    if row is None:
        raise NotFound(f"No entry of window {window} has the key {key!r}.", do="read the window for its keys")
    return row


def _entry(transaction: WindowTransaction, number: int) -> Row[Any]:
    row = store.entry(transaction.connection, transaction.workspace_id, number)
    if row is None:
        newest = transaction.row.next_number - 1
        raise NotFound(
            f"There is no entry {number} in workspace {transaction.row.name!r}.",
            do=f"use an id from 1 to {newest}" if newest else "write something first",
        )
    return row


def _required(row: Row[Any] | None, mode: str) -> Row[Any]:
    if row is None:
        raise InvalidInput(f"mode {mode} needs the id or key of an entry.", do="read the window for ids")
    return row


def _change(transaction: WindowTransaction, row: Row[Any], mode: str) -> str:
    if row.state == State.PURGED:
        raise Conflict(f"The text of entry {row.number} was purged.", do="choose another entry")
    if mode == "remove":
        transaction.remove(row)
    else:
        transaction.set_pinned(row, pinned=mode == "pin")
    return "changed"


def _restore_window(transaction: WindowTransaction, window: int, version: int | None) -> None:
    current = transaction.row.windows[window].version
    if version is None or not 0 <= version <= current:
        raise InvalidInput(f"Window {window} has no version {version}.", valid=[f"0 to {current}"])
    then = window_reads.written_by(transaction.connection, transaction.workspace_id, window, version)
    gone = {"superseded", "removed", "expired", "purged", "archived", "retired"}
    shown_then = {number for number, action in then.items() if action not in gone}
    standing = store.standing_in(transaction.connection, transaction.workspace_id, window)
    for row in standing:
        if row.number not in shown_then:
            transaction.retire(row)
    for number in sorted(shown_then - {row.number for row in standing}):
        row = _entry(transaction, number)
        if row.state != State.PURGED and row.home == window:
            transaction.restore(row)


def _checked_key(key: str) -> str:
    if len(key) > 200:  # noqa: PLR2004 - the column's width
        raise InvalidInput(f"The key has {len(key)} characters.", valid=["up to 200 characters"])
    return key


def _fingerprint(arguments: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(arguments, default=str).encode()).hexdigest()


def _replayed(kept: tuple[str, Mapping[str, Any]], fingerprint: str, request_id: str) -> Receipt:
    if kept[0] != fingerprint:
        raise Conflict(
            f"request_id {request_id!r} was already used for another write. Nothing was stored.",
            do="use a new request_id",
        )
    return receipt_from_json(kept[1])
