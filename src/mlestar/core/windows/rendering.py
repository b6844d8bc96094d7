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
"""Reserved in each window that shows anything: its header, and the lines before entries of other windows."""


def prefix(entry: Entry) -> str:
    """What stands before an entry's text. `~` marks a shortened view: the whole text is there by id."""
    return f"- [#{entry.id} p{entry.priority}{'~' if entry.level else ''}]"


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
    """A whole window: important entries, those spilled here from other windows, the rest; each by id, newest last.

    What other windows spilled stands below a line such as `(from W1)`: one for each of them, not one for each entry,
    so an entry takes the same room wherever it is shown.
    """
    shown = sorted(entries, key=lambda entry: (entry.number, entry.part))
    if not shown:
        return ""
    own = [entry for entry in shown if entry.home == window]
    lines = [header(window), *(render(entry) for entry in own if entry.rank >= IMPORTANT)]
    others = sorted({entry.home for entry in shown} - {window})
    for home in others:
        lines += [f"(from W{home})\n", *(render(entry) for entry in shown if entry.home == home)]
    rest = [render(entry) for entry in own if entry.rank < IMPORTANT]
    if others and rest:
        lines.append(f"(W{window})\n")
    return "".join([*lines, *rest])
