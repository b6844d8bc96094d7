"""Notices what other connections, of this process or another, have committed to the windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.storage import window_reads

if TYPE_CHECKING:
    from mlestar.storage.database import Database, Signal


@dataclass(frozen=True, kw_only=True)
class WindowChange:
    """A window that reached a new version."""

    workspace: str
    window: int
    version: int


class ChangeWatch:
    """Polled by whoever tells subscribers; cheap while nothing changes. Not for use from two threads at once."""

    def __init__(self, database: Database) -> None:
        """Nothing is opened before the first poll."""
        self._database = database
        self._signal: Signal | None = None
        self._seq: int | None = None

    @property
    def socket(self) -> int | None:
        """Readable when a poll has something to look at; None where only a poll can tell."""
        return None if self._signal is None else self._signal.socket

    def poll(self) -> list[WindowChange]:
        """The windows that changed since the poll before; the first one only notes where things stand.

        After an error the next poll connects anew and reads on from where the last one had come to.

        Raises:
            Unavailable: The database cannot be reached.
        """
        try:
            return self._poll()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        signal, self._signal = self._signal, None
        if signal is not None:
            signal.close()

    def _poll(self) -> list[WindowChange]:
        if self._signal is None:
            self._signal = self._database.commit_signal()
        elif not self._signal.fired():
            return []
        with self._database.read() as connection:
            before = self._seq
            self._seq, found = window_reads.versions_since(connection, before or 0, only_newest=before is None)
        return [WindowChange(workspace=name, window=window, version=number) for name, window, number in found]
