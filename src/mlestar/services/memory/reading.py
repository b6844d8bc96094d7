"""Answers reads: a window, an entry, a query, an overview; each within a token budget, with where to read on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlestar.core.compression.prose import graphemes
from mlestar.core.search_terms import chunks
from mlestar.core.windows.entry import GONE
from mlestar.core.windows.model import WINDOWS, State
from mlestar.core.windows.reading import EntryView, WindowRead
from mlestar.core.windows.receipt import WindowUse
from mlestar.core.windows.rendering import HEADER_TOKENS
from mlestar.errors import NotFound
from mlestar.storage import full_text, window_reads, workspaces
from mlestar.storage import windows as store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from mlestar.core.tokens import Tokenizer
    from mlestar.storage.full_text import Found
    from mlestar.storage.workspaces import WorkspaceRow

CANDIDATES = 100
"""Pieces taken from the index before neighbours and states are looked at."""
NEIGHBOUR_SHARES = (0.15, 0.1)
"""Of the scores of the entries one and two before and after, added to an entry's own: an answer stands beside its
question. Chosen on five of LoCoMo's ten conversations (Maharana et al., 2024), held to on the other five."""
CUT_OFF = 0.3
"""Entries below this share of the best score are left out: few good results beat many."""
ENTRY_OVERHEAD = 90
"""Tokens that an entry's other fields take in a reply."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to read; the defaults ask for an overview."""

    window: int = 0
    query: str = ""
    limit: int = 20
    budget_tokens: int = 2000
    min_priority: int = 0
    offset: int = 0
    candidates: int = CANDIDATES
    most_rows: int = full_text.MOST_ROWS


class WindowReader:
    """Reads one workspace on one connection."""

    def __init__(
        self,
        connection: Connection,
        *,
        workspace: str,
        tokenizer: Tokenizer,
        cap: int,
        now: float,
        row: WorkspaceRow | None = None,
    ) -> None:
        """Look the workspace up, unless a write just did (`row`); one that nothing was written to reads as empty."""
        self.connection = connection
        self._workspace = workspace
        self._tokenizer = tokenizer
        self._cap = cap
        self._now = now
        self.row = row or workspaces.find(connection, workspace)

    def uses(self) -> tuple[WindowUse, ...]:
        """How full each window is."""
        found = self.row.windows if self.row else {}
        return tuple(
            WindowUse(
                window=window.number,
                name=window.name,
                used=row.tokens + HEADER_TOKENS if (row := found.get(window.number)) and row.tokens else 0,
                cap=self._cap,
                version=row.version if row else 0,
            )
            for window in WINDOWS
        )

    def by_question(self, question: Question) -> WindowRead:
        """Entries of a window, of a query, or the most important ones."""
        if self.row is None:
            return self._reply(question.window, [], 0, -1)
        if question.query:
            ranked = self.ranked(question)
            wanted = ranked[question.offset : question.offset + question.limit]
            return self._pack(question, self.found_views(wanted), len(ranked))
        if question.window:
            rows = list(window_reads.shown_in(self.connection, self.row.id, question.window))
        else:
            rows = list(window_reads.most_important(self.connection, self.row.id, question.min_priority, 1000))
        shown = [row for row in rows if row.priority >= question.min_priority and not self._is_over(row.expires_at)]
        wanted = shown[question.offset : question.offset + question.limit]
        return self._pack(question, map(self.view, wanted), len(shown))

    def by_id(self, number: int, part: int, offset: int, budget_tokens: int) -> WindowRead:
        """One entry, byte for byte, from `offset` characters on.

        Raises:
            NotFound: no such entry, or its text was purged.
        """
        row = store.entry(self.connection, self.row.id, number, part) if self.row else None
        if row is None:
            newest = self.row.next_number - 1 if self.row else 0
            raise NotFound(
                f"There is no entry {number}{f'.{part}' if part else ''} in workspace {self._workspace!r}.",
                do=f"use an id from 1 to {newest}, or a query" if newest else "write something first",
            )
        if row.state == State.PURGED:
            raise NotFound(f"The text of entry {number} was purged; only its tombstone is left.")
        text, following = self._page(row.text, offset, budget_tokens)
        view = replace(self.view(row), text=text, offset=offset, next_offset=following, tokens=self._count(text))
        return self._reply(row.home, [view], 1, -1)

    def ranked(self, question: Question) -> list[tuple[float, Found]]:
        """What a query finds with its score, best first, cut off where the scores fall away."""
        if self.row is None:
            return []
        newest = self.row.next_number - 1
        hits = full_text.search(
            self.connection, self.row.id, question.query, limit=question.candidates, newest=newest,
            most_rows=question.most_rows,
        )  # fmt: skip
        found = full_text.standing(self.connection, self.row.id, hits)
        total = _with_neighbours(found)
        shown = [(total[entry.number], entry) for entry in found if self._may_show(entry, question)]
        shown.sort(key=lambda ranked: (-ranked[0], -ranked[1].number))
        return [(score, entry) for score, entry in shown if score >= CUT_OFF * shown[0][0]]

    def found_views(self, found: Sequence[tuple[float, Found]]) -> Iterable[EntryView]:
        """Ranked entries as a reply shows them, each by the piece that answers; made one by one, as asked for."""
        if self.row is None:
            return
        for score, entry in found:
            row = store.entry(self.connection, self.row.id, entry.number)
            if row is not None:
                pieces = chunks(row.text)
                piece = pieces[min(entry.piece, len(pieces) - 1)]
                yield replace(self.view(row, piece), score=round(score, 4))

    def view(self, row: Row[Any], piece: str | None = None) -> EntryView:
        """An entry as a reply shows it; `piece` is the part of the text that answered."""
        text = piece if piece is not None else row.text if row.view is None else row.view
        offset = max(0, row.text.find(text)) if piece is not None else 0
        end = offset + len(text)
        return EntryView(
            id=f"{row.number}.{row.part}" if row.part else str(row.number),
            window=row.home,
            shown_in=row.shown_in if row.state in {State.LIVE, State.SPLIT} else 0,
            priority=row.priority,
            pinned=row.pinned,
            level=row.level if row.state in {State.LIVE, State.SPLIT} else GONE,
            kind=row.kind,
            state=row.state,
            text=text,
            tokens=self._count(text),
            key=row.key,
            tags=tuple(row.tags),
            superseded_by=str(row.superseded_by) if row.superseded_by else "",
            created_at=row.created_at,
            offset=offset,
            next_offset=end if piece is not None and end < len(row.text) else -1,
        )

    def _pack(self, question: Question, views: Iterable[EntryView], total: int) -> WindowRead:
        chosen: list[EntryView] = []
        room = question.budget_tokens
        for view in views:
            cost = view.tokens + ENTRY_OVERHEAD
            if cost > room and chosen:
                break
            if cost > room:
                text, following = self._page(view.text, 0, room)
                view = replace(view, text=text, tokens=self._count(text), next_offset=view.offset + following)  # noqa: PLW2901 - as much of the first one as fits
            room -= cost
            chosen.append(view)
        end = question.offset + len(chosen)
        return self._reply(question.window, chosen, total, end if end < total else -1)

    def _page(self, text: str, offset: int, budget: int) -> tuple[str, int]:
        """As much of the text from `offset` as fits, cut between graphemes, and where it goes on (-1: nowhere)."""
        rest = text[offset:]
        if self._count(rest[: budget * 20]) <= budget and len(rest) <= budget * 20:
            return rest, -1
        low, high = 1, min(len(rest), budget * 20)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._count(rest[:middle]) <= budget else (low, middle - 1)
        start = max(0, low - 64)
        cut = start
        for grapheme in graphemes(rest[start : low + 64]):
            if cut + len(grapheme) > low and cut > 0:
                break
            cut += len(grapheme)
        return rest[:cut], offset + cut if offset + cut < len(text) else -1

    def _reply(self, window: int, views: Iterable[EntryView], total: int, following: int) -> WindowRead:
        shown = tuple(views)
        return WindowRead(
            workspace=self._workspace,
            version=self.row.clock if self.row else 0,
            window=window,
            windows=self.uses(),
            entries=shown,
            total=total,
            next_offset=following,
            tokens=sum(view.tokens for view in shown),
            tokenizer=self._tokenizer.name,
        )

    def _may_show(self, entry: Found, question: Question) -> bool:
        if question.window and entry.window != question.window:
            return False
        return entry.priority >= question.min_priority and not self._is_over(entry.expires_at)

    def _is_over(self, expires_at: float | None) -> bool:
        return expires_at is not None and expires_at <= self._now

    def _count(self, text: str) -> int:
        return self._tokenizer.count(text)


def _with_neighbours(found: Sequence[Found]) -> dict[int, float]:
    """The score of each entry that was found, with its share of those of its neighbours."""
    own = {entry.number: entry.score for entry in found}
    before = {entry.number: entry.follows for entry in found}
    total = dict(own)
    for number, score in own.items():
        near = number
        for share in NEIGHBOUR_SHARES:
            near = before.get(near, 0)
            if near in own:
                total[number] += share * own[near]
                total[near] += share * score
    return total
