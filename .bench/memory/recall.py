"""Recall of planted facts by natural questions, at several sizes, beside plain BM25.

Usage: python .bench/memory/recall.py [FACTS]
The corpus is the synthetic agent trace; a question shares few rare words with its fact. Prints recall@1, @5, @10, the
mean reciprocal rank and the time a query takes, beside FTS5 as it comes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlestar.core.search_terms import query_terms
from mlestar.storage import full_text
from mlestar.storage.database import Database
from support.agent_trace import Planted, trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

SIZES = (1_000, 10_000, 100_000)


def ranks(facts: list[Planted], search: Callable[[str], list[int]]) -> tuple[list[int], list[float]]:
    """The rank of each fact (0 = not found in ten), and each query's time in ms."""
    found: list[int] = []
    took: list[float] = []
    for fact in facts:
        begun = time.perf_counter()
        numbers = search(fact.question)[:10]
        took.append((time.perf_counter() - begun) * 1000)
        found.append(numbers.index(fact.at + 1) + 1 if fact.at + 1 in numbers else 0)
    return found, took


def plain(connection: Connection, query: str) -> list[int]:
    """BM25 of FTS5 as it comes, on the texts alone."""
    match = " OR ".join(f'"{term}"' for term in query_terms(query))
    rows = connection.exec_driver_sql(
        "SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY bm25(plain) LIMIT 10", (match,)
    )
    return [int(row[0]) for row in rows]


def ours(connection: Connection, newest: int, query: str) -> list[int]:
    """The index as the product asks it."""
    return [hit.number for hit in full_text.search(connection, 1, query, limit=100, newest=newest)]


def show(name: str, size: int, found: list[int], took: list[float]) -> None:
    shares = [sum(0 < rank <= at for rank in found) / len(found) for at in (1, 5, 10)]
    mean = sum(1 / rank for rank in found if rank) / len(found)
    print(
        f"{name:<12}{size:>9,}{shares[0]:>8.1%}{shares[1]:>8.1%}{shares[2]:>8.1%}{mean:>8.3f}"
        f"{statistics.median(took):>9.2f}{sorted(took)[int(len(took) * 0.95)]:>9.2f}"
    )


def main() -> None:
    """Print the table."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{'method':<12}{'entries':>9}{'R@1':>8}{'R@5':>8}{'R@10':>8}{'MRR':>8}{'p50 ms':>9}{'p95 ms':>9}")
    for size in SIZES:
        texts, facts = trace(7, size, min(wanted, size // 10))
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{Path(folder) / 'recall.db'}")
            with database.write() as connection:
                connection.exec_driver_sql("CREATE VIRTUAL TABLE plain USING fts5(text, tokenize = 'porter unicode61')")
                before = ""
                for number, text in enumerate(texts, start=1):
                    full_text.add(connection, 1, number, text, before)
                    connection.exec_driver_sql("INSERT INTO plain (rowid, text) VALUES (?, ?)", (number, text))
                    before = text
            with database.read() as connection:
                show("plain BM25", size, *ranks(facts, partial(plain, connection)))
                show("ours", size, *ranks(facts, partial(ours, connection, size)))
            database.close()


if __name__ == "__main__":
    main()
