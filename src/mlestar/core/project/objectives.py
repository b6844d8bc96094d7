"""Service level objectives as a project writes them down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.claims.documents import statements_in
from mlestar.core.claims.slots import is_concrete

if TYPE_CHECKING:
    from mlestar.core.claims.text import Statement
    from mlestar.core.facts.project import ProjectFacts

DOCUMENTS = r"(^|/|[_-])(slos?|slas?|service[_-]?level[^/]*)([_.-]|/)"
_LATENCY = r"\bp9[059]\b.*|.*\blatency\b.*|.*\bresponse time\b.*"
_MEASURE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|sec|seconds?)?\b", re.IGNORECASE)
_SHARE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(%)?")


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """What was found; a part that is not stated is None or empty. Shares are 0 to 1."""

    path: str = ""
    p95_ms: float | None = None
    availability: float | None = None
    error_rate: float | None = None
    rps: float | None = None
    window: str = ""
    owner: str = ""


def objectives(project: ProjectFacts | None) -> Objectives:
    """Read the SLO documents; the first statement of each part counts."""
    stated = statements_in(project, DOCUMENTS)
    if not stated:
        return Objectives()
    return Objectives(
        path=stated[0].path,
        p95_ms=_milliseconds(stated),
        availability=_share(stated, r"availability|uptime", 0.5, 1.0),
        error_rate=_share(stated, r"error (rate|budget|ratio)|errors", 0.0, 0.5),
        rps=_number(stated, r"\b(rps|qps|requests per second|throughput)\b"),
        window=_text(stated, r"\b(window|period)\b", r"\d"),
        owner=_text(stated, r"\b(owner|team|contact|responsible)\b", r"[A-Za-z@]{2}"),
    )


def _milliseconds(stated: Sequence[Statement]) -> float | None:
    for statement in stated:
        if not re.fullmatch(_LATENCY, statement.key):
            continue
        match = _MEASURE.search(re.sub(r"\bp9\d\b", "", statement.text))
        if match:
            unit = (match[2] or "").lower()
            seconds = unit.startswith("s") or (not unit and re.search(r"\b(s|sec|seconds)$", statement.key) is not None)
            return float(match[1]) * (1000 if seconds else 1)
    return None


def _share(stated: Sequence[Statement], key: str, low: float, high: float) -> float | None:
    """A number as a share: 99.9 and 99.9% are 0.999; only what lies in the range is one."""
    for statement in stated:
        match = _SHARE.search(statement.text) if re.search(rf"\b({key})\b", statement.key) else None
        if match:
            number = float(match[1]) / (100 if match[2] or float(match[1]) > 1 else 1)
            if low <= number <= high:
                return number
    return None


def _number(stated: Sequence[Statement], key: str) -> float | None:
    for statement in stated:
        match = _MEASURE.search(statement.text) if re.search(key, statement.key) else None
        if match:
            return float(match[1])
    return None


def _text(stated: Sequence[Statement], key: str, must: str) -> str:
    for statement in stated:
        if re.search(key, statement.key) and re.search(must, statement.text) and is_concrete(statement.text):
            return " ".join(statement.text.split())[:60]
    return ""
