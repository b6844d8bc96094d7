"""Shortens running text: function words out, then the sentences that tell most, never inside a grapheme."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import regex

from mlestar.core.compression.words import DROPPED, WORD, content_words, is_english, is_telling

Count = Callable[[str], int]

_SENTENCE = re.compile(
    r"[^.!?\u3002\uff01\uff1f\n]*(?:[.!?](?!\s|$|[\"')\]])[^.!?\u3002\uff01\uff1f\n]*)*(?:[.!?\u3002\uff01\uff1f]+[\"')\]]*|\n|$)\s*"
)
_CLAUSE = re.compile(
    r"[^,;:\u3001\uff0c\uff1b]*(?:[,;:](?=\S)[^,;:\u3001\uff0c\uff1b]*)*(?:[,;:\u3001\uff0c\uff1b]|$)\s*"
)
_GAPS = re.compile(r"[ \t]+([,.;:!?])|[ \t]{2,}|(?<=[,;:])[ \t]*(?=[,;:.])")


def telegraphic(text: str) -> str:
    """English without its function words and fillers; text in another language comes back unchanged."""
    if not is_english(text):
        return text

    def keep(match: re.Match[str]) -> str:
        word = match[0]
        if word.lower().replace("\u2019", "'") not in DROPPED:
            return word
        starts_sentence = (
            not text[: match.start()].rstrip(" \t\"'(*-") or text[: match.start()].rstrip()[-1:] in ".!?\n"
        )
        is_name = word[0].isupper() and not starts_sentence and word != "I"
        return word if is_name or (is_telling(word) and len(word) > 1) else ""

    lines = (_GAPS.sub(lambda gap: gap[1] or " ", WORD.sub(keep, line)).strip() for line in [text])
    return "\n".join(line.strip() for line in "\n".join(lines).split("\n") if line.strip())


def sentences(text: str) -> list[str]:
    """The text in sentences; joined they are the text again."""
    return [match[0] for match in _SENTENCE.finditer(text) if match[0]]


def clauses(text: str) -> list[str]:
    """The text at its commas and semicolons; joined it is the text again."""
    return [match[0] for match in _CLAUSE.finditer(text) if match[0]]


def graphemes(text: str) -> list[str]:
    """What a reader takes for one character each, however many code points it is."""
    return regex.findall(r"\X", text)


def extract(text: str, budget: int, count: Count) -> str:
    """The most telling sentences (or clauses, or words, when there are few) that fit in `budget` tokens, in order."""
    units = sentences(text)
    if len(units) < 3:  # noqa: PLR2004 - two sentences leave no choice
        units = clauses(text)
    chosen = _choose(units, budget, count)
    if chosen:
        return chosen
    words = re.findall(r"\S+\s*", text)
    chosen = _choose(words, budget, count)
    return chosen or shorten(text, budget, count)


def shorten(text: str, budget: int, count: Count) -> str:
    """The longest beginning that fits in `budget` tokens with its ellipsis, cut between graphemes."""
    if count(text) <= budget:
        return text
    whole = graphemes(text[: max(budget, 1) * 16])
    low, high = 0, len(whole)
    while low < high:
        middle = (low + high + 1) // 2
        if count("".join(whole[:middle]).rstrip() + "\u2026") <= budget:
            low = middle
        else:
            high = middle - 1
    start = "".join(whole[:low]).rstrip()
    cut = start.rfind(" ")
    return (start[:cut] if cut > len(start) // 2 else start) + "\u2026"


def _choose(units: list[str], budget: int, count: Count) -> str:
    """Units by information for their length until the budget is full; their order stays."""
    frequency = Counter(word for unit in units for word in set(content_words(unit)))
    sizes = [max(count(unit), 1) for unit in units]

    def worth(index: int) -> tuple[float, int]:
        words = content_words(units[index])
        telling = sum(is_telling(word) for word in WORD.findall(units[index]))
        names = sum(word[0].isupper() for word in WORD.findall(units[index])[1:])
        value = sum(1 / frequency[word] for word in set(words)) + telling + 0.5 * names
        value -= 2 * units[index].rstrip().endswith(("?", "\uff1f"))
        return (-value / sizes[index] ** 0.7, index)

    taken: list[int] = []
    room = budget
    for index in sorted(range(len(units)), key=worth):
        if sizes[index] <= room:
            taken.append(index)
            room -= sizes[index]
    return "".join(units[index] for index in sorted(taken)).strip()
