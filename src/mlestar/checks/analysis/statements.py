"""What a request states about analysis (modelMetrics), beside the numbers themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlestar.checks.registry import statement
from mlestar.checks.stated import claims
from mlestar.core.claims.slots import Slot, slot_verdict
from mlestar.core.claims.statements import stated_metrics
from mlestar.core.claims.text import first_number, under
from mlestar.core.evidence import Level, Outcome, Verdict
from mlestar.core.statistics.intervals import wilson_half_width

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

N_KEYS = r"^(n|n test|test (size|rows|samples|n)|support|samples|rows)$"
PROPORTIONS = ("accuracy", "recall", "precision", "specificity", "balanced_accuracy")
EXAMPLE_SIZES = (200, 1_000)
RECALL_SLOTS = (
    Slot(name="recall of one class", keys=r"\b(recall|sensitivity|tpr)\b", value=r"\d"),
    Slot(
        name="recall of every class",
        keys=r"\b(recall|class\w*) .*(recall|class|\b0|\b1|neg\w*|pos\w*)\b|\bspecificity\b",
        value=r"\d",
    ),
    Slot(
        name="rows of each class",
        keys=r"\b(support|rows|n) .*(class|\b0|\b1|neg\w*|pos\w*)\b|\bclass (counts|support)\b",
        value=r"\d",
    ),
    Slot(name="decision threshold", keys=r"\b(decision )?threshold$", value=r"\d"),
)
EXPLANATION_SLOTS = (
    Slot(name="global explanation", keys=r"\b(feature importances?|importances?|global explanation|shap summary)\b"),
    Slot(name="local explanation", keys=r"\b(local explanation|lime|shap values|per row explanation)\b"),
)


@statement("A1.3")
def precision_of_the_headline(facts: Facts) -> Iterable[Verdict]:
    """The half-width that the stated n gives the stated headline metric."""
    claim = facts.claims.get("analysis", {})
    headline = next((m for name in PROPORTIONS for m in stated_metrics(claim) if m.metric == name), None)
    n = first_number(claims(facts, "analysis"), N_KEYS)
    if headline is None or not 0 <= headline.value <= 1 or n is None or n < 1:
        return
    half = wilson_half_width(headline.value, int(n))
    yield Verdict(
        outcome=Outcome.PASS
        if half <= facts.limit("A1.3", "pass")
        else Outcome.PARTIAL
        if half <= facts.limit("A1.3", "partial")
        else Outcome.FAIL,
        level=Level.CLAIMED,
        observed=f"{headline.key} {headline.value:g} on a stated n of {n:,.0f} is known to +-{100 * half:.1f} points",
        n=int(n),
    )


@statement("A2.2")
def recall_of_classes(facts: Facts) -> Iterable[Verdict]:
    """Recall of each class, rows of each class, and the threshold."""
    verdict = slot_verdict(RECALL_SLOTS, claims(facts, "analysis"), Level.CLAIMED)
    if verdict:
        yield verdict


@statement("A3.1")
def fairness_figures(facts: Facts) -> Iterable[Verdict]:
    """Stated impact ratio and opportunity gap, against their lines."""
    stated = claims(facts, "analysis")
    ratio = first_number(stated, r"\b(disparate impact|impact ratio|selection rate ratio)\b")
    gap = first_number(stated, r"\b(equal opportunity( difference)?|tpr (gap|difference)|opportunity gap)\b")
    if ratio is None and gap is None:
        return
    line, most = facts.limit("A3.1", "impact_ratio"), facts.limit("A3.1", "opportunity_gap")
    fine = [ratio is not None and line <= ratio <= 1 / line, gap is not None and abs(gap) <= most]
    bad = (ratio is not None and not fine[0]) or (gap is not None and not fine[1])
    yield Verdict(
        outcome=Outcome.FAIL if bad else Outcome.PASS if all(fine) else Outcome.PARTIAL,
        level=Level.CLAIMED,
        observed=f"stated impact ratio {ratio if ratio is not None else 'not given'}, "
        f"opportunity gap {gap if gap is not None else 'not given'}",
    )


@statement("A4.2")
def explanations(facts: Facts) -> Iterable[Verdict]:
    """A global and a local explanation."""
    verdict = slot_verdict(EXPLANATION_SLOTS, claims(facts, "analysis"), Level.CLAIMED)
    if verdict:
        yield verdict


@statement("A5.2")
def arms_sizes(facts: Facts) -> Iterable[Verdict]:
    """Stated sizes of two equal arms: sample ratio mismatch by chi-square with one degree of freedom."""
    from statistics import NormalDist

    stated = under(claims(facts, "analysis"), r"\b(arm|assignment|users|control|treatment)\b")
    control = first_number(stated, r"\bcontrol( n| users| size| count)?$")
    treated = first_number(stated, r"\b(treatment|variant)( n| users| size| count)?$")
    if not control or not treated or min(control, treated) < 1:
        return
    z = abs(control - treated) / (control + treated) ** 0.5
    p = 2 * (1 - NormalDist().cdf(z))
    yield Verdict(
        outcome=Outcome.PASS
        if p >= facts.limit("A5.2", "pass")
        else Outcome.PARTIAL
        if p >= facts.limit("A5.2", "partial")
        else Outcome.FAIL,
        level=Level.CLAIMED,
        observed=f"stated arms of {control:,.0f} and {treated:,.0f}: p = {p:.2g} for an equal split",
    )
