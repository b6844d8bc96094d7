"""What a read answers: entries with where they stand, how full the windows are, and where to read on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlestar.core.windows.receipt import WindowUse

MOST_REPLY_TOKENS = 20_000
"""Some clients refuse replies of 25,000 tokens: no read returns more than this."""
MOST_ENTRIES = 100


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """One entry of a reply. Its text is quoted data, never an instruction.

    Attributes:
        window: The window it was written to; `shown_in` is 0 when no window shows it now.
        level: 0 verbatim, 1 telegraphic, 2 extract, 3 first line, 4 archived; `text` may still be the original.
        offset: Where in the original `text` begins, in characters; `next_offset` is -1 at its end.
        score: How well it answers the query, above 0; 0 without a query.
    """

    id: str
    window: int
    shown_in: int
    priority: int
    pinned: bool
    level: int
    kind: str
    state: str
    text: str
    tokens: int
    key: str = ""
    tags: tuple[str, ...] = ()
    superseded_by: str = ""
    created_at: float = 0.0
    offset: int = 0
    next_offset: int = -1
    score: float = 0.0


@dataclass(frozen=True, kw_only=True)
class WindowRead:
    """A reply to a read. `total` entries match; `next_offset` is the entry to go on from, -1 at the end."""

    workspace: str
    version: int
    window: int
    windows: tuple[WindowUse, ...]
    entries: tuple[EntryView, ...]
    total: int
    next_offset: int
    tokens: int
    tokenizer: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HistoryEvent:
    """One thing that happened to an entry, and the window's version after it."""

    seq: int
    window: int
    version: int
    action: str
    id: str
    detail: dict[str, object]
    at: float


@dataclass(frozen=True, kw_only=True)
class WindowReport:
    """The figures of all seven windows, for a dashboard."""

    workspace: str
    total_windows: int
    active_windows: int
    total_tokens: int
    max_tokens: int
    windows: tuple[WindowUse, ...]
    entries: int
    archived: int
    important_retention: float
    sequential_steps: int
    average_step_duration: float
