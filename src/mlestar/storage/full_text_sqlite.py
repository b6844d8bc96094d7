"""The full-text index on SQLite's FTS5. All that is particular to it stands here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlestar.core.search_terms import NEIGHBOUR_WEIGHT, OWN_WEIGHT

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.search_terms import PieceTerms


def create(connection: Connection) -> None:
    """Create the index; English endings are folded, accents ignored."""
    connection.exec_driver_sql(
        "CREATE VIRTUAL TABLE entry_terms USING fts5"
        "(own, neighbour, tokenize = \"porter unicode61 remove_diacritics 2 tokenchars '.'\")"
    )


def add(connection: Connection, pieces: Sequence[tuple[int, PieceTerms]]) -> None:
    """Put rows in."""
    rows = [(row, " ".join(piece.own), " ".join(piece.neighbour)) for row, piece in pieces]
    connection.exec_driver_sql("INSERT INTO entry_terms (rowid, own, neighbour) VALUES (?, ?, ?)", rows)


def remove(connection: Connection, rows: tuple[int, int]) -> None:
    """Take rows out."""
    connection.exec_driver_sql("DELETE FROM entry_terms WHERE rowid BETWEEN ? AND ?", rows)


def erase(connection: Connection, rows: tuple[int, int], following: int) -> None:
    """Take rows out so that no byte of them stays: neither in the next row nor in unmerged parts of the index.

    Rewrites the whole index: about a second for a hundred thousand entries.
    """
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    remove(connection, rows)
    connection.exec_driver_sql("UPDATE entry_terms SET neighbour = '' WHERE rowid = ?", (following,))
    connection.exec_driver_sql("INSERT INTO entry_terms (entry_terms) VALUES ('optimize')")


def count(connection: Connection, terms: Sequence[str], rows: tuple[int, int], most: int) -> list[int]:
    """In how many rows each term stands; beyond `most` it is only known to be more."""
    return [
        int(
            connection.exec_driver_sql(
                "SELECT count(*) FROM (SELECT 1 FROM entry_terms WHERE entry_terms MATCH ?"
                " AND rowid BETWEEN ? AND ? LIMIT ?)",
                (_quoted(term), *rows, most + 1),
            ).scalar_one()
        )
        for term in terms
    ]


def rank(
    connection: Connection, terms: Sequence[str], rows: tuple[int, int], limit: int, *, together: bool = False
) -> list[tuple[int, float]]:
    """The best rows with any of the terms, or with all of them together, with their scores, best first."""
    match = (" AND " if together else " OR ").join(map(_quoted, terms))
    found = connection.exec_driver_sql(
        "SELECT rowid, bm25(entry_terms, ?, ?) AS score FROM entry_terms"
        " WHERE entry_terms MATCH ? AND rowid BETWEEN ? AND ? ORDER BY score LIMIT ?",
        (OWN_WEIGHT, NEIGHBOUR_WEIGHT, match, *rows, limit),
    )
    return [(int(row), -float(score)) for row, score in found]


def _quoted(term: str) -> str:
    return f'"{term[:-1]}" *' if term.endswith("*") else f'"{term}"'
