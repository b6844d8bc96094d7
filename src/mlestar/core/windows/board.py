"""The windows of one workspace while they are brought back within their caps: entries, sums, and what was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlestar.core.compression.density import density, rarity
from mlestar.core.compression.views import view_of
from mlestar.core.windows.entry import GONE, STUB, Entry
from mlestar.core.windows.model import WINDOWS
from mlestar.core.windows.rendering import HEADER_TOKENS, measure

if TYPE_CHECKING:
    from mlestar.core.tokens import Tokenizer

NUMBERS = tuple(window.number for window in WINDOWS)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What balancing did to one entry: its level and window before; the entry itself shows them after."""

    entry: Entry
    from_level: int
    from_window: int


class Board:
    """Live entries by window, fetched when a window is first looked at, with running sums."""

    def __init__(
        self,
        *,
        cap: int,
        tokenizer: Tokenizer,
        fetch: Callable[[int], Iterable[Entry]],
        fresh: Iterable[int] = (),
    ) -> None:
        """`fetch` reads one window's live entries; `fresh` are the rows just written, which give way last."""
        self.cap = cap
        self.room = cap - HEADER_TOKENS
        self.tokenizer = tokenizer
        self.fresh = frozenset(fresh)
        self._fetch = fetch
        self._shown: dict[int, dict[int, Entry]] = {}
        self._used: dict[int, int] = {}
        self._important: dict[int, int] = {}
        self._before: dict[int, tuple[Entry, int, int]] = {}
        self.degraded = False

    def entries(self, window: int) -> list[Entry]:
        """What is shown in a window, in no order to rely on."""
        return list(self._window(window).values())

    def everything(self) -> list[Entry]:
        """All live entries of the workspace."""
        return [entry for number in NUMBERS for entry in self.entries(number)]

    def used(self, window: int) -> int:
        """Tokens of its entries; the header's reserve comes on top."""
        self._window(window)
        return self._used[window]

    def important(self, window: int) -> int:
        """Tokens of its important entries."""
        self._window(window)
        return self._important[window]

    def overflow(self, window: int) -> int:
        """Tokens it is over its room; 0 when it fits."""
        return max(0, self.used(window) - self.room)

    def touched_windows(self) -> dict[int, tuple[int, int]]:
        """Window -> (tokens, important tokens), of each one that was looked at."""
        return {number: (self._used[number], self._important[number]) for number in self._shown}

    def changes(self) -> list[Change]:
        """Every entry that stands otherwise than before, in the order they were first touched."""
        return [
            Change(entry=entry, from_level=level, from_window=window)
            for entry, level, window in self._before.values()
            if (entry.level, entry.shown_in) != (level, window)
        ]

    def by_density(self, entries: Iterable[Entry]) -> list[Entry]:
        """Least telling first, what was just written last."""
        among = list(entries)
        rare = rarity(entry.view for entry in among)
        worth = {entry.pk: density(entry.view, entry.tokens, rare) for entry in among}
        return sorted(among, key=lambda entry: (entry.pk in self.fresh, worth[entry.pk], entry.age))

    def by_age(self, entries: Iterable[Entry]) -> list[Entry]:
        """Oldest first, what was just written last."""
        return sorted(entries, key=lambda entry: (entry.pk in self.fresh, entry.age))

    def reduce(self, entry: Entry, level: int, *, worth: float = 0.0) -> int:
        """Show an entry at a higher level; returns the tokens saved.

        Nothing is done when that saves nothing, or less than the share `worth` of its tokens.
        """
        view = view_of(entry.view, entry.kind, level, entry.verbatim_tokens, self.tokenizer.count)
        shorter = replace(entry, view=view, level=level)
        saved = entry.tokens - measure(shorter, self.tokenizer)
        if saved <= 0 or saved < worth * entry.tokens:
            return 0
        self._note(entry)
        entry.view, entry.level = view, level
        self._resize(entry, entry.tokens - saved)
        return saved

    def archive(self, entry: Entry, *, stub: bool) -> int:
        """Take an entry out of its window, leaving a first line where a stub is wanted and saves room."""
        if stub and entry.level < STUB:
            saved = self.reduce(entry, STUB)
            if saved:
                return saved
        self._note(entry)
        entry.level = GONE
        self._leave(entry)
        return entry.tokens

    def move(self, entry: Entry, window: int) -> None:
        """Show an entry in another window; its home stays."""
        if entry.shown_in == window:
            return
        self._note(entry)
        self._leave(entry)
        entry.shown_in = window
        self._window(window)[entry.pk] = entry
        self._add(entry, entry.tokens)

    def stub_tokens(self, window: int) -> int:
        """Tokens of its stubs."""
        return sum(entry.tokens for entry in self.entries(window) if entry.level == STUB)

    def _window(self, window: int) -> dict[int, Entry]:
        if window not in self._shown:
            self._shown[window] = {}
            self._used[window] = self._important[window] = 0
            for entry in self._fetch(window):
                self._shown[window][entry.pk] = entry
                self._add(entry, entry.tokens)
        return self._shown[window]

    def _note(self, entry: Entry) -> None:
        self._before.setdefault(entry.pk, (entry, entry.level, entry.shown_in))

    def _leave(self, entry: Entry) -> None:
        del self._window(entry.shown_in)[entry.pk]
        self._add(entry, -entry.tokens)

    def _resize(self, entry: Entry, tokens: int) -> None:
        self._add(entry, tokens - entry.tokens)
        entry.tokens = tokens

    def _add(self, entry: Entry, tokens: int) -> None:
        self._used[entry.shown_in] += tokens
        if entry.is_important:
            self._important[entry.shown_in] += tokens
