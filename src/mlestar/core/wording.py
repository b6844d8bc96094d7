"""Short forms of numbers and lists in what a finding says."""

from __future__ import annotations

from collections.abc import Sequence


def listed(items: Sequence[object], most: int = 5) -> str:
    """The first items, and how many more there are."""
    shown = ", ".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def percent(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{100 * share:.1f}%"


def counted(n: int, thing: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
