"""SQLite as the database: WAL mode, synchronous=FULL, and one writer at a time by BEGIN IMMEDIATE."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError

from mlestar.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError

    from mlestar.errors import MlestarError

BUSY_TIMEOUT_MS = 5_000
"""How long SQLite itself waits for a lock (a checkpoint, a recovery) before it gives up."""
PAGE_CACHE_KIB = 1_000
"""Pages that a connection holds itself; the system caches the rest, once for all servers."""
WRITE_WAIT_S = 15.0
"""How long a write waits for those of other processes."""
WRITE_OPTIONS: Mapping[str, Any] = {"mlestar_write": True}


def open_engine(url: URL) -> Engine:
    """An engine on a file, whose folder is made."""
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def explained(error: DBAPIError) -> MlestarError | None:
    """A lock that did not come free, as a caller understands it; None for every other error."""
    if not isinstance(error, OperationalError) or not any(word in str(error.orig) for word in ("locked", "busy")):
        return None
    return _kept_busy()


def _kept_busy() -> Unavailable:
    return Unavailable(
        f"Other processes kept the database busy for {WRITE_WAIT_S:.0f} s; nothing was written.", do="call again"
    )


def forget_erased(engine: Engine) -> None:
    """Bring the write-ahead log into the file and empty it, so that what was erased stands nowhere."""
    with engine.connect() as plain:
        plain.execution_options(isolation_level="AUTOCOMMIT")
        plain.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


class CommitSignal:
    """Whether other connections have committed: `PRAGMA data_version`, on a connection kept for it."""

    socket: int | None = None
    """There is nothing to wait for: it has to be asked."""

    def __init__(self, engine: Engine) -> None:
        """Commits count from now on."""
        self._connection = engine.connect()
        self._version = self._read()

    def fired(self) -> bool:
        """Whether one has since the last time this was asked."""
        before, self._version = self._version, self._read()
        return self._version != before

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _read(self) -> int:
        version = int(self._connection.exec_driver_sql("PRAGMA data_version").scalar_one())
        self._connection.rollback()
        return version


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin alone
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("mlestar_write", False):
        _begin_write(connection.connection.driver_connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_write(connection: Any) -> None:
    """Take the write lock, asking every millisecond or so.

    SQLite's own waiting sleeps up to 100 ms between two tries, so one of several busy processes can be passed over
    until its time is up; short random pauses give each the same chance.
    """
    deadline = time.monotonic() + WRITE_WAIT_S
    connection.execute("PRAGMA busy_timeout = 0").close()
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE").close()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise _kept_busy() from error
                time.sleep(random.uniform(0.0002, 0.002))  # noqa: S311 - spreads the tries, guards nothing
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").close()
