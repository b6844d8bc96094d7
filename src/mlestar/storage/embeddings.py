"""Embedding vectors by content hash, in one file below the artifacts, for any number of processes at once.

It is a cache: what cannot be read or written is made again, and the log says why.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

MOST = 100_000
"""Vectors that are kept, the newest ones: about 170 MB of 384 numbers each."""
WAIT_S = 10.0
"""For another process that is writing."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class EmbeddingStore:
    """The vectors of one data folder."""

    def __init__(self, folder: Path, most: int = MOST) -> None:
        """Nothing is created yet."""
        self._path = folder / "artifacts" / "embeddings.sqlite3"
        self._most = most

    def get(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Name -> the bytes that were kept, of those that were and are still what was kept."""

        def read(connection: sqlite3.Connection) -> Mapping[str, bytes]:
            asked = "SELECT vector, sha256 FROM vectors WHERE name = ?"
            rows = {name: connection.execute(asked, (name,)).fetchone() for name in names}
            return {name: row[0] for name, row in rows.items() if row and _sha256(row[0]) == row[1]}

        return self._with(read) or {}

    def put(self, vectors: Mapping[str, bytes]) -> None:
        """Keep these, all or none; the oldest make room."""

        def write(connection: sqlite3.Connection) -> None:
            rows = [(name, vector, _sha256(vector)) for name, vector in vectors.items()]
            connection.executemany("INSERT OR REPLACE INTO vectors (name, vector, sha256) VALUES (?, ?, ?)", rows)
            newest = "(SELECT max(place) FROM vectors)"
            connection.execute(f"DELETE FROM vectors WHERE place <= {newest} - ?", (self._most,))  # noqa: S608 - no input

        self._with(write)

    def _with(self, do: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            with self._open() as connection:
                return do(connection)
        except (OSError, sqlite3.Error) as error:
            _log.warning("embeddings are made again: %s: %s (delete it if this goes on)", self._path, error)
            return None

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=WAIT_S)) as connection, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (place INTEGER PRIMARY KEY AUTOINCREMENT,"
                " name TEXT NOT NULL UNIQUE, vector BLOB NOT NULL, sha256 TEXT NOT NULL)"
            )
            yield connection


def _sha256(vector: bytes) -> str:
    return hashlib.sha256(vector).hexdigest()
