"""The scorecard as kept and shown: brought up to date by every write of findings, so that reading it is one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.evidence import Where
from mlestar.core.score.alerting import Alert
from mlestar.core.score.readiness import NextAction
from mlestar.core.score.rubric import RUBRIC_VERSION
from mlestar.core.score.views import CriterionView, DimensionView, FindingView, Interpretation, numbers

if TYPE_CHECKING:
    from mlestar.core.score.views import Judgement


@dataclass(frozen=True, kw_only=True)
class ScoreSummary:
    """Five dimensions and overall, what they rest on, what is wrong, what to do next.

    `trend` is what the newest change of findings did: when, by what, how many points, the checks that moved most.
    `notes` say what the project is, where the rubric was made for something else.
    """

    score: Mapping[str, float]
    interpretation: Interpretation
    declared: float
    ceiling: float
    coverage: float
    alerts: tuple[Alert, ...]
    blockers: tuple[FindingView, ...]
    next_actions: tuple[NextAction, ...]
    dimensions: tuple[DimensionView, ...]
    terms: Mapping[str, Any]
    trend: Mapping[str, Any]
    rubric_version: str = RUBRIC_VERSION
    notes: tuple[str, ...] = ()


def summary_of(
    judgement: Judgement, terms: Mapping[str, Mapping[str, Any]], trend: Mapping[str, Any] | None = None
) -> ScoreSummary:
    """The summary of a judgement; of the terms, what departs from the rubric's own is shown."""
    figures = numbers(judgement.card.overall)
    return ScoreSummary(
        score=judgement.scores(),
        interpretation=judgement.interpretation(),
        declared=figures["declared"],
        ceiling=figures["ceiling"],
        coverage=figures["coverage"],
        alerts=judgement.alerts,
        blockers=judgement.blockers(),
        next_actions=judgement.actions(),
        dimensions=judgement.dimensions(),
        terms={letter: part for letter, part in terms.items() if part},
        trend=trend or {},
        notes=tuple(dict.fromkeys(note for part in terms.values() for note in part.get("notes", ()))),
    )


def to_json(summary: ScoreSummary) -> dict[str, Any]:
    """As JSON values."""
    return asdict(summary)


def from_json(parts: Mapping[str, Any]) -> ScoreSummary:
    """The summary that `to_json` took apart."""
    rebuilt: dict[str, Any] = dict(parts)
    rebuilt["interpretation"] = Interpretation(**parts["interpretation"])
    rebuilt["alerts"] = tuple(Alert(**alert) for alert in parts["alerts"])
    rebuilt["blockers"] = tuple(finding_view(view) for view in parts["blockers"])
    rebuilt["next_actions"] = tuple(NextAction(**_placed(action)) for action in parts["next_actions"])
    rebuilt["dimensions"] = tuple(_dimension(view) for view in parts["dimensions"])
    rebuilt["notes"] = tuple(parts.get("notes", ()))
    return ScoreSummary(**rebuilt)


def finding_view(parts: Mapping[str, Any]) -> FindingView:
    """The finding as shown that `asdict` took apart."""
    return FindingView(**_placed(parts))


def _dimension(parts: Mapping[str, Any]) -> DimensionView:
    rebuilt: dict[str, Any] = dict(parts)
    rebuilt["criteria"] = tuple(CriterionView(**criterion) for criterion in parts["criteria"])
    rebuilt["blockers"] = tuple(parts["blockers"])
    return DimensionView(**rebuilt)


def _placed(parts: Mapping[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = dict(parts["where"])
    place["rows"] = tuple(place["rows"])
    return {**parts, "where": Where(**place)}
