"""Everything that a written report shows, in one value: the same for markdown, HTML and SARIF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlestar.core.score.ml_test_score import MlTestScore
    from mlestar.core.score.summary import ScoreSummary
    from mlestar.core.score.views import FindingView


SHOWN_OF_COMMIT = 12


@dataclass(frozen=True, kw_only=True)
class CheckText:
    """What the catalogue says of a check, as far as it is implemented."""

    title: str
    claim: str = ""
    why: str = ""
    how: str = ""
    threshold: str = ""
    source: str = ""
    fix: str = ""
    limits: str = ""
    critical: bool = False
    weight: int = 1


@dataclass(frozen=True, kw_only=True)
class Report:
    """One workspace's judgement, ready to be laid out. `findings` are the most important first."""

    workspace: str
    summary: ScoreSummary
    findings: Sequence[FindingView]
    ml_test_score: MlTestScore
    history: Sequence[Mapping[str, Any]]
    checks: Mapping[str, CheckText]
    version: str


def judged(entry: Mapping[str, Any]) -> str:
    """When an entry of the history came about, and by what, in words."""
    return f"{datetime.fromtimestamp(entry['at'], UTC):%Y-%m-%d %H:%M} UTC: {cause(entry)}"


def cause(entry: Mapping[str, Any]) -> str:
    """What an entry of the history came from: an evaluation of something, or a run."""
    by = entry["cause"]
    if "evaluated" not in by:
        return f"run {by.get('name') or by['run']}"
    commit = f" at commit {by['commit'][:SHOWN_OF_COMMIT]}" if by.get("commit") else ""
    return f"evaluated {by['evaluated']}" + (f" of {by['project']}{commit}" if by.get("project") else "")


def departures(terms: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Waivers, overridden weights and thresholds, and what of them was not honoured, in words."""
    lines: list[str] = []
    for part in terms.values():
        lines += [f"waiver of {w['check']} until {w['expires']}: {w['reason']}" for w in part.get("waivers", [])]
        lines += [f"weight of {check}: {weight}" for check, weight in part.get("weights", {}).items()]
        lines += [
            f"limit {check}.{name}: {value:g}"
            for check, values in part.get("limits", {}).items()
            for name, value in values.items()
        ]
        lines += [f"not honoured: {problem}" for problem in part.get("problems", [])]
    return list(dict.fromkeys(lines))
