"""Reads the arguments of a thinking call as clients really send them: numbers and booleans as strings, or left out.

A value is coerced only where no other reading is possible: `"3"` is 3, but `true` and `[3]` are no numbers.
"""

from __future__ import annotations

from typing import Any

from mlestar.errors import InputTooLarge, InvalidInput

MOST_STEPS = 100
MOST_NUMBER = 1_000_000
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


def number(name: str, value: Any) -> int | None:
    """A positive whole number, or None when it was left out.

    Raises:
        InvalidInput: it is something else.
    """
    if value is None or value == "":
        return None
    found = value
    if isinstance(value, str) and value.strip().removeprefix("+").isdecimal() and len(value) < 10:  # noqa: PLR2004 - longer is no step number
        found = int(value)
    if isinstance(value, float) and value.is_integer():
        found = int(value)
    if isinstance(found, int) and not isinstance(found, bool) and 1 <= found <= MOST_NUMBER:
        return found
    raise InvalidInput(f"{name} is {_shown(value)}.", valid=["a whole number from 1 on"], do=f"send {name} as a number")


def flag(name: str, value: Any) -> bool | None:
    """A boolean, or None when it was left out.

    Raises:
        InvalidInput: it is something else.
    """
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if value == "":
        return None
    raise InvalidInput(f"{name} is {_shown(value)}.", valid=["true", "false"], do=f"send {name} as a boolean")


def steps(value: Any) -> list[str]:
    """The descriptions of the steps: a list of texts, or one text with a step a line.

    Raises:
        InvalidInput: something else, or a blank step.
        InputTooLarge: more than 100.
    """
    if value is None or value == "":
        return []
    listed: Any = [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise InvalidInput(f"steps is {_shown(value)}.", valid=["a list of texts"], do="send one text for each step")
    if len(listed) > MOST_STEPS:
        raise InputTooLarge(
            f"There are {len(listed)} steps; one call takes at most {MOST_STEPS}. Nothing was stored.",
            do="group them, or send the rest in another call",
        )
    for at, step in enumerate(listed, start=1):
        if not isinstance(step, str) or not step.strip():
            raise InvalidInput(
                f"Step {at} is {_shown(step)}. Nothing was stored.", valid=["a text that says something"]
            )
    return [*listed]


def _shown(value: Any) -> str:
    return repr(value)[:80]
