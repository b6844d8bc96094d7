"""Counts tokens as the models do, from the vocabularies shipped in this package: never from the network.

`tiktoken.get_encoding` is not used: it downloads, without a time-out. The encoding is built here from our own rank
files (see `mlestar.data.build_vocabularies`), on the first count, in the thread that asks.
"""

from __future__ import annotations

import math
import re
import threading
import zlib
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktoken import Encoding

PIECE_CHARACTERS = 65_536
"""Longest text handed to tiktoken at once; the cut falls at a space or newline."""
ESTIMATE_FACTOR = 1.15
"""Safety margin of the estimate, used only when the vocabulary cannot be loaded."""
SHORT_CHARACTERS = 512
"""Longest text whose count is remembered: prefixes, and the entries that are shown again and again."""
SHORT_KEPT = 4096
"""Counts remembered: a few windows' worth, at most some megabytes."""
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
        is_estimate: The vocabulary could not be loaded, or refused a text: counts may be estimates on the safe side.
    """

    def __init__(self, encoding: str = "o200k_base") -> None:
        """Remember which encoding; nothing is loaded yet."""
        self._encoding_name = encoding
        self._encoding: Encoding | None = None
        self._loaded = False
        self._loading = threading.Lock()
        self.is_estimate = False
        self._count_short = lru_cache(maxsize=SHORT_KEPT)(self._count)

    @property
    def name(self) -> str:
        """The encoding that counts, or `estimate`."""
        self.load()
        return "estimate" if self.is_estimate else self._encoding_name

    def load(self) -> None:
        """Load the vocabulary now (about 0.3 s of CPU the first time)."""
        if self._loaded:
            return
        with self._loading:
            if self._loaded:
                return
            try:
                self._encoding = _build(self._encoding_name)
            except (OSError, ImportError, KeyError, ValueError, zlib.error):
                self.is_estimate = True
            self._loaded = True

    def count(self, text: str) -> int:
        """Number of tokens of `text`, taken as plain text throughout."""
        return self._count_short(text) if len(text) <= SHORT_CHARACTERS else self._count(text)

    def _count(self, text: str) -> int:
        self.load()
        if self._encoding is None:
            return estimate(text)
        if len(text) <= PIECE_CHARACTERS:
            return self._count_piece(text)
        return sum(self._count_piece(piece) for piece in pieces(text))

    def _count_piece(self, piece: str) -> int:
        if self._encoding is None:
            return estimate(piece)
        try:
            return len(self._encoding.encode_ordinary(piece))
        except BaseException as error:
            # A panic in the native code is a BaseException of its own kind (a million spaces overflow its stack).
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            self.is_estimate = True  # no known text comes here; one that does is still counted, and said so
            return estimate(piece)


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


def _build(name: str) -> Encoding:
    from tiktoken import Encoding

    raw = zlib.decompress(files("mlestar.data").joinpath("vocab", f"{name}.z").read_bytes())
    start = 4 + int.from_bytes(raw[:4], "big")
    ends = accumulate(raw[4:start], initial=start)
    ranks = {raw[begin:end]: rank for rank, (begin, end) in enumerate(pairwise(ends))}
    encoding = Encoding(name=name, pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens={})
    ranks.clear()  # the native side has its own copy, and counting needs no other: 30 MB less
    return encoding
