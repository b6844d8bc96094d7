"""The full-text index, on SQLite's FTS5. All that is particular to it stands here.

A row is a piece of an entry: its terms, and those of what stood before it (its neighbour: an answer makes sense beside
its question). The row's number holds workspace, entry and piece, so a search stays in one workspace by a range.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.search_terms import chunks, index_terms, query_terms

if TYPE_CHECKING:
    from sqlalchemy import Connection

WORKSPACE_SHIFT = 44
ENTRY_SHIFT = 12
MOST_PIECES = 1 << ENTRY_SHIFT
OWN_WEIGHT = 1.0
NEIGHBOUR_WEIGHT = 0.5
FEW_ENTRIES = 8_000
"""Up to this size of a workspace every term of a query is looked up in all of it."""
MOST_ROWS = 12_000
"""Rows that one query scores in a larger one: about 20 ms."""
NEIGHBOUR_TERMS = 200
"""Terms of the neighbour that are indexed with an entry: its end, where a conversation goes on."""


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
    """Create the index; English endings are folded, accents ignored."""
    if connection.dialect.name != "sqlite":
        return
    connection.exec_driver_sql(
        "CREATE VIRTUAL TABLE entry_terms USING fts5"
        "(own, neighbour, tokenize = \"porter unicode61 remove_diacritics 2 tokenchars '.'\")"
    )


def add(connection: Connection, workspace: int, number: int, text: str, before: str) -> None:
    """Index an entry; `before` is the text of its neighbour, empty for the first one."""
    rows: list[tuple[int, str, str]] = []
    neighbour = index_terms(before[-4 * NEIGHBOUR_TERMS * 2 :])[-NEIGHBOUR_TERMS:]
    for piece, part in enumerate(chunks(text)[:MOST_PIECES]):
        own = index_terms(part)
        rows.append((_row(workspace, number, piece), " ".join(own), " ".join(neighbour)))
        neighbour = own[-NEIGHBOUR_TERMS:]
    connection.exec_driver_sql("INSERT INTO entry_terms (rowid, own, neighbour) VALUES (?, ?, ?)", rows)


def remove(connection: Connection, workspace: int, number: int) -> None:
    """Take an entry out of the index."""
    connection.exec_driver_sql(
        "DELETE FROM entry_terms WHERE rowid BETWEEN ? AND ?",
        (_row(workspace, number, 0), _row(workspace, number, MOST_PIECES - 1)),
    )


def erase(connection: Connection, workspace: int, number: int, following: int) -> None:
    """Take an entry out so that no byte of it stays: neither in the entry after it nor in unmerged parts of the index.

    Rewrites the whole index: about a second for a hundred thousand entries.
    """
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    remove(connection, workspace, number)
    connection.exec_driver_sql(
        "UPDATE entry_terms SET neighbour = '' WHERE rowid = ?", (_row(workspace, following, 0),)
    )
    connection.exec_driver_sql("INSERT INTO entry_terms (entry_terms) VALUES ('optimize')")


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
    everything = (_row(workspace, 0, 0), _row(workspace + 1, 0, 0) - 1)
    if newest <= FEW_ENTRIES:
        return _best_pieces(_rank(connection, _any(terms), everything, limit))
    telling = _affordable(connection, terms, everything, most_rows)
    if telling:
        return _best_pieces(_rank(connection, _any(telling), everything, limit))
    together = " AND ".join(map(_quoted, terms))
    recent = (_row(workspace, newest - min(FEW_ENTRIES, most_rows), 0), everything[1])
    rows = [*_rank(connection, together, everything, limit), *_rank(connection, _any(terms), recent, limit)]
    return _best_pieces(sorted(set(rows), key=lambda row: (row[1], -row[0])))


def standing(connection: Connection, workspace: int, hits: Iterable[Hit]) -> list[Found]:
    """What ranking needs of the entries that were hit, of those that a search may return."""
    listed = list(hits)
    best = {hit.number: hit for hit in listed}
    rows = connection.exec_driver_sql(
        "SELECT number, follows, home, priority, expires_at, tags FROM entries"
        " WHERE workspace_id = ? AND part = 0 AND number IN (SELECT value FROM json_each(?))"
        " AND state IN ('live', 'split', 'archived')",
        (workspace, json.dumps(list(best))),
    )
    return [
        Found(
            number=number, piece=best[number].piece, score=best[number].score, follows=follows, window=window,
            priority=priority, expires_at=expires_at, tags=tags,
        )
        for number, follows, window, priority, expires_at, tags in rows
    ]  # fmt: skip


def _affordable(connection: Connection, terms: list[str], rows: tuple[int, int], most: int) -> list[str]:
    """The rarest terms, as many as stand in `most` rows together; empty when each alone stands in more."""
    counted = [
        (
            int(
                connection.exec_driver_sql(
                    "SELECT count(*) FROM (SELECT 1 FROM entry_terms WHERE entry_terms MATCH ?"
                    " AND rowid BETWEEN ? AND ? LIMIT ?)",
                    (_quoted(term), *rows, most + 1),
                ).scalar_one()
            ),
            term,
        )
        for term in terms
    ]
    chosen: list[str] = []
    room = most
    for count, term in sorted(counted):
        room -= count
        if room < 0:
            break
        chosen.append(term)
    return chosen if any(count for count, term in counted if term in chosen) else []


def _rank(connection: Connection, match: str, rows: tuple[int, int], limit: int) -> list[tuple[int, float]]:
    found = connection.exec_driver_sql(
        "SELECT rowid, bm25(entry_terms, ?, ?) AS score FROM entry_terms"
        " WHERE entry_terms MATCH ? AND rowid BETWEEN ? AND ? ORDER BY score LIMIT ?",
        (OWN_WEIGHT, NEIGHBOUR_WEIGHT, match, *rows, limit),
    )
    return [(int(row), float(score)) for row, score in found]


def _best_pieces(rows: Iterable[tuple[int, float]]) -> list[Hit]:
    best: dict[int, Hit] = {}
    for row, score in rows:
        number = (row >> ENTRY_SHIFT) & ((1 << (WORKSPACE_SHIFT - ENTRY_SHIFT)) - 1)
        if number not in best:
            best[number] = Hit(number=number, piece=row & (MOST_PIECES - 1), score=-score)
    return list(best.values())


def _any(terms: Iterable[str]) -> str:
    return " OR ".join(map(_quoted, terms))


def _quoted(term: str) -> str:
    return f'"{term[:-1]}" *' if term.endswith("*") else f'"{term}"'


def _row(workspace: int, number: int, piece: int) -> int:
    return (workspace << WORKSPACE_SHIFT) | (number << ENTRY_SHIFT) | piece
