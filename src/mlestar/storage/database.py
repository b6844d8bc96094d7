"""One database, opened on first use: SQLite in the data folder, or PostgreSQL by setting.

SQLite runs in WAL mode with synchronous=FULL: what was acknowledged survives a kill -9 and a power cut. Every
write transaction starts with BEGIN IMMEDIATE, so two processes on one data folder queue instead of failing.
Nothing here is imported before the first call that needs it, so the first protocol reply stays quick.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from mlestar.errors import Unavailable
from mlestar.storage.schema import ensure_current, is_current

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5_000
"""How long SQLite itself waits for a lock (a checkpoint, a recovery) before it gives up."""
PAGE_CACHE_KIB = 1_000
"""Pages that a connection holds itself; the system caches the rest, once for all servers."""
WRITE_WAIT_S = 15.0
"""How long a write waits for those of other processes."""
WRITE_OPTION = "mlestar_write"


class Database:
    """A lazily opened engine with two kinds of transaction: `read` and `write`."""

    def __init__(self, url: str) -> None:
        """Remember where the database is; nothing is opened yet."""
        self._url = make_url(url)
        self._engine: Engine | None = None
        self._opening = threading.Lock()
        self._writing = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the file database (full-text search and change polling differ)."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def is_open(self) -> bool:
        """Whether this process has used it."""
        return self._engine is not None

    @property
    def engine(self) -> Engine:
        """The engine; the first access opens the database and brings its schema up to date."""
        if self._engine is None:
            with self._opening:
                if self._engine is None:
                    self._engine = self._open()
        return self._engine

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A consistent snapshot; changes made in it are rolled back."""
        with _lock_errors_explained(), self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            transaction.rollback()

    @contextmanager
    def write(self) -> Generator[Connection]:
        """One all-or-nothing write; on return it is on disk."""
        engine = self.engine
        with _lock_errors_explained(), self._writing, engine.connect() as plain:
            connection = plain.execution_options(**{WRITE_OPTION: True})
            with connection.begin():
                yield connection

    async def reading(self, use: Callable[[Connection], T]) -> T:
        """Run `use` in a read transaction, off the event loop."""

        def call() -> T:
            with self.read() as connection:
                return use(connection)

        return await anyio.to_thread.run_sync(call)

    async def writing(self, use: Callable[[Connection], T]) -> T:
        """Run `use` in a write transaction, off the event loop; a cancelled caller still gets all or nothing."""

        def call() -> T:
            with self.write() as connection:
                return use(connection)

        return await anyio.to_thread.run_sync(call)

    async def truncate_log(self) -> None:
        """Bring SQLite's write-ahead log into the file and empty it, so that what was erased stands nowhere."""
        if not self.is_sqlite:
            return

        def call() -> None:
            with _lock_errors_explained(), self.engine.connect() as plain:
                plain.execution_options(isolation_level="AUTOCOMMIT")
                plain.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

        await anyio.to_thread.run_sync(call)

    def close(self) -> None:
        """Release every connection; the next use opens the database again."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _open(self) -> Engine:
        if self.is_sqlite and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(self._url)
        if self.is_sqlite:
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        with _lock_errors_explained(), engine.connect() as plain:
            if not is_current(plain):
                plain.rollback()
                connection = plain.execution_options(**{WRITE_OPTION: True})
                with connection.begin():
                    ensure_current(connection)
        return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite alone
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITE_OPTION, False):
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
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.0002, 0.002))  # noqa: S311 - spreads the tries, guards nothing
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").close()


@contextmanager
def _lock_errors_explained() -> Generator[None]:
    try:
        yield
    except OperationalError as error:
        if "locked" not in str(error.orig) and "busy" not in str(error.orig):
            raise
        raise Unavailable(
            f"Other processes kept the database busy for {WRITE_WAIT_S:.0f} s; nothing was written.",
            do="call again",
        ) from error
