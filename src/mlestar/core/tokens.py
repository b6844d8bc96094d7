"""Counts tokens as the models do, from the vocabularies shipped in this package: never from the network.

The vocabulary is read on the first count, in the thread that asks. A text is split by the encoding's published pattern,
and each word counted by `mlestar.core.vocabulary`; the tests hold the counts to those of tiktoken.
"""

from __future__ import annotations

import lzma
import math
import re
import threading
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlestar.core.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE_CHARACTERS = 65_536
"""Longest text split into words at once; the cut falls at a space or newline."""
WORDS_KEPT = 8192
"""Words whose count is remembered: the vocabulary of a project's notes, in about 2 MB."""
ESTIMATE_FACTOR = 1.15
"""Safety margin of the estimate, used only when the vocabulary cannot be loaded."""
_WORD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERNS = {
    "o200k_base": "|".join(
        (
            rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]*[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]+{_WORD}",
            rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]+[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]*{_WORD}",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
}
"""Encoding -> the published split pattern (tiktoken_ext/openai_public.py of tiktoken 0.14)."""
_ESTIMATED_UNIT = re.compile(r"[^\W\d_]{1,6}|\d{1,3}|_|[^\w\s]|\n+|\s{2,}")


class Tokenizer:
    """Counts the tokens of a text in one encoding; the vocabulary is loaded on the first count.

    Attributes:
        is_estimate: The vocabulary could not be loaded: counts are an estimate on the safe side.
    """

    def __init__(self, encoding: str = "o200k_base") -> None:
        """Remember which encoding; nothing is loaded yet."""
        self._encoding_name = encoding
        self._words_of: Callable[[str], list[str]] | None = None
        self._count_word: Callable[[str], int] = estimate
        self._loaded = False
        self._loading = threading.Lock()
        self.is_estimate = False
        self._count_short = lru_cache(maxsize=4096)(self._count)

    @property
    def name(self) -> str:
        """The encoding that counts, or `estimate`."""
        self.load()
        return "estimate" if self.is_estimate else self._encoding_name

    def load(self) -> None:
        """Load the vocabulary now (about 0.15 s of CPU the first time)."""
        if self._loaded:
            return
        with self._loading:
            if self._loaded:
                return
            try:
                self._count_word, self._words_of = _build(self._encoding_name)
            except (OSError, ImportError, KeyError, ValueError, lzma.LZMAError):
                self.is_estimate = True
            self._loaded = True

    def count(self, text: str) -> int:
        """Number of tokens of `text`, taken as plain text throughout."""
        return self._count_short(text) if len(text) <= 64 else self._count(text)  # noqa: PLR2004 - prefixes repeat, texts do not

    def _count(self, text: str) -> int:
        self.load()
        if self._words_of is None:
            return estimate(text)
        return sum(sum(map(self._count_word, self._words_of(piece))) for piece in pieces(_writable(text)))


def pieces(text: str, size: int = PIECE_CHARACTERS) -> Iterator[str]:
    """`text` in pieces of at most `size` characters, cut before a space or newline where there is one."""
    start = 0
    while len(text) - start > size:
        cut = max(text.rfind(" ", start + 1, start + size), text.rfind("\n", start + 1, start + size))
        cut = cut if cut > start else start + size
        yield text[start:cut]
        start = cut
    yield text[start:]


def estimate(text: str) -> int:
    """An upper guess of the token count that needs no vocabulary."""
    units = sum(1 for _ in _ESTIMATED_UNIT.finditer(text))
    wide = sum(1 for character in text if character > "\u2fff")
    return math.ceil((units + wide) * ESTIMATE_FACTOR)


def _writable(text: str) -> str:
    """The text with the replacement character for what has no UTF-8 form (lone surrogates)."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _build(name: str) -> tuple[Callable[[str], int], Callable[[str], list[str]]]:
    import regex

    vocabulary = Vocabulary(lzma.decompress(files("mlestar.data").joinpath("vocab", f"{name}.xz").read_bytes()))

    @lru_cache(maxsize=WORDS_KEPT)
    def count_word(word: str) -> int:
        return vocabulary.count(word.encode())

    pattern: Any = regex.compile(PATTERNS[name])
    return count_word, pattern.findall
