"""Finds what bears on a thought or step: the goal and constraints, entries that match it, open findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.compression.prose import shorten
from mlestar.core.thinking.model import ContextEntry
from mlestar.services.memory.reading import Question, WindowReader
from mlestar.storage import window_reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row

    from mlestar.core.tokens import Tokenizer
    from mlestar.core.windows.reading import EntryView

ENTRY_TOKENS = 120
"""Most tokens of one quoted entry; its id leads to the rest."""
OVERHEAD_TOKENS = 20
"""What the other fields of a quoted entry take in a reply."""
GOALS_SHARE = 0.4
"""Share of the budget that the goal and constraints may take; the rest is for what matches."""
MOST_QUOTED = 6
CANDIDATES = 30
MOST_ROWS = 2_000
"""Rows that a thought's search scores in a large workspace: a thought is to cost little more than its write."""
QUERY_CHARACTERS = 600


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What was found for one text."""

    context: tuple[ContextEntry, ...]
    findings: tuple[ContextEntry, ...]


class ContextFinder:
    """Looks things up for thoughts, in one read transaction."""

    def __init__(self, reader: WindowReader, tokenizer: Tokenizer, session: str, budget_tokens: int) -> None:
        """Entries of the session itself are left out: the caller has just written them."""
        self._reader = reader
        self._tokenizer = tokenizer
        self._own = f'"session:{session}"'
        self._budget = budget_tokens
        self._goals = self._standing_goals()

    def digest(self, text: str) -> Digest:
        """The most relevant entries for a text, within a budget; empty for a budget of 0."""
        budget_tokens = self._budget
        if budget_tokens <= 0 or self._reader.row is None:
            return Digest(context=(), findings=())
        goals, spent = self._quote(map(self._reader.view, self._goals), int(budget_tokens * GOALS_SHARE), ())
        question = Question(query=text[:QUERY_CHARACTERS], candidates=CANDIDATES, most_rows=MOST_ROWS)
        hits = [(score, found) for score, found in self._reader.ranked(question) if self._own not in found.tags]
        taken = {entry.id for entry in goals}
        found, _ = self._quote(self._reader.found_views(hits[:MOST_QUOTED]), budget_tokens - spent, taken)
        return Digest(
            context=(*goals, *(entry for entry in found if entry.kind != "finding")),
            findings=tuple(entry for entry in found if entry.kind == "finding"),
        )

    def _standing_goals(self) -> Sequence[Row[Any]]:
        if self._reader.row is None:
            return []
        most = int(self._budget * GOALS_SHARE) // OVERHEAD_TOKENS  # each quoted one takes more than that
        return window_reads.standing_goals(self._reader.connection, self._reader.row.id, most)

    def _quote(self, views: Iterable[EntryView], budget: int, taken: Iterable[str]) -> tuple[list[ContextEntry], int]:
        seen = set(taken)
        quoted: list[ContextEntry] = []
        spent = 0
        for view in views:
            if view.id in seen:
                continue
            room = min(ENTRY_TOKENS, budget - spent - OVERHEAD_TOKENS)
            if room < OVERHEAD_TOKENS:
                break
            text = shorten(" ".join(view.text.split()), room, self._tokenizer.count)
            quoted.append(
                ContextEntry(id=view.id, window=view.window, priority=view.priority, kind=view.kind, text=text)
            )
            spent += self._tokenizer.count(text) + OVERHEAD_TOKENS
        return quoted, spent


def brief(description: str, digest: Digest, tool: str) -> str:
    """One step's brief as a text: what is known, with ids, and the tool to call."""
    lines = [f"To do: {description}"]
    lines += _section("Known", digest.context)
    lines += _section("Open findings", digest.findings)
    if len(lines) == 1:
        lines.append("Nothing in the windows bears on this yet.")
    lines.append(f"Next: {tool}")
    return "\n".join(lines)


def _section(title: str, found: Sequence[ContextEntry]) -> list[str]:
    return (
        [f"{title}:", *(f"- [#{entry.id} W{entry.window} p{entry.priority}] {entry.text}" for entry in found)]
        if found
        else []
    )
