"""From findings to scores, in exact fractions: the same findings give the same score in any order.

credit(check) = cap(level) x v; criterion = 100 x sum(weight x credit) / sum(weight) over all its checks, known or
not; dimension = mean of its criteria; overall = mean of the five. What is unknown earns nothing and stays in the
denominator, so leaving a bad artefact out never pays more than telling about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.score.rubric import CHECKS, DIMENSIONS

DECISIVE = frozenset({Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL})
STATED = frozenset({Level.CLAIMED, Level.DOCUMENTED, Level.ATTESTED})
SEEN = frozenset({Level.INSPECTED, Level.MEASURED})
DIMENSION_CAP = Fraction(59)
"""A critical fail keeps its dimension below 60, the alert line of a dimension."""
OVERALL_CAP = Fraction(69)
"""A critical fail keeps the overall score below 70, the line of production readiness."""
WAIVED_CREDIT = Level.DOCUMENTED.cap / 2
"""What a waiver is worth: half of a documented pass."""


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The four numbers shown side by side, 0 to 100.

    Attributes:
        score: What the evidence backs.
        declared: The score if every statement proved true when measured.
        ceiling: The score if, besides, everything unknown were measured and passed.
        coverage: Share of the score's weight that was inspected or measured.
    """

    score: Fraction
    declared: Fraction
    ceiling: Fraction
    coverage: Fraction

    def capped(self, cap: Fraction) -> Marks:
        """The same, with no score above `cap`."""
        return replace(
            self, score=min(self.score, cap), declared=min(self.declared, cap), ceiling=min(self.ceiling, cap)
        )


@dataclass(frozen=True, kw_only=True)
class CriterionMarks:
    """One criterion. `claim_quality` is the weighted v, 0 to 1, of what was stated; None when nothing was."""

    id: str
    marks: Marks
    claim_quality: Fraction | None


@dataclass(frozen=True, kw_only=True)
class DimensionMarks:
    """One dimension, after the cap of its critical fails; `uncapped` is its score before it."""

    id: str
    marks: Marks
    uncapped: Fraction
    criteria: tuple[CriterionMarks, ...]
    blockers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """All of it.

    Attributes:
        shares: Check -> the overall points it can carry (its whole weight); all shares sum to 100.
        lost: Check -> overall points it does not earn; they sum to 100 - `uncapped`.
        blockers: Checks with a critical fail.
    """

    dimensions: tuple[DimensionMarks, ...]
    overall: Marks
    uncapped: Fraction
    shares: Mapping[str, Fraction]
    lost: Mapping[str, Fraction]
    blockers: tuple[str, ...]

    def dimension(self, letter: str) -> DimensionMarks:
        """The marks of one dimension."""
        return next(marks for marks in self.dimensions if marks.id == letter)


def resolve(findings: Iterable[Finding]) -> dict[str, Finding]:
    """One finding a check: the strongest evidence that decides; of equal strength the worst verdict.

    Evidence that decides nothing (inconclusive, unknown, error) gives way to any that does. A fail that contradicts a
    weaker pass is marked refuted. A pipeline run measures its own pipeline: what it passes does not excuse a fail that
    was seen in the project. The result is in the rubric's order and does not depend on the input's.
    """
    by_check: dict[str, list[Finding]] = {}
    for finding in findings:
        by_check.setdefault(finding.check, []).append(finding)
    return {check_id: _strongest(by_check[check_id]) for check_id in CHECKS if check_id in by_check}


def _strongest(findings: list[Finding]) -> Finding:
    best = min(findings, key=_precedence)
    if best.run_id and best.outcome in {Outcome.PASS, Outcome.PARTIAL}:
        seen = [f for f in findings if not f.run_id and f.outcome is Outcome.FAIL and f.level in SEEN]
        best = min([best, *seen], key=lambda finding: (finding.value, _precedence(finding)))
    contradicts = best.outcome is Outcome.FAIL and any(
        other.outcome in {Outcome.PASS, Outcome.PARTIAL} and other.level.rank < best.level.rank for other in findings
    )
    return replace(best, refuted=True) if contradicts else best


def _precedence(finding: Finding) -> tuple[object, ...]:
    undecided = {Outcome.NOT_APPLICABLE: -1, Outcome.INCONCLUSIVE: 1, Outcome.ERROR: 2, Outcome.UNKNOWN: 3}
    return (
        undecided.get(finding.outcome, 0),
        -finding.level.rank,
        finding.value,
        list(Outcome).index(finding.outcome) * -1,
        finding.run_id,
        finding.observed,
        str(finding.where),
    )


def credit(finding: Finding, *, waived: bool = False) -> Fraction:
    """What a finding earns of its check's weight, 0 to 1."""
    earned = finding.level.cap * finding.value if finding.outcome in DECISIVE else Fraction(0)
    return max(earned, WAIVED_CREDIT) if waived else earned


def is_blocker(finding: Finding) -> bool:
    """Whether this is a critical fail: known by inspection or measurement, of a critical check."""
    return CHECKS[finding.check].critical and finding.outcome is Outcome.FAIL and finding.level in SEEN


def score(
    findings: Iterable[Finding], *, weights: Mapping[str, int] | None = None, waived: Iterable[str] = ()
) -> Scorecard:
    """Score everything that was found. `weights` override the rubric's; `waived` names checks with a valid waiver."""
    resolved = resolve(findings)
    excused = frozenset(waived)
    criteria = _applying(resolved, weights or {})
    shares = _shares(criteria)
    blockers = tuple(check_id for check_id, finding in resolved.items() if is_blocker(finding))
    marks = {check_id: _marks_of(resolved.get(check_id), check_id in excused) for check_id in shares}
    dimensions = tuple(
        _dimension(letter.id, {c: members for c, members in criteria.items() if c[0] == letter.id}, marks, resolved)
        for letter in DIMENSIONS
    )
    overall = _mean([dimension.marks for dimension in dimensions])
    return Scorecard(
        dimensions=dimensions,
        overall=overall.capped(OVERALL_CAP) if blockers else overall,
        uncapped=_average([dimension.uncapped for dimension in dimensions]),
        shares=shares,
        lost={check_id: share * (1 - marks[check_id].score) for check_id, share in shares.items()},
        blockers=blockers,
    )


def _applying(resolved: Mapping[str, Finding], weights: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Criterion -> check -> weight, of the checks that apply; a criterion with none leaves its dimension's mean."""
    criteria: dict[str, dict[str, int]] = {}
    for spec in CHECKS.values():
        finding = resolved.get(spec.id)
        if finding is None or finding.outcome is not Outcome.NOT_APPLICABLE:
            criteria.setdefault(spec.criterion, {})[spec.id] = weights.get(spec.id, spec.weight)
    return criteria


def _shares(criteria: Mapping[str, Mapping[str, int]]) -> dict[str, Fraction]:
    """Check -> points of 100."""
    per_dimension = Counter(criterion[0] for criterion in criteria)
    return {
        check: Fraction(100 * weight, sum(members.values()) * per_dimension[criterion[0]] * len(per_dimension))
        for criterion, members in criteria.items()
        for check, weight in members.items()
    }


def _marks_of(finding: Finding | None, waived: bool) -> Marks:
    """Score, declared, ceiling and coverage of one check, each 0 to 1."""
    if finding is None or finding.outcome not in DECISIVE:
        earned = WAIVED_CREDIT if waived else Fraction(0)
        return Marks(score=earned, declared=earned, ceiling=Fraction(1), coverage=Fraction(0))
    earned = credit(finding, waived=waived)
    stated = max(earned, finding.value) if finding.level in STATED else earned
    return Marks(score=earned, declared=stated, ceiling=stated, coverage=Fraction(int(finding.level in SEEN)))


def _dimension(
    letter: str,
    criteria: Mapping[str, Mapping[str, int]],
    marks: Mapping[str, Marks],
    resolved: Mapping[str, Finding],
) -> DimensionMarks:
    parts = tuple(
        CriterionMarks(
            id=criterion,
            marks=_weighted([(weight, marks[check]) for check, weight in members.items()]),
            claim_quality=_claim_quality([(w, resolved[check]) for check, w in members.items() if check in resolved]),
        )
        for criterion, members in criteria.items()
    )
    whole = _mean([part.marks for part in parts])
    blocked = tuple(check for check in resolved if check.startswith(letter) and is_blocker(resolved[check]))
    return DimensionMarks(
        id=letter,
        marks=whole.capped(DIMENSION_CAP) if blocked else whole,
        uncapped=whole.score,
        criteria=parts,
        blockers=blocked,
    )


def _claim_quality(members: list[tuple[int, Finding]]) -> Fraction | None:
    stated = [(weight, f) for weight, f in members if f.outcome in DECISIVE and f.level in STATED]
    total = sum(weight for weight, _ in stated)
    return sum((weight * f.value for weight, f in stated), Fraction(0)) / total if total else None


def _weighted(members: list[tuple[int, Marks]]) -> Marks:
    total = sum(weight for weight, _ in members)

    def mean(values: Iterable[tuple[int, Fraction]]) -> Fraction:
        return 100 * sum((weight * value for weight, value in values if value), Fraction(0)) / total

    return Marks(
        score=mean((weight, m.score) for weight, m in members),
        declared=mean((weight, m.declared) for weight, m in members),
        ceiling=mean((weight, m.ceiling) for weight, m in members),
        coverage=mean((weight, m.coverage) for weight, m in members),
    )


def _mean(parts: list[Marks]) -> Marks:
    return Marks(
        score=_average([part.score for part in parts]),
        declared=_average([part.declared for part in parts]),
        ceiling=_average([part.ceiling for part in parts]),
        coverage=_average([part.coverage for part in parts]),
    )


def _average(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)
