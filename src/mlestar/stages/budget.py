"""How long training may take, in processor seconds of this process and of those that fit for it."""

from __future__ import annotations

import time
from collections.abc import Callable

DEFAULT_S = 60.0
"""Of a config that names no `training.timeBudgetS`."""


class Budget:
    """Seconds that are used up by working, not by waiting: a loaded machine trains the same model as a quiet one."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.process_time) -> None:
        """The clock starts now."""
        self.seconds = seconds
        self._clock = clock
        self._begun = clock()
        self._elsewhere = 0.0

    @property
    def used(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._begun + self._elsewhere

    def charge(self, seconds: float) -> None:
        """Count processor seconds that were used on its behalf in another process."""
        self._elsewhere += seconds

    @property
    def left(self) -> float:
        """Seconds that remain; below zero when a piece of work took longer than what was left."""
        return self.seconds - self.used
