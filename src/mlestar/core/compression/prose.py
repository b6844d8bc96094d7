"""Shortens running text: function words out, then the sentences that tell most, never inside a grapheme."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import regex

from mlestar.core.compression.words import DROPPED, WORD, content_words, is_english, is_telling

Count = Callable[[str], int]

FEW_SENTENCES = 3
"""Below this many sentences there is no choice among them: clauses are chosen instead."""
LEAST_WORDS_TOKENS = 6
"""Less room than this is left empty."""
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
    """The most telling sentences (clauses, when there are few) that fit in `budget` tokens, in order.

    What room is left goes to the most telling words of the next best one.
    """
    units = sentences(text)
    if len(units) < FEW_SENTENCES:
        units = clauses(text)
    frequency = Counter(word for unit in units for word in set(content_words(unit)))
    sizes = [max(count(unit), 1) for unit in units]
    ranked = sorted(range(len(units)), key=lambda at: (-_worth(units[at], frequency) / sizes[at] ** 0.7, at))
    chosen: dict[int, str] = {}
    room = budget
    for at in ranked:
        if sizes[at] <= room:
            chosen[at] = units[at]
        elif room >= LEAST_WORDS_TOKENS:
            chosen[at] = _telling_words(units[at], room, count)
        else:
            break
        room -= sizes[at]
    joined = "".join(chosen[at] for at in sorted(chosen)).strip()
    return joined if joined and count(joined) <= budget else shorten(joined or text, budget, count)


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


def _worth(unit: str, frequency: Counter[str]) -> float:
    """Information of a unit: its words by rarity, more for numbers, identifiers and names, less for a question."""
    words = WORD.findall(unit)
    value = sum(1 / frequency[word] for word in set(content_words(unit)))
    value += sum(map(is_telling, words)) + 0.5 * sum(word[0].isupper() for word in words[1:])
    return value - 2 * unit.rstrip().endswith(("?", "\uff1f"))


def _telling_words(unit: str, room: int, count: Count) -> str:
    """Numbers, names and identifiers first, then long words, until the room is full; their order stays."""
    words = re.findall(r"\S+\s*", unit)
    ranked = sorted(
        range(len(words)), key=lambda at: (not is_telling(words[at].strip(".,;:!?()[]")), -len(words[at]), at)
    )
    kept: list[int] = []
    for at in ranked:
        size = count(" " + words[at].strip())
        if size <= room:
            kept.append(at)
            room -= size
    joined = "".join(words[at] for at in sorted(kept))
    return joined or shorten(unit, room, count)
