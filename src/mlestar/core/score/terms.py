"""What a project asks to be judged under: waivers, overrides of weights and thresholds. All of it is shown.

They stand in the project's pyproject.toml:

    [[tool.mlestar.waivers]]
    check = "X2.3"
    reason = "one maintainer until the hire in spring"
    expires = 2027-03-31

    [tool.mlestar.weights]
    "A3.1" = 2

    [tool.mlestar.limits."T1.2"]
    pass = 0.10
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from mlestar.core.project.trial_plan import undeclarable
from mlestar.core.score.limits import LIMITS
from mlestar.core.score.rubric import CHECKS

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

MAX_WEIGHT = 10
PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A check that a project excuses itself from, why, and the last day on which it may."""

    check: str
    reason: str
    expires: str
    valid: bool


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a project was judged under; `problems` are parts of it that were not honoured, and why."""

    waivers: tuple[Waiver, ...] = ()
    weights: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As stored and shown; empty when the rubric's own terms hold."""
        parts: dict[str, Any] = {
            "waivers": [vars(waiver) for waiver in self.waivers],
            "weights": dict(self.weights),
            "limits": {check: dict(values) for check, values in self.limits.items()},
            "problems": list(self.problems),
        }
        return {key: value for key, value in parts.items() if value}


def terms_of(project: ProjectFacts | None) -> Terms:
    """Read `[tool.mlestar]`. What is wrong in it is named and ignored: a judge does not guess."""
    section = section_of(project)
    problems = undeclarable(inputs_of(project))
    head_time = project.git.head_time if project is not None and project.git is not None else None
    terms = Terms(
        waivers=tuple(_waivers(section.get("waivers", []), head_time, problems)),
        weights=_weights(section.get("weights", {}), problems),
        limits=_limits(section.get("limits", {}), problems),
    )
    return Terms(waivers=terms.waivers, weights=terms.weights, limits=terms.limits, problems=tuple(problems))


def section_of(project: ProjectFacts | None) -> Mapping[str, Any]:
    """The project's `[tool.mlestar]`; empty when there is none."""
    documents = project.manifests.get(PYPROJECT, ()) if project is not None else ()
    for document in documents:
        if isinstance(document, Mapping):
            tool = document.get("tool")
            section = tool.get("mlestar") if isinstance(tool, Mapping) else None
            if isinstance(section, Mapping):
                return section
    return {}


def inputs_of(project: ProjectFacts | None) -> Mapping[str, Any]:
    """The project's `[tool.mlestar.inputs]`: its files and columns, and what of it can be run."""
    listed = section_of(project).get("inputs", {})
    return listed if isinstance(listed, Mapping) else {}


def _waivers(items: object, head_time: int | None, problems: list[str]) -> list[Waiver]:
    waivers: list[Waiver] = []
    for item in items if isinstance(items, list | tuple) else []:
        if not isinstance(item, Mapping):
            problems.append("a waiver is not a table with check, reason and expires")
            continue
        check = str(item.get("check", ""))
        reason = str(item.get("reason", "")).strip()
        expires = _day(item.get("expires"))
        if check not in CHECKS:
            problems.append(f"waiver of {check or 'nothing'}: no such check")
        elif not reason or expires is None:
            problems.append(f"waiver of {check}: it needs a reason and an expiry date")
        else:
            valid = head_time is not None and datetime.fromtimestamp(head_time, UTC).date() <= expires
            if not valid:
                problems.append(
                    f"waiver of {check}: "
                    + (
                        "expired"
                        if head_time is not None
                        else "its expiry is counted from HEAD, and there is no git history"
                    )
                )
            waivers.append(Waiver(check=check, reason=reason, expires=expires.isoformat(), valid=valid))
    return waivers


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _weights(items: object, problems: list[str]) -> dict[str, int]:
    weights: dict[str, int] = {}
    for check, value in items.items() if isinstance(items, Mapping) else ():
        if check in CHECKS and isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_WEIGHT:
            if value != CHECKS[check].weight:
                weights[str(check)] = value
        else:
            problems.append(f"weight of {check}: a known check and a whole number from 1 to {MAX_WEIGHT} are needed")
    return dict(sorted(weights.items()))


def _limits(items: object, problems: list[str]) -> dict[str, dict[str, float]]:
    limits: dict[str, dict[str, float]] = {}
    for check, values in items.items() if isinstance(items, Mapping) else ():
        for name, value in values.items() if isinstance(values, Mapping) else ():
            known = LIMITS.get(str(check), {})
            if (
                name in known
                and isinstance(value, int | float)
                and not isinstance(value, bool)
                and 0 <= value < math.inf
            ):
                if value != known[name]:
                    limits.setdefault(str(check), {})[str(name)] = value
            else:
                valid = ", ".join(f"{check}.{known_name}" for known_name in known) or "none for this check"
                problems.append(f"limit {check}.{name}: valid are {valid}, with a finite number of 0 or more")
    return dict(sorted(limits.items()))
