"""One write to a workspace: changes entries, balances the windows, keeps the history, and answers with a receipt.

Every writer (updates, thinking, the judge's findings) goes through it, inside one database transaction: either all of
it is there afterwards, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlestar.core.windows import content as contents
from mlestar.core.windows.balancing import balance
from mlestar.core.windows.board import Board
from mlestar.core.windows.entry import GONE, STUB, VERBATIM, Entry
from mlestar.core.windows.model import IMPORTANT, WINDOWS, State
from mlestar.core.windows.receipt import CompressedEntry, Receipt, SpilledEntry, WindowUse
from mlestar.core.windows.rendering import HEADER_TOKENS
from mlestar.services.memory.entry_writer import SEARCHABLE, Draft, EntryWriter
from mlestar.storage import full_text, workspaces
from mlestar.storage import windows as store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from mlestar.core.tokens import Tokenizer

WARN_SHARE = 0.9


class WindowTransaction(EntryWriter):
    """Changes to one workspace; nothing counts until `finish`."""

    def __init__(self, connection: Connection, *, workspace: str, tokenizer: Tokenizer, cap: int, now: float) -> None:
        """Open the workspace (made on its first write) and let go of what has expired."""
        super().__init__(connection, workspace=workspace, tokenizer=tokenizer, cap=cap, now=now)
        self._notes: dict[str, None] = {}
        self._superseded: list[str] = []
        self._expired: list[str] = []
        self._merged_into = ""
        if self.row.next_expiry is not None and self.row.next_expiry <= now:
            self._expire()

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
        workspaces.save(self.connection, self.row, changed)
        if self._merged_into and status == "stored":
            status = "merged"
        return self._receipt(board, "degraded" if board and board.degraded else status, changed)

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
