"""What is worked out of collected facts, once for all checks that look at it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Derived:
    """Facts that keep what was worked out of them. They never change, so what was worked out once stays right."""

    @cached_property
    def _derived(self) -> dict[str, Any]:
        return {}

    def derived(self, name: str, work: Callable[[Self], T]) -> T:
        """What `work` makes of these facts, the first time that somebody asks for `name`."""
        if name not in self._derived:
            self._derived[name] = work(self)
        return self._derived[name]
