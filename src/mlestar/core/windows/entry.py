"""One live entry, as rendering and balancing see it."""

from __future__ import annotations

from dataclasses import dataclass

from mlestar.core.windows.model import CRITICAL, IMPORTANT

VERBATIM, TELEGRAPHIC, EXTRACT, STUB, GONE = range(5)
"""Levels of a view: the whole text, function words dropped, the telling sentences, a first line, archived only."""


@dataclass(kw_only=True)
class Entry:
    """A live entry. Balancing changes `shown_in`, `level`, `view` and `tokens`; the text itself is never changed.

    Attributes:
        pk: Its row.
        number: Its id in the workspace; with `part` > 0 a piece of that entry.
        home: The window it was written to.
        shown_in: The window that shows it now.
        touched: Logical time of the last write that named it.
        view: What is shown; at level 0 the text.
        tokens: What the rendered view takes.
        verbatim_tokens: What it takes at level 0.
    """

    pk: int
    number: int
    part: int = 0
    home: int
    shown_in: int
    priority: int
    pinned: bool = False
    kind: str = "note"
    level: int = VERBATIM
    touched: int
    view: str
    tokens: int = 0
    verbatim_tokens: int = 0

    @property
    def id(self) -> str:
        """What a caller calls it."""
        return f"{self.number}.{self.part}" if self.part else str(self.number)

    @property
    def rank(self) -> int:
        """Its priority for balancing: a pinned entry counts as critical."""
        return CRITICAL if self.pinned else self.priority

    @property
    def is_important(self) -> bool:
        """Whether the retention guarantee covers it."""
        return self.rank >= IMPORTANT

    @property
    def age(self) -> tuple[int, int, int]:
        """Sorts oldest first, without ties."""
        return (self.touched, self.number, self.part)
