"""Foreign text in what a finding says: marked as a quotation, bounded, and with nothing in it that does not show."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_OF_A_NAME = 60
MOST_OF_A_TEXT = 2_000
FEW_WORDS = 3
"""A name of more words than these reads like a sentence, and could pass for the judge's own (ours)."""


def visible(text: str, *, lines: bool = True) -> str:
    """Control, bidirectional and other unprintable characters as escapes: what is shown is what is there.

    Line ends and tabs stay, unless `lines` is False. Such characters can show a text in another order than it has
    (Boucher and Anderson 2021, Trojan Source).
    """
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(letter if letter.isprintable() or letter in kept else ascii(letter)[1:-1] for letter in text)


def name_shown(name: str) -> str:
    """The name of a file or column on one line, in quotation marks when it reads like a sentence."""
    shown = visible(name, lines=False)
    return f"'{shown}'" if len(name.split()) > FEW_WORDS else shown


def reads_like_a_sentence(name: str) -> bool:
    """Whether the name of a column or file, shown bare, could be taken for words of the judge."""
    return len(name) > MOST_OF_A_NAME or len(name.split()) > FEW_WORDS


def bounded(text: str, most: int = MOST_OF_A_NAME) -> str:
    """At most so many characters, an ellipsis at the end when there were more."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def with_quotations(text: str, names: Iterable[str]) -> str:
    """What a finding says, with every one of these names in quotation marks, visible, and of bounded length."""
    for name in sorted(names, key=lambda name: (-len(name), name)):
        if name in text:
            text = re.sub(rf"(?<!['\"]){re.escape(name)}", lambda _, name=name: repr(bounded(name)), text)
    return bounded(visible(text), MOST_OF_A_TEXT)
