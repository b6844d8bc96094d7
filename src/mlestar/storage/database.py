"""One database, opened on first use: SQLite in the data folder, or PostgreSQL by setting.

What was acknowledged survives a kill -9 and a power cut, and the writes of all processes queue: what is particular to
each database stands in `sqlite` and `postgres`. Nothing here is imported before the first call that needs it, so the
first protocol reply stays quick.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio
import anyio.to_thread
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mlestar.errors import Unavailable
from mlestar.storage.schema import ensure_current, is_current

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from sqlalchemy import URL, Connection, Engine

    from mlestar.errors import MlestarError

T = TypeVar("T")
AGAIN_S = 0.5
"""Between two tries of a database that is busy or away."""
_log = logging.getLogger(__name__)


class Signal(Protocol):
    """Tells that other connections have committed something. Not for use from two threads at once."""

    socket: int | None
    """Becomes readable when it has something to tell; None where it has to be asked."""

    def fired(self) -> bool:
        """Whether something was committed since the last time this was asked."""
        ...

    def close(self) -> None:
        """Let go of its connection."""
        ...


class Dialect(Protocol):
    """What is particular to a database; a module of its own for each."""

    @property
    def WRITE_OPTIONS(self) -> Mapping[str, Any]:  # noqa: N802 - a constant of the module
        """Execution options that make a transaction a write."""
        ...

    def open_engine(self, url: URL) -> Engine:
        """An engine whose transactions are begun as reads and writes need it."""
        ...

    def explained(self, error: DBAPIError) -> MlestarError | None:
        """What a caller can do about an error; None when it is a defect."""
        ...

    def forget_erased(self, engine: Engine) -> None:
        """Have what was erased disappear from the files too."""
        ...

    def CommitSignal(self, engine: Engine) -> Signal:  # noqa: N802 - a class of the module
        """Tells of commits from now on."""
        ...


class Database:
    """A lazily opened engine with two kinds of transaction: `read` and `write`."""

    def __init__(self, url: str, *, patience_s: float = 0.0) -> None:
        """Remember where the database is; nothing is opened yet.

        Args:
            url: Of SQLAlchemy.
            patience_s: So long `reading` and `writing` try again while the database is busy or away. For whoever has
                nobody to tell it to, and writes what may be written twice.
        """
        self._url = make_url(url)
        self._patience_s = patience_s
        self._engine: Engine | None = None
        self._opening = threading.Lock()
        self._writing = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the file database, which no other machine uses."""
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
        engine = self.engine
        with self._errors_explained(), engine.connect() as connection, connection.begin() as transaction:
            yield connection
            transaction.rollback()

    @contextmanager
    def write(self) -> Generator[Connection]:
        """One all-or-nothing write; on return it is on disk."""
        engine = self.engine
        with self._errors_explained(), self._writing, engine.connect() as plain:
            connection = plain.execution_options(**self._dialect.WRITE_OPTIONS)
            with connection.begin():
                yield connection

    async def reading(self, use: Callable[[Connection], T]) -> T:
        """Run `use` in a read transaction, off the event loop."""

        def call() -> T:
            with self.read() as connection:
                return use(connection)

        return await self._patiently(call)

    async def writing(self, use: Callable[[Connection], T]) -> T:
        """Run `use` in a write transaction, off the event loop; a cancelled caller still gets all or nothing."""

        def call() -> T:
            with self.write() as connection:
                return use(connection)

        return await self._patiently(call)

    async def forget_erased(self) -> None:
        """Have what was erased disappear from the database's files too."""

        def call() -> None:
            with self._errors_explained():
                self._dialect.forget_erased(self.engine)

        await anyio.to_thread.run_sync(call)

    def commit_signal(self) -> Signal:
        """Tells of commits of other connections from now on."""
        with self._errors_explained():
            return self._dialect.CommitSignal(self.engine)

    def close(self) -> None:
        """Release every connection; the next use opens the database again."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    async def _patiently(self, call: Callable[[], T]) -> T:
        until = anyio.current_time() + self._patience_s
        while True:
            try:
                return await anyio.to_thread.run_sync(call)
            except Unavailable as error:
                if anyio.current_time() >= until:
                    raise
                _log.warning("trying again: %s", error.message)
            await anyio.sleep(AGAIN_S)

    @property
    def _dialect(self) -> Dialect:
        if self.is_sqlite:
            from mlestar.storage import sqlite

            return sqlite
        from mlestar.storage import postgres

        return postgres

    def _open(self) -> Engine:
        engine = self._dialect.open_engine(self._url)
        with self._errors_explained(), engine.connect() as plain:
            if not is_current(plain):
                plain.rollback()
                connection = plain.execution_options(**self._dialect.WRITE_OPTIONS)
                with connection.begin():
                    ensure_current(connection)
        return engine

    @contextmanager
    def _errors_explained(self) -> Generator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise Unavailable("Every connection to the database is in use.", do="call again") from error
        except DBAPIError as error:
            explained = self._dialect.explained(error)
            if explained is None:
                raise
            raise explained from error
