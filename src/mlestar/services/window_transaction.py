"""One write to a workspace: changes entries, balances the windows, keeps the history, and answers with a receipt.

Every writer (updates, thinking, the judge's findings) goes through it, inside one database transaction: either all of
it is there afterwards, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlestar.core.windows import content as contents
from mlestar.core.windows.balancing import balance
from mlestar.core.windows.board import Board
from mlestar.core.windows.entry import GONE, STUB, VERBATIM, Entry
from mlestar.core.windows.model import IMPORTANT, WINDOWS, State
from mlestar.core.windows.receipt import CompressedEntry, Receipt, SpilledEntry, WindowUse
from mlestar.core.windows.rendering import HEADER_TOKENS, body, measure
from mlestar.storage import full_text
from mlestar.storage import windows as store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from mlestar.core.tokens import Tokenizer
    from mlestar.core.windows.content import Content

PREFIX_TOKENS = 16
"""Room kept in a part for what stands before its text (`- [#123456.12 p4~]`)."""
WARN_SHARE = 0.9
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


class WindowTransaction:
    """Changes to one workspace; nothing counts until `finish`."""

    def __init__(self, connection: Connection, *, workspace: str, tokenizer: Tokenizer, cap: int, now: float) -> None:
        """Open the workspace (made on its first write) and let go of what has expired."""
        self.connection = connection
        self.now = now
        self._tokenizer = tokenizer
        self._cap = cap
        found = store.find_workspace(connection, workspace)
        self.row = found or store.create_workspace(connection, workspace, now)
        self.row.clock += 1
        self._events: list[dict[str, Any]] = []
        self._fresh: set[int] = set()
        self._ids: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self._superseded: list[str] = []
        self._expired: list[str] = []
        self._merged_into = ""
        self._expiry_changed = False
        if self.row.next_expiry is not None and self.row.next_expiry <= now:
            self._expire()

    @property
    def workspace_id(self) -> int:
        """The workspace's row."""
        return self.row.id

    def append(self, draft: Draft) -> int:
        """Write an entry, or merge it into the one that already says exactly this; returns its number."""
        for note in draft.content.notes:
            self._notes[note] = None
        copied = self._copied_from(draft.content.text)
        same = copied or store.same_text(self.connection, self.row.id, draft.window, draft.content.sha256)
        older = store.keyed(self.connection, self.row.id, draft.window, draft.key) if draft.key else None
        if same is not None and (older is None or older.number == same.number):
            self._merge(same, draft)
            return same.number
        number = self._insert(draft)
        if older is not None:
            self.supersede(older, number)
        return number

    def supersede(self, row: Row[Any], by: int, *, state: State = State.SUPERSEDED) -> None:
        """Let entry `by` stand in for another one. ARCHIVED keeps the old one searchable (it was compacted)."""
        self._hide(row, state)
        values: dict[str, Any] = {"superseded_by": by, "important": False}
        store.update_entry(self.connection, row.pk, **values)
        for part in store.parts_of(self.connection, self.row.id, row.number) if row.state == State.SPLIT else ():
            store.update_entry(self.connection, part.pk, **values)
        self._superseded.append(str(row.number))
        self._note_event(row.home, "superseded", row.number, by=by)

    def retire(self, row: Row[Any]) -> None:
        """Archive an entry on purpose: out of the windows, still found by id and by query."""
        self._hide(row, State.ARCHIVED)
        store.update_entry(self.connection, row.pk, important=False, key="")
        self._superseded.append(str(row.number))
        self._note_event(row.home, "retired", row.number)

    def remove(self, row: Row[Any]) -> None:
        """Take an entry out of the windows and of every search; by id it stays readable."""
        self._hide(row, State.REMOVED)
        self._ids[str(row.number)] = None
        self._note_event(row.home, "removed", row.number)

    def set_pinned(self, row: Row[Any], *, pinned: bool) -> None:
        """Pin an entry (never altered by balancing), or let it go again."""
        self._ids[str(row.number)] = None
        if row.pinned != pinned or row.state not in {State.LIVE, State.SPLIT}:
            self._show(row, priority=row.priority, pinned=pinned)
            self._note_event(row.home, "pinned" if pinned else "unpinned", row.number)

    def set_priority(self, row: Row[Any], priority: int) -> None:
        """Give an entry another priority; one that is archived stays so."""
        if row.priority == priority:
            return
        if row.state in {State.LIVE, State.SPLIT}:
            self._show(row, priority=priority, pinned=row.pinned)
        else:
            store.update_entry(self.connection, row.pk, priority=priority, important=priority >= IMPORTANT)
        self._note_event(row.home, "priority", row.number, to=priority)

    def restore(self, row: Row[Any]) -> None:
        """Bring an archived, superseded, expired or removed entry back, verbatim, to its home."""
        self._ids[str(row.number)] = None
        store.update_entry(self.connection, row.pk, superseded_by=0, expires_at=None)
        self._show(row, priority=row.priority, pinned=row.pinned)
        self._note_event(row.home, "restored", row.number)

    def forget(self, row: Row[Any]) -> None:
        """Erase an entry's text for good; its number and hash stay as a tombstone."""
        self._hide(row, State.PURGED)
        for part in store.parts_of(self.connection, self.row.id, row.number):
            store.update_entry(self.connection, part.pk, text="", view=None, state=State.PURGED)
        store.update_entry(self.connection, row.pk, text="", view=None, key="", tags=[])
        following = store.follower(self.connection, self.row.id, row.number)
        full_text.erase(self.connection, self.row.id, row.number, following)
        self._ids[str(row.number)] = None
        self._note_event(row.home, "purged", row.number)

    def finish(self, status: str = "stored") -> Receipt:
        """Balance, write everything down, and say what happened."""
        board = self._balance()
        changed = {event["window"] for event in self._events}
        for number in changed:
            window = self.row.windows[number]
            window.version += 1
            window.modified_at = self.now
        for event in self._events:
            event["version"] = self.row.windows[event["window"]].version
        if self._expiry_changed:
            self.row.next_expiry = store.next_expiry(self.connection, self.row.id)
        store.add_events(self.connection, self._events)
        store.save_workspace(self.connection, self.row, changed)
        if self._merged_into and status == "stored":
            status = "merged"
        return self._receipt(board, "degraded" if board and board.degraded else status, changed)

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

    def _merge(self, row: Row[Any], draft: Draft) -> None:
        self._merged_into = str(row.number)
        self._ids[str(row.number)] = None
        priority = max(row.priority, draft.priority)
        pinned = row.pinned or draft.pinned
        shown = row.state in {State.LIVE, State.SPLIT} and row.level == VERBATIM
        if shown and (priority, pinned) == (row.priority, row.pinned):
            store.touch(self.connection, self.row.id, row.number, self.row.clock)
        else:
            self._show(row, priority=priority, pinned=pinned)
        if draft.ttl_s is not None:
            store.update_entry(self.connection, row.pk, expires_at=self.now + draft.ttl_s)
            self._expiry_changed = True
        self._note_event(row.home, "merged", row.number)

    def _copied_from(self, text: str) -> Row[Any] | None:
        """The entry this text was copied from, when it still carries that entry's tag."""
        found = contents.recalled(text)
        if found is None:
            return None
        number, part, words = found
        row = store.entry(self.connection, self.row.id, number, part)
        if row is None or row.state not in SEARCHABLE or words not in {row.text.strip(), (row.view or "").strip()}:
            return None
        return row if not part else store.entry(self.connection, self.row.id, number)

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

    def _expire(self) -> None:
        for row in store.expired(self.connection, self.row.id, self.now):
            self._hide(row, State.EXPIRED)
            self._expired.append(str(row.number))
            self._note_event(row.home, "expired", row.number)
        self._expiry_changed = True

    def _balance(self) -> Board | None:
        room = self._cap - HEADER_TOKENS
        over = [number for number, window in self.row.windows.items() if window.tokens > room]
        if not over:
            return None
        board = Board(
            cap=self._cap,
            tokenizer=self._tokenizer,
            fetch=lambda window: store.live_entries(self.connection, self.row.id, window),
            fresh=self._fresh,
        )
        balance(board, over)
        changes = board.changes()
        store.replace_views(self.connection, [_view_values(change.entry) for change in changes])
        for change in changes:
            entry = change.entry
            for window in {change.from_window, entry.shown_in}:
                action = "archived" if entry.level >= STUB else "moved" if entry.level == VERBATIM else "compressed"
                self._note_event(window, action, entry.number, entry.part, level=entry.level, window=entry.shown_in)
        for number, (tokens, important) in board.touched_windows().items():
            self.row.windows[number].tokens = tokens
            self.row.windows[number].important_tokens = important
        return board

    def _receipt(self, board: Board | None, status: str, changed: set[int]) -> Receipt:
        total, verbatim = store.important_tokens(self.connection, self.row.id)
        changes = board.changes() if board else []
        windows = tuple(self._use(number) for number in sorted(changed))
        for use in windows:
            if use.used >= WARN_SHARE * use.cap:
                self._notes[f"Window {use.window} ({use.name}) is {use.used / use.cap:.0%} full."] = None
        return Receipt(
            workspace=self.row.name,
            version=self.row.clock,
            status=status,
            ids=tuple(self._ids),
            windows=windows,
            merged_into=self._merged_into,
            superseded=tuple(self._superseded),
            compressed=tuple(
                CompressedEntry(id=c.entry.id, from_level=c.from_level, to_level=c.entry.level)
                for c in changes
                if c.from_level < c.entry.level < STUB
            ),
            archived=tuple(c.entry.id for c in changes if c.entry.level >= STUB),
            spilled=tuple(
                SpilledEntry(id=c.entry.id, to_window=c.entry.shown_in)
                for c in changes
                if c.from_window != c.entry.shown_in and c.entry.level < GONE
            ),
            expired=tuple(self._expired),
            important_retention=round(verbatim / total, 4) if total else 1.0,
            tokenizer=self._tokenizer.name,
            notes=tuple(self._notes),
        )

    def _use(self, number: int) -> WindowUse:
        window = self.row.windows[number]
        return WindowUse(
            window=number,
            name=WINDOWS[number - 1].name,
            used=window.tokens + HEADER_TOKENS if window.tokens else 0,
            cap=self._cap,
            version=window.version,
        )

    def _note_event(self, at: int, action: str, entry_number: int, entry_part: int = 0, **detail: Any) -> None:
        self._events.append({
            "workspace_id": self.row.id, "window": at, "version": 0, "action": action, "number": entry_number,
            "part": entry_part, "detail": detail, "at": self.now,
        })  # fmt: skip


def _view_values(entry: Entry) -> dict[str, Any]:
    gone = entry.level >= GONE
    return {
        "row": entry.pk,
        "level": entry.level,
        "view": None if gone or entry.level == VERBATIM else entry.view,
        "shown_in": entry.home if gone else entry.shown_in,
        "tokens": 0 if gone else entry.tokens,
        "state": State.ARCHIVED if gone else State.LIVE,
    }
