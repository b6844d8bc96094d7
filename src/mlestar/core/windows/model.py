"""The seven windows, priorities, kinds and states: the vocabulary of the memory, and how a caller's words map to it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mlestar.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Window:
    """One of the seven: its number, name, default priority, and what the product itself writes there."""

    number: int
    name: str
    priority: int
    holds: str


WINDOWS = (
    Window(number=1, name="Scoping", priority=5, holds="goal, constraints, success metric; scoping findings"),
    Window(number=2, name="Training", priority=4, holds="training findings, chosen data, features and algorithm"),
    Window(number=3, name="Analysis", priority=4, holds="metrics, error slices, fairness findings"),
    Window(number=4, name="Reliability", priority=3, holds="deployment, drift and rollback findings"),
    Window(number=5, name="Excellence", priority=3, holds="documentation, security and reproducibility findings"),
    Window(number=6, name="Thinking", priority=2, holds="thoughts, revisions, branches, conclusions"),
    Window(number=7, name="Working", priority=2, holds="pipeline runs, tool results, scratch"),
)
"""Default priorities follow the integration guide's own example, 5 - floor(i / 2)."""

PRIORITY_NAMES = {"scratch": 0, "ephemeral": 1, "low": 2, "normal": 3, "high": 4, "critical": 5}
IMPORTANT = 4
"""From this priority on an entry is important: the retention guarantee covers it."""
CRITICAL = 5
"""Never altered or evicted by balancing."""
KINDS = ("note", "decision", "fact", "thought", "finding", "json", "code")


class State(StrEnum):
    """Where an entry stands. Only a live one is shown in a window."""

    LIVE = "live"
    ARCHIVED = "archived"  # by balancing, or by compacting: still found by id and by query
    SUPERSEDED = "superseded"  # a newer entry stands in its place
    EXPIRED = "expired"  # its time to live ran out
    REMOVED = "removed"  # the caller removed it: found by id only, until it is restored or purged
    PURGED = "purged"  # its text is erased; the tombstone stays
    SPLIT = "split"  # a long important entry: its parts are live in its place


def window_number(value: Any) -> int:
    """The window a caller means by a number or a name.

    Raises:
        InvalidInput: neither, with the seven valid choices.
    """
    if isinstance(value, str):
        wanted = value.strip()
        by_name = {window.name.lower(): window.number for window in WINDOWS}
        if wanted.lower() in by_name:
            return by_name[wanted.lower()]
        value = int(wanted) if wanted.isdecimal() and len(wanted) == 1 else value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= len(WINDOWS):
        return value
    near = difflib.get_close_matches(str(value).lower(), [window.name.lower() for window in WINDOWS], 1)
    raise InvalidInput(
        f"There is no window {value!r}.",
        valid=[f"{window.number} ({window.name})" for window in WINDOWS],
        do=f"use window {near[0].capitalize()}" if near else "choose one of the seven windows",
    )


def priority_number(value: Any, default: int) -> int:
    """The priority a caller means: 0 to 5, one of the names, or None for the default.

    Raises:
        InvalidInput: anything else.
    """
    if value is None or value == "":
        return default
    if isinstance(value, str):
        wanted = value.strip().lower()
        if wanted in PRIORITY_NAMES:
            return PRIORITY_NAMES[wanted]
        value = int(wanted) if wanted.isdecimal() and len(wanted) == 1 else value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= CRITICAL:
        return value
    near = difflib.get_close_matches(str(value).lower(), list(PRIORITY_NAMES), 1)
    raise InvalidInput(
        f"{value!r} is not a priority; 5 is the most important.",
        valid=[f"{number} ({name})" for name, number in PRIORITY_NAMES.items()],
        do=f"use {near[0]}" if near else "use a number from 0 to 5",
    )


def choice(name: str, value: str, valid: tuple[str, ...]) -> str:
    """`value` when it is one of `valid`.

    Raises:
        InvalidInput: it is not; the nearest valid one is named.
    """
    if value in valid:
        return value
    near = difflib.get_close_matches(str(value).lower(), valid, 1)
    raise InvalidInput(
        f"{value!r} is not a {name}.", valid=valid, do=f"use {near[0]}" if near else f"choose a valid {name}"
    )
