"""How a service's result looks outside: the same JSON for MCP, REST and the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import cache
from pathlib import PurePath
from typing import Any, cast

PLAIN = frozenset({str, int, float, bool, type(None)})
"""Most values by far: looked at first."""


def camel(name: str) -> str:
    """`next_actions` -> `nextActions`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


@cache
def _names(kind: type) -> tuple[tuple[str, str], ...] | None:
    """The fields of a result type: inside, outside; None for what is no result type."""
    return tuple((field.name, camel(field.name)) for field in fields(kind)) if is_dataclass(kind) else None


def wire(value: object) -> Any:  # noqa: PLR0911 - one return a kind of value
    """Turn a result into JSON values.

    Field names of dataclasses become camelCase; keys of mappings are data and stay as they are. An enum becomes its
    value, a fraction a number, a path its text.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if (names := _names(kind)) is not None:
        return {
            outside: inner if type(inner := getattr(value, name)) in PLAIN else wire(inner) for name, outside in names
        }
    match value:
        case dict():  # the two that most nested values are, before those whose test is slow
            items = cast("dict[Any, Any]", value).items()
            return {
                key if type(key) is str else str(wire(key)): item if type(item) in PLAIN else wire(item)
                for key, item in items
            }
        case list() | tuple():
            return [item if type(item) in PLAIN else wire(item) for item in cast("list[Any]", value)]
        case Enum():
            return value.value
        case Fraction():
            return float(value)
        case Mapping():
            return {str(wire(key)): wire(item) for key, item in value.items()}
        case set() | frozenset():
            return [wire(item) for item in cast("set[Any]", value)]
        case PurePath():
            return str(value)
        case _:
            return value
