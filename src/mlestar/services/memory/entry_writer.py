"""Puts entries into windows and takes them out, keeping each window's sums and history, inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlestar.core.windows import content as contents
from mlestar.core.windows.entry import VERBATIM, Entry
from mlestar.core.windows.model import State
from mlestar.core.windows.rendering import body, measure
from mlestar.storage import full_text, workspaces
from mlestar.storage import windows as store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from mlestar.core.tokens import Tokenizer
    from mlestar.core.windows.content import Content

PREFIX_TOKENS = 16
"""Room kept in a part for what stands before its text (`- [#123456.12 p4~]`)."""
SEARCHABLE = (State.LIVE, State.SPLIT, State.ARCHIVED)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An entry to be written."""

    window: int
    content: Content
    priority: int
    pinned: bool = False
    key: str = ""
    tags: Sequence[str] = ()
    ttl_s: float | None = None


class EntryWriter:
    """One workspace while a transaction changes its entries; windows may pass their caps until they are balanced."""

    def __init__(self, connection: Connection, *, workspace: str, tokenizer: Tokenizer, cap: int, now: float) -> None:
        """Open the workspace, made on its first write; its clock goes one on."""
        self.connection = connection
        self.now = now
        self._tokenizer = tokenizer
        self._cap = cap
        found = workspaces.find(connection, workspace)
        self.row = found or workspaces.create(connection, workspace, now)
        self.row.clock += 1
        self._events: list[dict[str, Any]] = []
        self._fresh: set[int] = set()
        self._ids: dict[str, None] = {}
        self._expiry_changed = False

    @property
    def workspace_id(self) -> int:
        """The workspace's row."""
        return self.row.id

    def _insert(self, draft: Draft) -> int:
        number = self.row.next_number
        self.row.next_number += 1
        window = self.row.windows[draft.window]
        before = store.text_of(self.connection, self.row.id, window.last_number)
        entry = Entry(
            pk=0, number=number, home=draft.window, shown_in=draft.window, priority=draft.priority,
            pinned=draft.pinned, kind=draft.content.kind, touched=self.row.clock, view=draft.content.text,
        )  # fmt: skip
        entry.tokens = entry.verbatim_tokens = measure(entry, self._tokenizer)
        expires_at = None if draft.ttl_s is None else self.now + draft.ttl_s
        values = {
            "workspace_id": self.row.id, "number": number, "part": 0, "home": draft.window,
            "shown_in": draft.window, "priority": draft.priority, "pinned": draft.pinned,
            "important": entry.is_important, "kind": draft.content.kind, "key": draft.key, "tags": list(draft.tags),
            "state": State.LIVE, "level": VERBATIM, "text": draft.content.text, "view": None,
            "tokens": entry.tokens, "verbatim_tokens": entry.verbatim_tokens, "sha256": draft.content.sha256,
            "follows": window.last_number, "superseded_by": 0, "touched": self.row.clock, "created_at": self.now,
            "expires_at": expires_at,
        }  # fmt: skip
        entry.pk = store.insert_entry(self.connection, values)
        self._expiry_changed |= expires_at is not None
        full_text.add(self.connection, self.row.id, number, draft.content.text, before)
        if self._needs_parts(entry):
            self._split(entry)
        else:
            self._count_in(entry)
        window.last_number = number
        self._ids[str(number)] = None
        self._note_event(draft.window, "written", number, priority=draft.priority)
        return number

    def _show(self, row: Row[Any], *, priority: int, pinned: bool) -> None:
        """Show an entry verbatim at its home with this priority, whatever its state was."""
        self._take_out(row)
        entry = Entry(
            pk=row.pk, number=row.number, home=row.home, shown_in=row.home, priority=priority, pinned=pinned,
            kind=row.kind, touched=self.row.clock, view=row.text,
        )  # fmt: skip
        entry.tokens = entry.verbatim_tokens = measure(entry, self._tokenizer)
        store.update_entry(
            self.connection, row.pk, priority=priority, pinned=pinned, important=entry.is_important, state=State.LIVE,
            level=VERBATIM, view=None, shown_in=row.home, tokens=entry.tokens,
            verbatim_tokens=entry.verbatim_tokens, touched=self.row.clock,
        )  # fmt: skip
        if row.state not in SEARCHABLE:
            before = store.text_of(self.connection, self.row.id, row.follows)
            full_text.add(self.connection, self.row.id, row.number, row.text, before)
        if self._needs_parts(entry):
            self._split(entry)
        else:
            store.drop_parts(self.connection, self.row.id, row.number)
            self._count_in(entry)

    def _hide(self, row: Row[Any], state: State) -> None:
        self._take_out(row)
        store.set_state(self.connection, self.row.id, row.number, state)
        if row.state in SEARCHABLE and state not in SEARCHABLE:
            full_text.remove(self.connection, self.row.id, row.number)

    def _take_out(self, row: Row[Any]) -> None:
        """Take what is shown of an entry out of the windows' sums."""
        rows = [row] if row.state == State.LIVE else []
        if row.state == State.SPLIT:
            rows = [part for part in store.parts_of(self.connection, self.row.id, row.number) if part.state == "live"]
        for shown in rows:
            window = self.row.windows[shown.shown_in]
            window.tokens -= shown.tokens
            window.important_tokens -= shown.tokens if shown.important else 0
            if shown.shown_in != row.home:
                self._note_event(shown.shown_in, "left", row.number, shown.part)

    def _count_in(self, entry: Entry) -> None:
        window = self.row.windows[entry.shown_in]
        window.tokens += entry.tokens
        window.important_tokens += entry.tokens if entry.is_important else 0
        self._fresh.add(entry.pk)

    def _needs_parts(self, entry: Entry) -> bool:
        return entry.is_important and entry.tokens > contents.part_limit(self._cap)

    def _split(self, whole: Entry) -> None:
        """Store a long important entry as parts small enough to be placed wherever there is room."""
        store.update_entry(self.connection, whole.pk, state=State.SPLIT, tokens=0)
        store.drop_parts(self.connection, self.row.id, whole.number)
        limit = contents.part_limit(self._cap) - PREFIX_TOKENS
        base = store.entry(self.connection, self.row.id, whole.number)
        if base is None:
            raise LookupError(f"entry {whole.number} is gone inside its own transaction")
        slices = contents.parts(whole.view, limit, lambda text: self._tokenizer.count(body(text)))
        for part, text in enumerate(slices, start=1):
            entry = replace(whole, part=part, view=text)
            entry.tokens = entry.verbatim_tokens = measure(entry, self._tokenizer)
            values = {
                **store.as_mapping(base),
                "part": part,
                "text": text,
                "state": State.LIVE,
                "view": None,
                "key": "",
            }
            del values["pk"]
            values.update(tokens=entry.tokens, verbatim_tokens=entry.tokens, expires_at=None)
            entry.pk = store.insert_entry(self.connection, values)
            self._count_in(entry)

    def _note_event(self, at: int, action: str, entry_number: int, entry_part: int = 0, **detail: Any) -> None:
        self._events.append({
            "workspace_id": self.row.id, "window": at, "version": 0, "action": action, "number": entry_number,
            "part": entry_part, "detail": detail, "at": self.now,
        })  # fmt: skip
