"""What a text is searched by: its content words, identifiers with their parts, and pairs for scripts without spaces.

The same function prepares what is indexed and what is asked, so nothing a query holds is ever search syntax.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from mlestar.core.compression.prose import sentences
from mlestar.core.compression.words import FUNCTION_WORDS

CHUNK_CHARACTERS = 1200
"""About 300 tokens of English: a longer entry is searched piece by piece."""
MOST_QUERY_TERMS = 48
"""Terms of a query that are used; a pasted page asks nothing more precise than its first words."""
NEIGHBOUR_TERMS = 200
"""Terms of the neighbour that are indexed with a piece: its end, where a conversation goes on."""
OWN_WEIGHT = 1.0
NEIGHBOUR_WEIGHT = 0.35
_QUESTION_WORDS = frozenset({"when", "where", "how", "why", "tell", "me", "please", "many", "much"})
STOP_WORDS = FUNCTION_WORDS | _QUESTION_WORDS
_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3040-\u30ff"  # Japanese kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese characters
    "\U00020000-\U0003134f"
)
_TOKEN = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}]+)"
    r"|(?P<number>\d+(?:[.,]\d+)+)"
    rf"|(?P<word>(?:(?![{_UNSPACED}])[^\W_])+(?:[_./'\u2019-](?:(?![{_UNSPACED}])[^\W_])+)*)"
)
_PARTS = re.compile(r"[_./-]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, kw_only=True)
class PieceTerms:
    """The terms of a piece of a text, in order, and those of what stands before it."""

    own: list[str]
    neighbour: list[str]


def piece_terms(text: str, before: str) -> list[PieceTerms]:
    """What a text is indexed by, piece by piece; `before` is the text of its neighbour, empty for the first one."""
    pieces: list[PieceTerms] = []
    neighbour = index_terms(before[-4 * NEIGHBOUR_TERMS * 2 :])[-NEIGHBOUR_TERMS:]
    for part in chunks(text):
        piece = PieceTerms(own=index_terms(part), neighbour=neighbour)
        pieces.append(piece)
        neighbour = piece.own[-NEIGHBOUR_TERMS:]
    return pieces


def index_terms(text: str) -> list[str]:
    """The terms of a text, in order, repeated as often as they stand there; stop words are left out."""
    terms: list[str] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text)):
        if match["word"]:
            terms.extend(_word_terms(match[0]))
        elif match["number"]:
            terms.append(match[0].replace(",", ""))
        else:
            terms.extend(_pairs(match[0]))
    return terms


def query_terms(query: str) -> list[str]:
    """The distinct terms of a query. A lone character of a script without spaces ends in `*`: it begins pairs."""
    terms: dict[str, None] = {}
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", query[:100_000])):
        if match["unspaced"] and len(match[0]) == 1:
            terms[match[0] + "*"] = None
        else:
            terms.update(dict.fromkeys(index_terms(match[0])))
        if len(terms) >= MOST_QUERY_TERMS:
            break
    return list(terms)[:MOST_QUERY_TERMS]


def chunks(text: str, size: int = CHUNK_CHARACTERS) -> list[str]:
    """The text in pieces of about `size` characters, cut between sentences where that is possible."""
    if len(text) <= size * 1.5:
        return [text]
    found: list[str] = []
    piece = ""
    for sentence in sentences(text):
        while len(sentence) > size:
            found.append(piece + sentence[: size - len(piece)])
            sentence = sentence[size - len(piece) :]  # noqa: PLW2901 - what is left of it
            piece = ""
        if len(piece) + len(sentence) > size:
            found.append(piece)
            piece = ""
        piece += sentence
    return [piece for piece in [*found, piece] if piece.strip()] or [text[:size]]


@lru_cache(maxsize=8192)
def _word_terms(word: str) -> tuple[str, ...]:
    plain = word.replace("\u2019", "'")
    lowered = plain.lower()
    if lowered in STOP_WORDS:
        return ()
    plain = re.sub(r"'(?:s|re|ve|ll|d|m)$", "", plain, flags=re.IGNORECASE).replace("'", "")
    parts = [part for part in _PARTS.split(plain) if part]
    if len(parts) == 1:
        parts = _CAMEL.split(plain)
    if len(parts) == 1:
        return (plain.lower(),) if plain.lower() not in STOP_WORDS else ()
    joined = "".join(parts).lower()
    return (joined, *(part.lower() for part in parts if part.lower() not in STOP_WORDS))


def _pairs(run: str) -> list[str]:
    """Each two neighbours, and the last one alone, so that any single character is the beginning of a term."""
    return [*(run[at : at + 2] for at in range(len(run) - 1)), run[-1]]
