"""Notices what other connections, of this process or another, have committed to the windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.storage import window_reads

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.storage.database import Database


@dataclass(frozen=True, kw_only=True)
class WindowChange:
    """A window that reached a new version."""

    workspace: str
    window: int
    version: int


class ChangeWatch:
    """Polled by whoever tells subscribers; cheap while nothing changes.

    A poll that finds nothing is one `PRAGMA data_version` (SQLite's own counter of foreign commits) on a connection
    kept for it. Not for use from two threads at once.
    """

    def __init__(self, database: Database) -> None:
        """Nothing is opened before the first poll."""
        self._database = database
        self._connection: Connection | None = None
        self._data_version = -1
        self._seq = 0

    def poll(self) -> list[WindowChange]:
        """The windows that changed since the poll before; the first one only notes where things stand."""
        connection = self._connection
        if connection is None:
            connection = self._connection = self._database.engine.connect()
            self._data_version = self._foreign_commits(connection)
            self._seq = window_reads.versions_since(connection, 0, only_newest=True)[0]
            connection.rollback()
            return []
        version = self._foreign_commits(connection)
        if version == self._data_version:
            connection.rollback()
            return []
        self._data_version = version
        self._seq, found = window_reads.versions_since(connection, self._seq)
        connection.rollback()
        return [WindowChange(workspace=name, window=window, version=number) for name, window, number in found]

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _foreign_commits(self, connection: Connection) -> int:
        if not self._database.is_sqlite:
            return self._data_version - 1
        return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
