"""The shapes in which findings and scores are shown, and how they are made: pure, the same for every interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mlestar.core.evidence import Finding, Level, Outcome, Where
from mlestar.core.score.readiness import (
    Gain,
    NextAction,
    alerts_of,
    gain_of,
    interpretation,
    next_actions,
    order_of,
    production_ready,
    shown,
    verdict,
)
from mlestar.core.score.rubric import CHECKS, DIMENSIONS, RUBRIC_VERSION, criterion_of
from mlestar.core.score.scoring import DimensionMarks, Marks, Scorecard, resolve, score

if TYPE_CHECKING:
    from mlestar.core.score.alerting import Alert


@dataclass(frozen=True, kw_only=True)
class FindingView:
    """A finding as shown. `gain` is in points of the score it stands beside."""

    check: str
    title: str
    outcome: str
    level: str
    where: Where
    observed: str
    threshold: str
    source: str
    fix: str
    gain: float
    critical: bool = False
    refuted: bool = False
    n: int | None = None
    run_id: str = ""
    rubric: str = RUBRIC_VERSION


@dataclass(frozen=True, kw_only=True)
class CriterionView:
    """A criterion as shown. `claim_quality` is a percentage, None when nothing was stated."""

    id: str
    name: str
    score: float
    declared: float
    ceiling: float
    coverage: float
    claim_quality: float | None


@dataclass(frozen=True, kw_only=True)
class DimensionView:
    """A dimension as shown: the numbers side by side, its criteria, the checks that cap it."""

    id: str
    key: str
    name: str
    score: float
    declared: float
    ceiling: float
    coverage: float
    criteria: tuple[CriterionView, ...]
    blockers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Interpretation:
    """The integration guide's words for a score, and this project's one-line verdict."""

    overall: str
    production_ready: bool
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Everything that follows from the findings of one workspace, before it is cut to a view."""

    findings: Mapping[str, Finding]
    card: Scorecard
    gains: Mapping[str, Gain]
    alerts: tuple[Alert, ...]
    given: frozenset[str] = field(default_factory=frozenset)
    runnable: Mapping[str, str] | None = None
    overrides: int = 0

    @classmethod
    def of(cls, found: Iterable[Finding], terms: Mapping[str, Mapping[str, Any]]) -> Judgement:
        """Score `found` under the terms (dimension letter -> waivers, weights, given) it was judged under.

        The terms of a dimension are those of the project that it was evaluated for, and hold for its own checks only.
        """
        weights = {
            check: int(weight)
            for letter, part in terms.items()
            for check, weight in part.get("weights", {}).items()
            if check.startswith(letter)
        }
        limits = {
            (check, name)
            for letter, part in terms.items()
            for check, values in part.get("limits", {}).items()
            for name in values
            if check.startswith(letter)
        }
        waived = {
            waiver["check"]
            for letter, part in terms.items()
            for waiver in part.get("waivers", [])
            if waiver["valid"] and waiver["check"].startswith(letter)
        }
        kept = list(found)
        silent = CHECKS.keys() - {finding.check for finding in kept}
        findings = resolve([*kept, *map(_unjudged, silent)])
        card = score(findings.values(), weights=weights, waived=waived)
        return cls(
            findings=findings,
            card=card,
            gains={check: gain_of(f, card, findings, weights=weights, waived=waived) for check, f in findings.items()},
            alerts=tuple(alerts_of(card, findings)),
            given=frozenset(name for part in terms.values() for name in part.get("given", [])),
            runnable=_runnable(terms.values()),
            overrides=len(weights) + len(limits),
        )

    def ordered(self, letter: str = "") -> list[Finding]:
        """The findings of a dimension (all, if empty), most important first."""
        chosen = [finding for check, finding in self.findings.items() if check.startswith(letter)]
        return sorted(chosen, key=lambda finding: order_of(finding, self.card, self.gains[finding.check].overall))

    def points(self, check: str, letter: str = "") -> Fraction:
        """The gain of a check in points of its dimension when that is what is shown, else in overall points."""
        return self.gains[check].dimension if letter else self.gains[check].overall

    def view(self, finding: Finding, letter: str = "") -> FindingView:
        """One finding as shown beside the score of a dimension (overall, if empty)."""
        return FindingView(
            check=finding.check,
            title=CHECKS[finding.check].title,
            outcome=finding.outcome.value,
            level=finding.level.value,
            where=finding.where,
            observed=finding.observed,
            threshold=finding.threshold,
            source=finding.source,
            fix=finding.fix,
            gain=round(float(self.points(finding.check, letter)), 2),
            critical=CHECKS[finding.check].critical,
            refuted=finding.refuted,
            n=finding.n,
            run_id=finding.run_id,
        )

    def actions(self, letter: str = "") -> tuple[NextAction, ...]:
        """The three next actions within a dimension (all, if empty)."""
        within = {check: finding for check, finding in self.findings.items() if check.startswith(letter)}
        gains = {check: self.points(check, letter) for check in within}
        return tuple(next_actions(within, gains, given=self.given, blockers=self.card.blockers, runnable=self.runnable))

    def blockers(self) -> tuple[FindingView, ...]:
        """The critical fails."""
        return tuple(self.view(self.findings[check]) for check in self.card.blockers)

    def interpretation(self) -> Interpretation:
        """The words for the overall score."""
        return Interpretation(
            overall=interpretation(self.card.overall.score),
            production_ready=production_ready(self.card),
            verdict=verdict(self.card, self.alerts, overrides=self.overrides),
        )

    def dimensions(self) -> tuple[DimensionView, ...]:
        """The five dimensions as shown."""
        return tuple(_dimension_view(marks) for marks in self.card.dimensions)

    def scores(self) -> dict[str, float]:
        """Dimension key -> score, and overall."""
        return {
            **{view.key: view.score for view in self.dimensions()},
            "overall": shown(self.card.overall.score),
        }


def _runnable(terms: Iterable[Mapping[str, Any]]) -> dict[str, str] | None:
    """Check -> what executing would run for it; None when no evaluation has looked."""
    looked = [part["runnable"] for part in terms if "runnable" in part]
    return {check: text for part in looked for check, text in part.items()} if looked else None


def _unjudged(check: str) -> Finding:
    """What stands for a check until an evaluation or a run has said something about it."""
    return Finding(
        check=check,
        outcome=Outcome.UNKNOWN,
        level=Level.NONE,
        value=Fraction(0),
        observed="never judged",
        threshold="",
        source="",
        fix="",
    )


def numbers(marks: Marks) -> dict[str, float]:
    """The four numbers as shown."""
    return {
        "score": shown(marks.score),
        "declared": shown(marks.declared),
        "ceiling": shown(marks.ceiling),
        "coverage": shown(marks.coverage),
    }


def _dimension_view(marks: DimensionMarks) -> DimensionView:
    dimension = next(d for d in DIMENSIONS if d.id == marks.id)
    criteria = tuple(
        CriterionView(
            id=criterion.id,
            name=criterion_of(criterion.id).name,
            claim_quality=None if criterion.claim_quality is None else shown(criterion.claim_quality * 100),
            **numbers(criterion.marks),
        )
        for criterion in marks.criteria
    )
    return DimensionView(
        id=dimension.id,
        key=dimension.key,
        name=dimension.name,
        criteria=criteria,
        blockers=marks.blockers,
        **numbers(marks.marks),
    )
