"""Tells of every change of the windows, once, whichever process of the data folder made it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from mlestar.storage.changes import ChangeWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlestar.storage.changes import WindowChange
    from mlestar.storage.database import Database

LOOK_EVERY_S = 0.25
"""How long another process's commit may stay unseen; our own are looked at as they happen."""

GATHER_S = 0.05
"""Our own commits within this time are looked at together: a burst of writes does not pay for a look each."""


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
        """Look until cancelled."""
        try:
            while True:
                self._wake = anyio.Event()
                self._tell(await anyio.to_thread.run_sync(self._watch.poll))
                self.is_ready = True
                with anyio.move_on_after(LOOK_EVERY_S):
                    await self._wake.wait()
                    await anyio.sleep(GATHER_S)
        finally:
            self.is_ready = False
            self._watch.close()

    def _tell(self, changes: Sequence[WindowChange]) -> None:
        touched: defaultdict[str, set[int]] = defaultdict(set)
        for change in changes:
            touched[change.workspace].add(change.window)
        for workspace, windows in touched.items():
            self._on_change(workspace, sorted(windows))
