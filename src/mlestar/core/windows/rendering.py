r"""How an entry and a window look as text, and what that costs in tokens.

An entry is `- [#id p4] text\n`. Because each starts with `- ` and ends with a newline, the tokens of a window are
exactly the sum of the tokens of its parts, so the use of a window is kept as a sum and never recounted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.core.windows.model import IMPORTANT, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlestar.core.tokens import Tokenizer
    from mlestar.core.windows.entry import Entry

HEADER_TOKENS = 64
"""Reserved in each window that shows anything, whatever its header really takes."""


def label(number: int, part: int) -> str:
    """The id a caller sees and gives back: `12`, or `12.1` for the first part of a long entry."""
    return f"{number}.{part}" if part else str(number)


def prefix(entry: Entry) -> str:
    """What stands before an entry's text. `~` marks a shortened view: the whole text is there by id."""
    moved = f" from W{entry.home}" if entry.shown_in != entry.home else ""
    return f"- [#{entry.id} p{entry.priority}{'~' if entry.level else ''}{moved}]"


def body(view: str) -> str:
    """The text, indented where it goes on: no entry can pose as another one."""
    return f" {view.strip()}\n".replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\n  ").removesuffix("  ")


def render(entry: Entry) -> str:
    """One entry as it stands in its window."""
    return prefix(entry) + body(entry.view)


def measure(entry: Entry, tokenizer: Tokenizer) -> int:
    """Tokens that the rendered entry takes. The cut between prefix and text is a token boundary."""
    return tokenizer.count(prefix(entry)) + tokenizer.count(body(entry.view))


def header(window: int) -> str:
    """The first line of a window: it never changes, so a cached prefix stays valid."""
    return f"# Window {window}: {WINDOWS[window - 1].name}\n"


def text_of(window: int, entries: Iterable[Entry]) -> str:
    """A whole window: important entries first, then the rest, each by id, so the newest stands last."""
    ordered = sorted(entries, key=lambda entry: (entry.rank < IMPORTANT, entry.number, entry.part))
    return header(window) + "".join(map(render, ordered)) if ordered else ""
