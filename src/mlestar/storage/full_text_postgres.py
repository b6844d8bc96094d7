"""The full-text index on PostgreSQL: an inverted table, with BM25 computed in SQL.

PostgreSQL's own ranking knows no inverse document frequency: a word of every entry would count as much as a name that
stands in one. Here a row is a term in a piece of an entry; the primary key alone answers a search. Everything is as
FTS5 has it (k1 = 1.2, b = 0.75, idf at least 1e-6, a piece's length counts own and neighbour's terms), save that
frequencies are those of the workspace.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlestar.core.search_terms import NEIGHBOUR_WEIGHT, OWN_WEIGHT

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.search_terms import PieceTerms

WORKSPACE_SHIFT = 44
MOST_CHARACTERS = 200
"""Of a term: an index entry of PostgreSQL holds at most 2.7 kB."""
K1, B = 1.2, 0.75
LEAST_IDF = 1e-6
_FOLDED = "coalesce((ts_lexize('entry_terms_porter', given))[1], given)"
# Porter's stemmer of 1980, as in FTS5; PostgreSQL's 'english' is its successor and folds otherwise.
# A search reads the key alone as long as vacuum keeps up with what is inserted.
_CREATE = """
CREATE TEXT SEARCH DICTIONARY entry_terms_porter (TEMPLATE = snowball, LANGUAGE = porter);
CREATE TABLE entry_terms (
    piece bigint NOT NULL,
    term text COLLATE "C" NOT NULL,
    own smallint NOT NULL,
    neighbour smallint NOT NULL,
    length smallint NOT NULL,
    PRIMARY KEY (term, piece) INCLUDE (own, neighbour, length)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX entry_terms_of_piece ON entry_terms (piece);
CREATE TABLE entry_terms_totals (
    workspace bigint PRIMARY KEY,
    pieces bigint NOT NULL,
    length bigint NOT NULL
) WITH (fillfactor = 50);
"""
_COUNT_IN = """
INSERT INTO entry_terms_totals AS known (workspace, pieces, length) VALUES (%(workspace)s, %(pieces)s, %(length)s)
ON CONFLICT (workspace) DO UPDATE SET pieces = known.pieces + excluded.pieces, length = known.length + excluded.length
"""
_ADD = f"""
WITH added AS (
    INSERT INTO entry_terms (piece, term, own, neighbour, length)
    SELECT %(piece)s, {_FOLDED} AS folded, sum(own), sum(neighbour), %(length)s
    FROM unnest(%(terms)s::text[], %(own)s::smallint[], %(neighbour)s::smallint[]) AS t (given, own, neighbour)
    GROUP BY folded ORDER BY folded
){_COUNT_IN}"""  # noqa: S608 - a constant
_REMOVE = """
WITH gone AS (DELETE FROM entry_terms WHERE piece BETWEEN %(first)s AND %(last)s RETURNING piece, length)
SELECT count(*), coalesce(sum(length), 0) FROM (SELECT DISTINCT piece, length FROM gone) AS pieces
"""
_DROP_NEIGHBOUR = (
    "DELETE FROM entry_terms WHERE piece = %(piece)s AND own = 0",
    "UPDATE entry_terms SET neighbour = 0, length = length - %(length)s WHERE piece = %(piece)s",
)
_PREFIXED = """
SELECT DISTINCT term FROM entry_terms
WHERE term >= %(prefix)s AND term < %(prefix)s || chr(1114111) AND piece BETWEEN %(first)s AND %(last)s ORDER BY term
"""
_COUNT = f"""
SELECT sum((
    SELECT count(*) FROM (
        SELECT FROM entry_terms
        WHERE term = {_FOLDED} AND piece BETWEEN %(first)s AND %(last)s LIMIT %(most)s
    ) AS bounded
)) FROM unnest(%(terms)s::text[], %(places)s::int[]) AS t (given, place) GROUP BY place ORDER BY place
"""  # noqa: S608 - a constant
_RANK = f"""
WITH whole AS (
    SELECT pieces, length / pieces::float8 AS average FROM entry_terms_totals
    WHERE workspace = %(workspace)s AND pieces > 0
), asked AS MATERIALIZED (
    SELECT folded AS term, greatest(ln((pieces - rows + 0.5) / (rows + 0.5)), {LEAST_IDF}) AS idf
    FROM whole, unnest(%(terms)s::text[]) AS t (given), LATERAL (SELECT {_FOLDED} AS folded) AS f,
    LATERAL (
        SELECT count(*)::float8 AS rows FROM entry_terms
        WHERE term = folded AND piece BETWEEN %(workspace_first)s AND %(workspace_last)s
    ) AS counted
)
SELECT piece, sum(
    idf * frequency * {K1 + 1} / (frequency + {K1} * ({1 - B} + {B}::float8 * length / average))
)::real AS score
FROM whole, asked, LATERAL (
    SELECT piece, length, own * {OWN_WEIGHT}::float8 + neighbour * {NEIGHBOUR_WEIGHT}::float8 AS frequency
    FROM entry_terms WHERE term = asked.term AND piece BETWEEN %(first)s AND %(last)s
    OFFSET 0 -- kept apart: joined otherwise, a prepared plan would read every piece of the workspace
) AS found
"""  # noqa: S608 - a constant
_TOGETHER = """
WHERE piece IN (
    SELECT piece FROM entry_terms AS rarest
    WHERE term = (SELECT term FROM asked ORDER BY idf DESC, term LIMIT 1) AND piece BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (SELECT FROM asked AS other WHERE NOT EXISTS (
        SELECT FROM entry_terms WHERE term = other.term AND piece = rarest.piece
    ))
)
"""
_BEST = " GROUP BY piece ORDER BY score DESC, piece DESC LIMIT %(limit)s"


def create(connection: Connection) -> None:
    """Create the index; English endings are folded, accents ignored."""
    connection.exec_driver_sql(_CREATE)


def add(connection: Connection, pieces: Sequence[tuple[int, PieceTerms]]) -> None:
    """Put rows in."""
    for row, piece in pieces:
        own, neighbour = (Counter(map(_plain, terms)) for terms in (piece.own, piece.neighbour))
        terms = list(own | neighbour)
        if not terms:
            continue
        length = own.total() + neighbour.total()
        values = {
            "piece": row, "terms": terms, "own": [own[term] for term in terms],
            "neighbour": [neighbour[term] for term in terms], "length": length, "pieces": 1,
            "workspace": row >> WORKSPACE_SHIFT,
        }  # fmt: skip
        connection.exec_driver_sql(_ADD, values)


def remove(connection: Connection, rows: tuple[int, int]) -> None:
    """Take rows out."""
    gone, length = connection.exec_driver_sql(_REMOVE, {"first": rows[0], "last": rows[1]}).one()
    _count_in(connection, rows[0], -gone, -length)


def erase(connection: Connection, rows: tuple[int, int], following: int) -> None:
    """Take rows out, and what row `following` holds as its neighbour."""
    remove(connection, rows)
    values = {"piece": following}
    known, own, neighbour = connection.exec_driver_sql(
        "SELECT count(*), coalesce(sum(own), 0), coalesce(sum(neighbour), 0) FROM entry_terms WHERE piece = %(piece)s",
        values,
    ).one()
    for statement in _DROP_NEIGHBOUR:
        connection.exec_driver_sql(statement, values | {"length": neighbour})
    _count_in(connection, following, -1 if known and not own else 0, -neighbour)


def count(connection: Connection, terms: Sequence[str], rows: tuple[int, int], most: int) -> list[int]:
    """In how many rows each term stands; beyond `most` it is only known to be more."""
    stored = [
        (place, term) for place, given in enumerate(terms) for term in _stored(connection, given, rows) or [given]
    ]
    values = {
        "terms": [term for _, term in stored], "places": [place for place, _ in stored], "first": rows[0],
        "last": rows[1], "most": most + 1,
    }  # fmt: skip
    return [int(found) for (found,) in connection.exec_driver_sql(_COUNT, values)]


def rank(
    connection: Connection, terms: Sequence[str], rows: tuple[int, int], limit: int, *, together: bool = False
) -> list[tuple[int, float]]:
    """The best rows with any of the terms, or with all of them together, with their scores, best first.

    The beginning of a term (`x*`) counts as each term that begins so; together with others it is not asked for.
    """
    workspace = rows[0] >> WORKSPACE_SHIFT
    values = {
        "terms": [
            term
            for given in terms
            if not (together and given.endswith("*"))
            for term in _stored(connection, given, rows)
        ],
        "workspace": workspace, "workspace_first": workspace << WORKSPACE_SHIFT,
        "workspace_last": ((workspace + 1) << WORKSPACE_SHIFT) - 1, "first": rows[0], "last": rows[1], "limit": limit,
    }  # fmt: skip
    found = connection.exec_driver_sql(_RANK + (_TOGETHER if together else "") + _BEST, values)
    return [(int(row), float(score)) for row, score in found]


def _stored(connection: Connection, given: str, rows: tuple[int, int]) -> list[str]:
    """A term of a query as the index may hold it; the beginning of terms (`x*`) as all of those."""
    if not given.endswith("*"):
        return [_plain(given)]
    values = {"prefix": _plain(given[:-1]), "first": rows[0], "last": rows[1]}
    return list(connection.exec_driver_sql(_PREFIXED, values).scalars())


def _plain(term: str) -> str:
    """Without accents on Latin letters, as FTS5 reads it, and no longer than an index can hold."""
    short = term[:MOST_CHARACTERS]
    if short.isascii():
        return short
    apart = (letter for letter in unicodedata.normalize("NFD", short) if not "\u0300" <= letter <= "\u036f")
    return unicodedata.normalize("NFC", "".join(apart))


def _count_in(connection: Connection, row: int, pieces: int, length: int) -> None:
    if pieces or length:
        values = {"workspace": row >> WORKSPACE_SHIFT, "pieces": pieces, "length": length}
        connection.exec_driver_sql(_COUNT_IN, values)
