"""Shortens JSON, which stays valid JSON, and code, which stays code."""

from __future__ import annotations

import json
import re
from typing import Any

from mlestar.core.compression.prose import Count, graphemes

KEPT_ITEMS = 3
"""Items of a long list that stay as examples of the rest."""
LONGEST_VALUES = (200, 80, 40, 16)
"""Steps of the longest text value that is kept, in characters, until the whole fits."""
MOST_CHARACTERS_A_TOKEN = 20
"""A longer text is over the budget without being counted."""
_SIGNATURE = re.compile(
    r"^\s*(?:@\w|async\s+def\b|def\b|class\b|import\b|from\b|function\b|export\b|public\b|private\b|protected\b|static\b"
    r"|fn\b|pub\b|func\b|struct\b|enum\b|trait\b|impl\b|interface\b|type\b|module\b|package\b|#include\b|const\b"
    r"|create\b|select\b|insert\b|[A-Z_]{3,}\s*=)",
    re.IGNORECASE,
)


def minified(text: str) -> str | None:
    """The same JSON without white space; None when the text is not JSON."""
    value = _parse(text)
    return None if value is None else _dump(value)


def pruned(text: str, budget: int, count: Count) -> str | None:
    """Valid JSON of at most `budget` tokens where possible: long values give way, keys stay; None if no JSON."""
    value = _parse(text)
    if value is None:
        return None
    for depth in (12, 6, 4, 3, 2, 1):
        for longest in LONGEST_VALUES:
            shown = _dump(_prune(value, longest, depth))
            if len(shown) <= budget * MOST_CHARACTERS_A_TOKEN and count(shown) <= budget:
                return shown
    kept = len(value)
    while kept:
        kept //= 2
        shown = _dump(_first_items(value, kept))
        if len(shown) <= budget * MOST_CHARACTERS_A_TOKEN and count(shown) <= budget:
            return shown
    return _dump(_first_items(value, 0))


def squeezed(code: str) -> str:
    """The code without blank lines and trailing space, indented by one space a level."""
    lines = [line.rstrip() for line in code.expandtabs(4).split("\n") if line.strip()]
    indents = sorted({len(line) - len(line.lstrip()) for line in lines})
    rank = {indent: number for number, indent in enumerate(indents)}
    return "\n".join(" " * rank[len(line) - len(line.lstrip())] + line.lstrip() for line in lines)


def signatures(code: str, budget: int, count: Count) -> str:
    """The lines that declare something, as many from the top as fit; \u2026 stands for what is left out."""
    lines = code.split("\n")
    declared = [line for line in lines if _SIGNATURE.match(line)] or lines
    kept: list[str] = []
    room = budget - 2
    for line in declared:
        size = count(line + "\n")
        if size > room:
            break
        kept.append(line)
        room -= size
    return "\n".join([*kept, "\u2026"]) if len(kept) < len(lines) else "\n".join(kept)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _first_items(value: Any, kept: int) -> Any:
    """The first items of an object or list, pruned to one level, and how many more there are."""
    if isinstance(value, dict):
        first = {key: _prune(value[key], LONGEST_VALUES[-1], 1) for key in list(value)[:kept]}
        return {**first, "\u2026": len(value) - kept}
    return [*(_prune(item, LONGEST_VALUES[-1], 1) for item in value[:kept]), f"\u2026 {len(value) - kept} more"]


def _parse(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _prune(value: Any, longest: int, depth: int) -> Any:
    if isinstance(value, str) and len(value) > longest:
        return "".join(graphemes(value[: longest * 4])[: longest // 2]) + "\u2026"
    if isinstance(value, dict):
        return {key: _prune(item, longest, depth - 1) for key, item in value.items()} if depth else "\u2026"
    if isinstance(value, list):
        if not depth:
            return "\u2026"
        kept = [_prune(item, longest, depth - 1) for item in value[:KEPT_ITEMS]]
        return kept if len(value) <= KEPT_ITEMS else [*kept, f"\u2026 {len(value) - KEPT_ITEMS} more"]
    return value
