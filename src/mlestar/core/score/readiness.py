"""What a score means: words, alerts, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from mlestar.core.evidence import Finding, Level, Outcome, Where
from mlestar.core.score.alerting import OVERALL, Alert, score_alerts
from mlestar.core.score.rubric import CHECKS, DIMENSIONS
from mlestar.core.score.scoring import DECISIVE, Scorecard, credit, score
from mlestar.core.wording import counted

READY = 70
"""Overall score from which a system counts as ready for production (the integration guide's line)."""
WORDS = ((80, "Excellent"), (60, "Good"), (40, "Needs Improvement"))
EFFORT_COST = {1: 1, 2: 3, 3: 8}
"""Relative cost of minutes, hours, days of work: our own judgement, used for ranking only."""
DRIFT_CHECK = "R5.3"
ACTIONS = 3
_TRIAL = frozenset({"execute"})
CALL = "evaluate_dimension"
"""Where an absent input is named: an argument of this call."""


@dataclass(frozen=True, kw_only=True)
class NextAction:
    """One thing to do, with the points (of the score it stands beside) that it would give.

    `where` is the place to mend, line 1 of the file to write, or the argument to name (`evaluate_dimension#groups`).
    """

    check: str
    text: str
    gain: float
    where: Where = field(default_factory=Where)


def shown(value: Fraction) -> float:
    """A score as displayed: rounded down to one decimal, so nothing looks better than it is."""
    return math.floor(value * 10) / 10


def interpretation(overall: Fraction) -> str:
    """The integration guide's word for an overall score."""
    return next((word for line, word in WORDS if overall >= line), "Poor")


def production_ready(card: Scorecard) -> bool:
    """70 or more and no critical fail (whose cap makes the two the same)."""
    return card.overall.score >= READY and not card.blockers


def verdict(card: Scorecard, alerts: Iterable[Alert], *, overrides: int = 0) -> str:
    """The one-line answer: ready, ready with alerts, or not ready and why.

    It never hides that the project judged itself by weights and thresholds of its own: `overrides` is how many.
    """
    own = f", under {counted(overrides, 'override')} of the rubric" if overrides else ""
    return _verdict(card, alerts) + own


def _verdict(card: Scorecard, alerts: Iterable[Alert]) -> str:
    if card.blockers:
        return f"not ready: blocked by {', '.join(card.blockers)}"
    if not production_ready(card):
        return "not ready: unproven" if card.overall.ceiling >= READY else "not ready: below 70 whatever is still shown"
    return "ready with alerts" if list(alerts) else "ready"


def alerts_of(card: Scorecard, findings: Mapping[str, Finding]) -> list[Alert]:
    """The alerts that follow from a scorecard; `findings` are the resolved ones."""
    drift = findings.get(DRIFT_CHECK)
    drifted: list[Alert] = []
    if drift is not None and drift.outcome in {Outcome.FAIL, Outcome.PARTIAL} and drift.level is Level.MEASURED:
        message = f"{DRIFT_CHECK} {drift.outcome}: {drift.observed}"
        drifted = [Alert(kind="drift", message=message, about=drift.outcome.value)]
    scores = {
        dimension.key: shown(marks.marks.score) for dimension, marks in zip(DIMENSIONS, card.dimensions, strict=True)
    }
    return score_alerts({**scores, OVERALL: shown(card.overall.score)}, drifted)


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What passing a check on the strongest evidence it can reach would add: overall points, and its dimension's."""

    overall: Fraction
    dimension: Fraction


def gain_of(
    finding: Finding,
    card: Scorecard,
    findings: Mapping[str, Finding],
    *,
    weights: Mapping[str, int] | None = None,
    waived: Collection[str] = (),
) -> Gain:
    """The points of a check: its share of what it does not earn yet. For a critical fail the lifted cap counts too."""
    spec = CHECKS[finding.check]
    if finding.check not in card.shares or finding.outcome is Outcome.NOT_APPLICABLE:
        return Gain(overall=Fraction(0), dimension=Fraction(0))
    if finding.check in card.blockers:
        fixed = replace(finding, outcome=Outcome.PASS, level=spec.best_of(finding.run_id), value=Fraction(1))
        after = score(
            [*(f for f in findings.values() if f.check != finding.check), fixed], weights=weights, waived=waived
        )
        own = after.dimension(spec.dimension).marks.score - card.dimension(spec.dimension).marks.score
        return Gain(overall=after.overall.score - card.overall.score, dimension=own)
    best = spec.best_of(finding.run_id).cap
    points = card.shares[finding.check] * max(Fraction(0), best - credit(finding, waived=finding.check in waived))
    return Gain(overall=points, dimension=points * len(card.dimensions))


def order_of(finding: Finding, card: Scorecard, gain: Fraction) -> tuple[object, ...]:
    """Sort key of findings, most important first: blockers, refuted, fails, then what would give most."""
    rank = {Outcome.FAIL: 2, Outcome.PARTIAL: 3, Outcome.ERROR: 4, Outcome.INCONCLUSIVE: 4, Outcome.UNKNOWN: 5}
    importance = 0 if finding.check in card.blockers else 1 if finding.refuted else rank.get(finding.outcome, 6)
    return (importance, -gain, list(CHECKS).index(finding.check))


def next_actions(
    findings: Mapping[str, Finding],
    gains: Mapping[str, Fraction],
    *,
    given: Iterable[str],
    blockers: Iterable[str],
    runnable: Mapping[str, str] | None = None,
) -> list[NextAction]:
    """The three steps that give most points for their effort, blockers first.

    An input that was not given at all is one step: naming it may settle many checks at once. `given` are the names of
    the inputs this evaluation had; `runnable` maps a check to what `execute` would run for it (None: nobody looked): a
    check that a given project has nothing to run for does not wait for `execute`.
    """
    have = _Given(names=frozenset(given) | {"statement"}, runnable=runnable)
    blocked = tuple(blockers)
    candidates = [
        ((0 if check in blocked else 1, -gains[check] / EFFORT_COST[CHECKS[check].effort], check), _fix(finding, gains))
        for check, finding in findings.items()
        if gains.get(check, 0) > 0 and finding.outcome is not Outcome.PASS and not _lacks_input(finding, have)
    ]
    candidates.sort(key=lambda candidate: candidate[0])
    missing = _input_actions(findings, gains, have)
    actions = [action for _, action in candidates]
    blocking = [action for action in actions if action.check in blocked]
    rest = [action for action in actions if action.check not in blocked]
    first = blocking[:ACTIONS]
    # Running the project's code is the caller's decision: it is proposed after what can be mended by hand.
    inputs = [action for lacking, action in missing if lacking != _TRIAL][: 1 if rest else ACTIONS]
    others = [action for _, action in missing if action not in inputs]
    return [*first, *inputs, *rest, *others][:ACTIONS]


@dataclass(frozen=True, kw_only=True)
class _Given:
    """The inputs there were, and what `execute` would run."""

    names: frozenset[str]
    runnable: Mapping[str, str] | None

    def lacking(self, check: str) -> tuple[str, ...]:
        """The inputs that could still settle the check."""
        idle = self.runnable is not None and "project" in self.names and check not in self.runnable
        have = self.names | {"execute"} if idle else self.names
        return tuple(need for need in CHECKS[check].needs if need not in have)

    def running(self, checks: Iterable[str]) -> str:
        """What would be run for these checks, in brackets; empty when that is not known."""
        known = self.runnable or {}
        runs = dict.fromkeys(known[check] for check in checks if check in known)
        return f" (it runs {', '.join(runs)})" if runs else ""


def _lacks_input(finding: Finding, have: _Given) -> bool:
    return finding.outcome not in DECISIVE and bool(have.lacking(finding.check))


def _fix(finding: Finding, gains: Mapping[str, Fraction]) -> NextAction:
    spec = CHECKS[finding.check]
    return NextAction(
        check=finding.check,
        text=finding.fix or spec.title,
        gain=round(float(gains[finding.check]), 2),
        where=finding.where if str(finding.where) else Where(path=spec.home, line=1 if spec.home else None),
    )


def _input_actions(
    findings: Mapping[str, Finding], gains: Mapping[str, Fraction], have: _Given
) -> list[tuple[frozenset[str], NextAction]]:
    """One action an absent input: what naming it alone would settle, biggest gain first."""
    waiting = {check: f for check, f in findings.items() if _lacks_input(f, have) and gains.get(check, 0) > 0}
    groups: dict[tuple[str, ...], list[str]] = {}
    for check in waiting:
        groups.setdefault(have.lacking(check), []).append(check)
    actions: list[tuple[Fraction, frozenset[str], NextAction]] = []
    for lacking, checks in groups.items():
        total = sum((gains[check] for check in checks), Fraction(0))
        top = max(checks, key=lambda check: (gains[check], check))
        names = " and ".join(f"`{name}`" for name in lacking)
        text = f"Evaluate again with {names}: it settles {len(checks)} check{'s' * (len(checks) != 1)} unknown now"
        text += have.running(checks) if "execute" in lacking else ""
        argument = Where(path=CALL, column=lacking[0])
        action = NextAction(check=top, text=text, gain=round(float(total), 2), where=argument)
        actions.append((total, frozenset(lacking), action))
    actions.sort(key=lambda entry: (-entry[0], entry[2].check))
    shown: list[tuple[frozenset[str], NextAction]] = []
    for _, lacking, action in actions:
        if not any(lacking >= earlier for earlier, _ in shown):  # more inputs on top of one that is asked for already
            shown.append((lacking, action))
    return shown
