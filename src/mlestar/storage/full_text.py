"""The full-text index: what it holds of an entry, and which of a query's words are looked up in how much of it.

A row is a piece of an entry: its terms, and those of what stood before it (its neighbour: an answer makes sense beside
its question). The row's number holds workspace, entry and piece, so a search stays in one workspace by a range. Both
databases fold English endings with Porter's stemmer, ignore accents and rank by BM25.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Text, bindparam, cast, select

from mlestar.core.search_terms import piece_terms, query_terms
from mlestar.core.windows.model import State
from mlestar.storage.tables_memory import entries

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.search_terms import PieceTerms

WORKSPACE_SHIFT = 44
ENTRY_SHIFT = 12
MOST_PIECES = 1 << ENTRY_SHIFT
FEW_ENTRIES = 8_000
"""Up to this size of a workspace every term of a query is looked up in all of it."""
MOST_ROWS = 12_000
"""Rows that one query scores in a larger one: about 20 ms."""

_E = entries.c
_STANDING = select(_E.number, _E.follows, _E.home, _E.priority, _E.expires_at, cast(_E.tags, Text)).where(
    _E.workspace_id == bindparam("workspace"),
    _E.part == 0,
    _E.number.in_(bindparam("numbers", expanding=True)),
    _E.state.in_((State.LIVE, State.SPLIT, State.ARCHIVED)),
)

Rows = tuple[int, int]
"""The first and the last of a range of rows."""


class TermIndex(Protocol):
    """What a database does for the index; a module of its own for each."""

    def create(self, connection: Connection) -> None:
        """Create the index."""
        ...

    def add(self, connection: Connection, pieces: Sequence[tuple[int, PieceTerms]]) -> None:
        """Put rows in."""
        ...

    def remove(self, connection: Connection, rows: Rows) -> None:
        """Take rows out."""
        ...

    def erase(self, connection: Connection, rows: Rows, following: int) -> None:
        """Take rows out, and what row `following` holds as its neighbour."""
        ...

    def count(self, connection: Connection, terms: Sequence[str], rows: Rows, most: int) -> list[int]:
        """In how many rows each term stands; beyond `most` it is only known to be more."""
        ...

    def rank(
        self, connection: Connection, terms: Sequence[str], rows: Rows, limit: int, *, together: bool = False
    ) -> list[tuple[int, float]]:
        """The best rows with any of the terms, or with all of them together, with their scores, best first."""
        ...


@dataclass(frozen=True, kw_only=True)
class Hit:
    """An entry that a query found, by its best piece. Score > 0, higher is better."""

    number: int
    piece: int
    score: float


@dataclass(frozen=True, kw_only=True)
class Found(Hit):
    """A hit with what decides whether and where it is shown. `tags` is JSON text, `follows` the entry before it."""

    follows: int
    window: int
    priority: int
    expires_at: float | None
    tags: str


def create(connection: Connection) -> None:
    """Create the index."""
    _index(connection).create(connection)


def add(connection: Connection, workspace: int, number: int, text: str, before: str) -> None:
    """Index an entry; `before` is the text of its neighbour, empty for the first one."""
    pieces = piece_terms(text, before)[:MOST_PIECES]
    _index(connection).add(connection, [(_row(workspace, number, at), piece) for at, piece in enumerate(pieces)])


def remove(connection: Connection, workspace: int, number: int) -> None:
    """Take an entry out of the index."""
    _index(connection).remove(connection, _rows(workspace, number))


def erase(connection: Connection, workspace: int, number: int, following: int) -> None:
    """Take an entry out so that nothing of it stays, not in the entry after it either."""
    _index(connection).erase(connection, _rows(workspace, number), _row(workspace, following, 0))


def search(
    connection: Connection, workspace: int, query: str, *, limit: int, newest: int, most_rows: int = MOST_ROWS
) -> list[Hit]:
    """The best `limit` pieces for a query, as entries, best first. Any text is a valid query.

    `newest` is the number of the newest entry. In a large workspace words that stand in thousands of entries are left
    out of the query while rarer ones are there: they tell little and cost most. `most_rows` bounds what is scored.
    """
    terms = query_terms(query)
    if not terms:
        return []
    index = _index(connection)
    everything = (_row(workspace, 0, 0), _row(workspace + 1, 0, 0) - 1)
    if newest <= FEW_ENTRIES:
        return _best_pieces(index.rank(connection, terms, everything, limit))
    telling = _affordable(terms, index.count(connection, terms, everything, most_rows), most_rows)
    if telling:
        return _best_pieces(index.rank(connection, telling, everything, limit))
    recent = (_row(workspace, newest - min(FEW_ENTRIES, most_rows), 0), everything[1])
    rows = [
        *index.rank(connection, terms, everything, limit, together=True),
        *index.rank(connection, terms, recent, limit),
    ]
    return _best_pieces(sorted(set(rows), key=lambda row: (-row[1], -row[0])))


def standing(connection: Connection, workspace: int, hits: Iterable[Hit]) -> list[Found]:
    """What ranking needs of the entries that were hit, of those that a search may return."""
    best = {hit.number: hit for hit in hits}
    if not best:
        return []
    return [
        Found(
            number=number, piece=best[number].piece, score=best[number].score, follows=follows, window=window,
            priority=priority, expires_at=expires_at, tags=tags,
        )
        for number, follows, window, priority, expires_at, tags in connection.execute(
            _STANDING, {"workspace": workspace, "numbers": list(best)}
        )
    ]  # fmt: skip


def _index(connection: Connection) -> TermIndex:
    if connection.dialect.name == "sqlite":
        from mlestar.storage import full_text_sqlite

        return full_text_sqlite
    from mlestar.storage import full_text_postgres

    return full_text_postgres


def _affordable(terms: Sequence[str], counts: Sequence[int], most: int) -> list[str]:
    """The rarest terms, as many as stand in `most` rows together; empty when each alone stands in more."""
    counted = sorted(zip(counts, terms, strict=True))
    chosen: list[str] = []
    room = most
    for count, term in counted:
        room -= count
        if room < 0:
            break
        chosen.append(term)
    return chosen if any(count for count, term in counted if term in chosen) else []


def _best_pieces(rows: Iterable[tuple[int, float]]) -> list[Hit]:
    best: dict[int, Hit] = {}
    for row, score in rows:
        number = (row >> ENTRY_SHIFT) & ((1 << (WORKSPACE_SHIFT - ENTRY_SHIFT)) - 1)
        if number not in best:
            best[number] = Hit(number=number, piece=row & (MOST_PIECES - 1), score=score)
    return list(best.values())


def _rows(workspace: int, number: int) -> Rows:
    return _row(workspace, number, 0), _row(workspace, number, MOST_PIECES - 1)


def _row(workspace: int, number: int, piece: int) -> int:
    return (workspace << WORKSPACE_SHIFT) | (number << ENTRY_SHIFT) | piece
