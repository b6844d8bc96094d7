"""Tells of every change of the windows, once, whichever process on the database made it."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from mlestar.errors import Unavailable
from mlestar.storage.changes import ChangeWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlestar.storage.changes import WindowChange
    from mlestar.storage.database import Database

LOOK_EVERY_S = 0.25
"""How long another process's commit may stay unseen where the database does not tell of it (SQLite); our own are
looked at as they happen. Also how long after a lost connection a new one is tried."""
LOOK_ANYWAY_S = 30.0
"""After so long a database that tells of commits is asked nevertheless: a dead connection tells nothing."""
GATHER_S = 0.05
"""Commits within this time are looked at together: a burst of writes does not pay for a look each."""
_log = logging.getLogger(__name__)


class WindowWatch:
    """Looks at which windows reached a new version and calls `on_change(workspace, windows)`."""

    def __init__(self, database: Database, on_change: Callable[[str, Sequence[int]], None]) -> None:
        """Nothing is opened."""
        self._watch = ChangeWatch(database)
        self._on_change = on_change
        self._wake = anyio.Event()
        self.is_ready = False
        """Whether a commit from now on will be seen."""

    def look_now(self) -> None:
        """This process has just committed: do not wait for the next look."""
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled; a database that is away for a while is asked again, and nothing is missed."""
        try:
            while True:
                self._wake = anyio.Event()
                await self._look()
                await self._until_next()
        finally:
            self.is_ready = False
            self._watch.close()

    async def _look(self) -> None:
        try:
            changes = await anyio.to_thread.run_sync(self._watch.poll)
        except Unavailable as error:
            if self.is_ready:
                _log.warning("changes of windows are told later: %s", error)
            self.is_ready = False
            return
        self.is_ready = True
        self._tell(changes)

    async def _until_next(self) -> None:
        told_by = self._watch.socket
        if told_by is not None:
            with anyio.move_on_after(LOOK_ANYWAY_S):
                await anyio.wait_readable(told_by)
                await anyio.sleep(GATHER_S)
            return
        with anyio.move_on_after(LOOK_EVERY_S):
            await self._wake.wait()
            await anyio.sleep(GATHER_S)

    def _tell(self, changes: Sequence[WindowChange]) -> None:
        touched: defaultdict[str, set[int]] = defaultdict(set)
        for change in changes:
            touched[change.workspace].add(change.window)
        for workspace, windows in touched.items():
            self._on_change(workspace, sorted(windows))
