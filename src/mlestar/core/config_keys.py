"""Reading one section of a free JSON config: known keys only, each of its kind and in its range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mlestar.errors import InvalidInput

_KINDS = {str: "a text", int: "a whole number", float: "a number", list: "a list of texts", dict: "an object"}


@dataclass(frozen=True)
class Key:
    """One key: its spelling in the config, the kind of its value, what is allowed."""

    key: str
    kind: type
    name: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


def nearest(name: str, valid: Iterable[str]) -> str:
    """What to do about an unknown name: the nearest valid one, if any is near."""
    names = list(valid)
    lowered = {choice.lower(): choice for choice in names}
    close = get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return f"did you mean {lowered[close[0]]!r}?" if close else "use one of the valid names"


def refuse_unknown(given: Any, valid: Iterable[str], where: str) -> None:
    """Refuse a section that is no object, or that has a key nobody knows."""
    names = tuple(valid)
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{where} must be an object", valid=names)
    for key in given:
        if key not in names:
            raise InvalidInput(f"unknown key {key!r} in {where}", valid=names, do=nearest(str(key), names))


def read_section(given: Any, keys: tuple[Key, ...], where: str) -> dict[str, Any]:
    """The values of one section by their internal names; what was not given is left out."""
    refuse_unknown(given, [key.key for key in keys], where)
    return {key.name or key.key: _value(given[key.key], key, f"{where}.{key.key}") for key in keys if key.key in given}


def _value(value: Any, key: Key, where: str) -> Any:
    if key.kind is list:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise InvalidInput(f"{where} must be {_KINDS[list]}, not {value!r}", valid=key.choices)
        for item in items:
            _check_choice(item, key, where)
        return tuple(dict.fromkeys(items))
    if key.kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, key.kind) or isinstance(value, bool):
        raise InvalidInput(f"{where} must be {_KINDS[key.kind]}, not {value!r}", valid=key.choices)
    if isinstance(value, str):
        _check_choice(value, key, where)
    if isinstance(value, int | float):
        _check_range(value, key, where)
    return value


def _check_choice(value: str, key: Key, where: str) -> None:
    if key.choices and value not in key.choices:
        raise InvalidInput(f"{where}: there is no {value!r}", valid=key.choices, do=nearest(value, key.choices))


def _check_range(value: float, key: Key, where: str) -> None:
    low = float("-inf") if key.low is None else key.low
    high = float("inf") if key.high is None else key.high
    if not low <= value <= high:
        raise InvalidInput(
            f"{where} is {value}", valid=(f"{key.low} to {key.high}",), do="choose a value in this range"
        )
