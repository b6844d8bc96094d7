"""PostgreSQL as the database, for several servers at once.

Writes queue on one advisory lock, as they do on SQLite's BEGIN IMMEDIATE: what is numbered in the order of writing (the
events that watchers read on from) is then also committed in that order, so nobody who reads on from a number misses
one. The statement that takes the lock also leaves a notification, which PostgreSQL delivers if and when the write is
committed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import InterfaceError, OperationalError

from mlestar.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError

    from mlestar.errors import MlestarError

WRITE_WAIT_S = 15
"""How long a write waits for others."""
IDLE_WRITE_S = 60
"""After so long between two statements of a write its server is taken for lost: the others go on."""
CONNECT_S = 10
LOCK = 0x6D6C_6573_7461_72  # "mlestar"
CHANNEL = "mlestar_commit"
WRITE_OPTIONS: Mapping[str, Any] = {"mlestar_write": True, "isolation_level": "READ COMMITTED"}
"""A snapshot taken before the lock was there would be too old."""
_REACHABLE = {"connect_timeout": CONNECT_S, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_LOCK_NOT_AVAILABLE = "55P03"
_COLLIDED = frozenset({"40001", "40P01"})
_log = logging.getLogger(__name__)


def open_engine(url: URL) -> Engine:
    """An engine on a database that exists; a read sees one snapshot throughout."""
    defaults = {name: value for name, value in _REACHABLE.items() if name not in url.query}
    engine = create_engine(url, isolation_level="REPEATABLE READ", pool_pre_ping=True, connect_args=defaults)
    event.listen(engine, "begin", _begin)
    return engine


def explained(error: DBAPIError) -> MlestarError | None:
    """A lock that did not come free or a database out of reach, as a caller understands it; None for other errors."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == _LOCK_NOT_AVAILABLE:
        return Unavailable(
            f"Other processes kept the database busy for {WRITE_WAIT_S} s; nothing was written.", do="call again"
        )
    if state in _COLLIDED:
        return Unavailable("Two writes stood in each other's way; nothing was written.", do="call again")
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    _log.warning("the database: %s", str(error.orig).strip())
    if error.connection_invalidated or state:
        return Unavailable(
            "The database ended the connection; a write that was under way may or may not be stored.",
            do="call again; a write with its request_id is stored once",
        )
    return Unavailable(
        "The database cannot be reached, or refuses this server; nothing was read or written.",
        do="check that PostgreSQL runs and that MLESTAR_DATABASE_URL is right (the server's log says more), call again",
    )


def forget_erased(engine: Engine) -> None:
    """Vacuum what entries were erased from. Backups and archived logs keep what they had."""
    with engine.connect() as plain:
        plain.execution_options(isolation_level="AUTOCOMMIT")
        plain.exec_driver_sql("VACUUM entries, entry_terms")


class CommitSignal:
    """Whether anyone, this process included, has committed a write: LISTEN, on a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        """Commits count from now on."""
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._driver: Any = self._connection.connection.driver_connection
        self._connection.detach()
        self._connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        self.socket: int | None = self._driver.fileno()
        """Becomes readable when one has, and when the connection is lost."""

    def fired(self) -> bool:
        """Whether one has since the last time this was asked.

        Raises:
            Unavailable: The connection is lost.
        """
        import psycopg

        try:
            return bool(list(self._driver.notifies(timeout=0)))
        except psycopg.Error as error:
            raise Unavailable("The database ended the connection.", do="connect again") from error

    def close(self) -> None:
        """End the connection, also one that is lost."""
        self._driver.close()
        self._connection.invalidate()
        self._connection.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("mlestar_write", False):
        connection.exec_driver_sql(
            f"SELECT set_config('lock_timeout', '{WRITE_WAIT_S}s', true),"
            f" set_config('idle_in_transaction_session_timeout', '{IDLE_WRITE_S}s', true),"
            f" pg_advisory_xact_lock({LOCK}), pg_notify('{CHANNEL}', '')"
        )
