"""A byte-pair vocabulary in six megabytes: the tokens stand in one block, found by a table of their checksums.

The libraries that count tokens keep two or three maps of two hundred thousand small strings, 45 MB in each server
process, most of what such a server weighs. Counting needs one question only: which rank has this byte string?
"""

from __future__ import annotations

from array import array
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import accumulate
from zlib import crc32

TABLE_BITS = 19
"""The table is 2**19 places for 200,000 tokens: a look-up ends after 1.3 steps on average."""
LONGEST_WORD = 1024
"""Longest word (bytes) that is merged as one; longer ones, which no language has, are merged in slices of this."""
SLICES_KEPT = 64
"""Slices whose count is remembered: an overlong word is mostly one character, many times over."""


class Vocabulary:
    """Ranks of byte strings, and how many tokens a word is merged into."""

    def __init__(self, packed: bytes) -> None:
        """Read a vocabulary as `mlestar.data.build_vocabularies` packs it: tokens in the order of their ranks."""
        count = int.from_bytes(packed[:4], "big")
        lengths = packed[4 : 4 + count]
        if not count or len(lengths) < count or len(packed) != 4 + count + sum(lengths):
            raise ValueError("the vocabulary is cut short")
        self._block = packed
        self._starts = array("I", accumulate(lengths, initial=4 + count))
        self._longest = max(lengths)
        self._mask = (1 << TABLE_BITS) - 1
        self._places = _places(packed, self._starts, self._mask)
        self._count_slice = lru_cache(maxsize=SLICES_KEPT)(self._merged)

    def rank(self, token: bytes) -> int:
        """The rank of a token; -1 when the vocabulary does not have it."""
        if len(token) > self._longest:
            return -1
        places, starts, mask = self._places, self._starts, self._mask
        place = crc32(token) & mask
        while number := places[place]:
            if self._block[starts[number - 1] : starts[number]] == token:
                return number - 1
            place = (place + 1) & mask
        return -1

    def count(self, word: bytes) -> int:
        """Number of tokens of one word."""
        if self.rank(word) >= 0:
            return 1
        if len(word) <= LONGEST_WORD:
            return self._merged(word)
        return sum(self._count_slice(word[at : at + LONGEST_WORD]) for at in range(0, len(word), LONGEST_WORD))

    def _merged(self, word: bytes) -> int:
        """Merge the neighbours of the lowest rank, the leftmost first, until none are left to merge."""
        size = len(word)
        following = list(range(1, size + 2))  # of the part that starts here: where the next one starts
        before = list(range(-1, size))
        pairs = [
            (rank, start, start + 2) for start in range(size - 1) if (rank := self.rank(word[start : start + 2])) >= 0
        ]
        heapify(pairs)
        left = size
        while pairs:
            _, start, end = heappop(pairs)
            middle = following[start]
            if middle < 0 or middle >= size or following[middle] != end:
                continue  # one of the two was merged with another in the meantime
            following[start], following[middle] = end, -1
            before[end] = start
            left -= 1
            if end < size:
                self._offer(pairs, word, start, following[end])
            if start > 0:
                self._offer(pairs, word, before[start], end)
        return left

    def _offer(self, pairs: list[tuple[int, int, int]], word: bytes, start: int, end: int) -> None:
        rank = self.rank(word[start:end])
        if rank >= 0:
            heappush(pairs, (rank, start, end))


def _places(block: bytes, starts: array[int], mask: int) -> array[int]:
    places = array("I", bytes(4 * (mask + 1)))
    start = starts[0]
    for number, end in enumerate(starts[1:], start=1):
        place = crc32(block[start:end]) & mask
        while places[place]:
            place = (place + 1) & mask
        places[place] = number
        start = end
    return places
