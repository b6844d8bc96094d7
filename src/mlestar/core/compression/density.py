"""How much an entry tells for the room it takes: what balancing shortens first is what tells least."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mlestar.core.compression.words import WORD, content_words, is_telling

NAME_WEIGHT = 0.25
"""Added for each number, name or identifier, up to four: what is looked up later is mostly one of these."""
QUESTION_WEIGHT = 1.0
"""Taken off for a question: it asks, it does not tell."""
COUNTED_NAMES = 4


@dataclass(frozen=True, kw_only=True)
class Rarity:
    """How rare each word is among the texts that stand together in a window."""

    texts: int
    containing: Mapping[str, int]

    def of(self, word: str) -> float:
        """Inverse document frequency, smoothed; above 0."""
        return math.log1p((self.texts - self.containing.get(word, 0) + 0.5) / (self.containing.get(word, 0) + 0.5))


def rarity(texts: Iterable[str]) -> Rarity:
    """Count in how many of the texts each content word stands. The texts of a window are bounded by its cap."""
    containing: Counter[str] = Counter()
    total = 0
    for text in texts:
        total += 1
        containing.update(_words(text)[0])
    return Rarity(texts=total, containing=containing)


def density(text: str, tokens: int, rare: Rarity) -> float:
    """Information for its room: sum of the rarities of its words / sqrt(tokens), names added, questions taken off."""
    words, telling = _words(text)
    value = sum(map(rare.of, words)) / math.sqrt(max(tokens, 1))
    value += NAME_WEIGHT * min(telling, COUNTED_NAMES)
    return value - QUESTION_WEIGHT * text.rstrip().endswith(("?", "\uff1f"))


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[tuple[str, ...], int]:
    """The distinct content words, in a fixed order, and how many words are names or numbers; kept between writes."""
    telling = sum(is_telling(match[0]) for match in WORD.finditer(text[:2000]))
    return tuple(sorted(set(content_words(text)))), telling
