"""Analysis by what is written: consistent numbers, error categories, the fairness decision, the experiment's design."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mlestar.checks.registry import check
from mlestar.checks.stated import claims, stated
from mlestar.core.claims.arithmetic import Arithmetic, check_numbers
from mlestar.core.claims.documents import CARD, EXPERIMENT, README
from mlestar.core.claims.slots import DATE, Slot, fill, is_concrete, slot_verdict
from mlestar.core.claims.text import Statement, first_number, number_of, under
from mlestar.core.evidence import Level, Outcome, Verdict, Where
from mlestar.core.statistics.intervals import n_per_arm

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

METRICS_FILE = r"(^|/)(metrics|scores|results|evaluation|eval)[^/]*\.(json|ya?ml)$"
ERRORS = r"error (analysis|categor\w+|types?|buckets?)|failure (modes|analysis|categories)|errors?$"
ERROR_DOCUMENT = r"error.?analysis|failure.?(modes|analysis)|errors?\.(md|json|ya?ml)"
CATEGORY = re.compile(
    r"^[ \t]*(?:[-*+|]|\d+[.)])[ \t]*(?P<name>[A-Za-z][^:|\n]{2,80}?)[ \t]*[:|(][ \t]*(?P<count>\d{1,6})\b",
    re.MULTILINE,
)
EXAMPLE = re.compile(r"\bexamples?\b|\be\.g\.|[\"“'`][^\"”'`\n]{6,}[\"”'`]|\brow \d+|\bid[ :=#]*\d+", re.IGNORECASE)
FAIRNESS_SLOTS = (
    Slot(
        name="chosen metric",
        keys=r"\b(fairness metric|fairness criterion)\b",
        text=r"\b(?:equal(?:i[sz]ed)? (?:opportunity|odds)|demographic parity|disparate impact|four[- ]fifths|"
        r"selection rate|tpr (?:difference|gap)|predictive parity)\b",
    ),
    Slot(
        name="why",
        keys=r"\b(fairness (rationale|reason)|why this metric)\b",
        text=r"(?:fairness|bias|parity|opportunity|odds|impact)[^.\n]{0,160}\bbecause\b[^.\n]{6,}",
    ),
    Slot(
        name="accepted by",
        keys=r"\b(accepted by|residual (risk|bias) (accepted|owner)|fairness approver)\b",
        text=r"\b(?:accepted|approved|signed off) by\s+@?[A-Za-z][\w.@-]+",
    ),
)
DESIGN = r"\b(experiment|a b test|ab test|test design|design|hypothesis|a/b test)\b|ab$"
IS = r"\b\W{0,4}(?:of |is )?"
DESIGN_SLOTS = (
    Slot(
        name="unit",
        keys=r"\b(unit|randomi[sz]ation unit|randomi[sz]e by)\b",
        text=r"\brandomi[sz](?:ed? (?:by|per|on)|ation unit\W{1,3}) ?\w+",
        within=DESIGN,
    ),
    Slot(
        name="arms",
        keys=r"\b(arms?|variants?|groups|split|traffic split)\b",
        text=r"\bcontrol\b[^.\n]{0,40}\b(?:treatment|variant|test)\b",
        within=DESIGN,
    ),
    Slot(
        name="metric",
        keys=r"\b(primary metric|metric|oec|outcome)\b",
        text=r"\b(?:primary metric|oec)\b\W{1,4}(?:is )?[a-z][\w -]{2,40}",
        within=DESIGN,
    ),
    Slot(
        name="smallest effect",
        keys=r"\b(mde|minimum detectable effect|smallest effect|effect size)\b",
        value=r"\d",
        text=rf"\b(?:mde|minimum detectable effect|smallest effect){IS}\d[\d.]*",
        within=DESIGN,
    ),
    Slot(
        name="alpha",
        keys=r"\b(alpha|significance( level)?)\b",
        value=r"\d",
        text=rf"\b(?:alpha|significance(?: level)?){IS}[\d.]+ ?%?",
        within=DESIGN,
    ),
    Slot(name="power", keys=r"\bpower\b", value=r"\d", text=rf"\bpower{IS}[\d.]+ ?%?", within=DESIGN),
    Slot(
        name="n",
        keys=r"\b(n|sample size|n per arm|users per arm|per arm)\b",
        value=r"\d",
        text=r"\b\d[\d,]* [a-z]+ (?:per|in each|for each) (?:arm|variant|group)|"
        rf"\bsample size{IS}\d[\d,]*",
        within=DESIGN,
    ),
    Slot(
        name="stopping rule",
        keys=r"\b(stopping( rule)?|stop|duration|end)\b",
        value=rf"\d|sequential|fixed|{DATE}",
        text=r"\bstop(?:s|ped)?\b[^.\n]{0,30}\b(?:after|at|when|on)\b[^.\n]{0,20}\d|"
        r"\bfixed horizon\b|\bsequential \w+",
        within=DESIGN,
    ),
)
N_TOLERANCE = 0.8
"""A stated n may fall short of the formula by this factor before it is called too small: formulas differ that much."""


@check("A1.2")
def claimed_numbers_are_consistent(facts: Facts) -> Iterable[Verdict]:
    """The stated metrics can all be true of one and the same set of predictions.

    Why: Numbers that contradict each other were not measured together, or not at all.
    How: Ranges; F1 inside the interval that rounded precision and recall imply; accuracy, precision and recall imply a
        prevalence (1 - acc) / ((1 - R) + R (1 - P) / P) between 0 and 1; counts give the stated rates; RMSE >= MAE.
    Threshold: pass all relations hold, partial too few numbers to relate, fail a contradiction (then it is measured).
    Source: The definitions of the metrics.
    Fix: State TP, FP, FN, TN and n: everything else follows from them.
    Limits: Binary metrics; macro and weighted averages obey no such identities and are checked for range only.
    """
    for level, where, claim in _claimed_numbers(facts):
        arithmetic = check_numbers(claim)
        if arithmetic.relations:
            yield _consistency(arithmetic, level, where)


def _claimed_numbers(facts: Facts) -> Iterable[tuple[Level, Where, Mapping[str, Any]]]:
    claim = facts.claims.get("analysis", {})
    if claim:
        yield Level.CLAIMED, Where(), claim
    if facts.project is not None:
        for path, document in facts.project.parsed():
            if re.search(METRICS_FILE, path, re.IGNORECASE) and isinstance(document, Mapping):
                yield Level.DOCUMENTED, facts.project.where(path), document


def _consistency(arithmetic: Arithmetic, level: Level, where: Where) -> Verdict:
    if arithmetic.contradictions:
        return Verdict(
            outcome=Outcome.FAIL,
            level=Level.MEASURED,
            observed="; ".join(arithmetic.contradictions),
            where=where,
            fix="correct the number that is wrong, and state TP, FP, FN, TN and n",
        )
    related = [relation for relation in arithmetic.relations if "in range" not in relation]
    notes = "; ".join(arithmetic.notes)
    return Verdict(
        outcome=Outcome.PASS if related else Outcome.PARTIAL,
        level=level,
        observed=(f"consistent: {', '.join(related)}" if related else "in range; too few numbers to relate")
        + (f"; {notes}" if notes else ""),
        where=where,
    )


@check("A2.3")
def errors_were_categorised(facts: Facts) -> Iterable[Verdict]:
    """Errors were looked at: three categories with counts and examples, which add up to the errors there are.

    Why: An average hides the pattern; reading fifty errors shows what to fix.
    How: Categories with counts are read from an error analysis; with predictions, their sum is compared with the
        errors in the predictions file.
    Threshold: pass three categories with examples (and, with predictions, the sum matches), partial less.
    Source: Rules of Machine Learning, rule 26: look for patterns in the measured errors.
    Fix: Tag 50 errors, write the categories with counts and one example each.
    Limits: Whether the categories are the right ones is not judged.
    """
    wanted = int(facts.limit("A2.3", "categories"))
    stated_errors = [s for s in under(claims(facts, "analysis"), ERRORS) if number_of(s.value) is not None]
    if stated_errors:
        yield _categories(
            {s.key: int(number_of(s.value) or 0) for s in stated_errors}, wanted, Level.CLAIMED, Where(), examples=False
        )
    if facts.project is None:
        return
    for path, text in facts.project.documents().items():
        if not re.search(ERROR_DOCUMENT, path, re.IGNORECASE) and not re.search(
            rf"^#+.*(?:{ERRORS})", text, re.IGNORECASE | re.MULTILINE
        ):
            continue
        found = {match["name"].strip(): int(match["count"]) for match in CATEGORY.finditer(_error_part(path, text))}
        if found:
            yield _against_predictions(facts, found, wanted, facts.project.where(path), bool(EXAMPLE.search(text)))
            return


def _error_part(path: str, text: str) -> str:
    """The section about errors; the whole text of a document that is about them."""
    if re.search(ERROR_DOCUMENT, path, re.IGNORECASE):
        return text
    match = re.search(
        rf"^#+[^\n]*(?:{ERRORS})[^\n]*\n(?P<part>.*?)(?=^#|\Z)", text, re.IGNORECASE | re.MULTILINE | re.DOTALL
    )
    return match["part"] if match else ""


def _categories(found: Mapping[str, int], wanted: int, level: Level, where: Where, *, examples: bool) -> Verdict:
    full = len(found) >= wanted and examples
    lacks = "" if examples else "; no examples"
    return Verdict(
        outcome=Outcome.PASS if full else Outcome.PARTIAL,
        level=level,
        observed=f"{len(found)} error categories with counts, {sum(found.values())} errors{lacks}",
        where=where,
    )


def _against_predictions(facts: Facts, found: Mapping[str, int], wanted: int, where: Where, examples: bool) -> Verdict:
    predictions = facts.data.predictions if facts.data is not None else None
    if (
        predictions is None
        or predictions.y_pred is None
        or (facts.data is not None and facts.data.task == "regression")
    ):
        return _categories(found, wanted, Level.DOCUMENTED, where, examples=examples)
    errors = sum(str(a) != str(b) for a, b in zip(predictions.y_true, predictions.y_pred, strict=True))
    tagged = sum(found.values())
    possible = tagged <= errors
    verdict = _categories(found, wanted, Level.INSPECTED, where, examples=examples)
    return Verdict(
        outcome=verdict.outcome if possible else Outcome.FAIL,
        level=Level.INSPECTED,
        observed=f"{verdict.observed}; the predictions have {errors} errors"
        + ("" if possible else ": more were categorised than there are"),
        where=where,
    )


@check("A3.3")
def fairness_decision_is_recorded(facts: Facts) -> Iterable[Verdict]:
    """Which fairness metric was chosen, why, and who accepted what remains.

    Why: Fairness metrics exclude each other: the choice is a decision, and somebody has to own it.
    How: Three slots in the request and the documents.
    Threshold: pass 3 of 3; otherwise k of 3.
    Source: NIST AI RMF MEASURE 2.11.
    Fix: Write one paragraph: the metric, because of what, and accepted by whom.
    Limits: Whether the choice fits the use is not judged.
    """
    for level, statements in stated(facts, "analysis", README, CARD, r"fairness|bias|ethic|responsible"):
        verdict = slot_verdict(FAIRNESS_SLOTS, statements, level)
        if verdict:
            yield verdict


@check("A5.1")
def experiment_is_designed(facts: Facts) -> Iterable[Verdict]:
    """The experiment has a unit, arms, a metric, a smallest effect, alpha, power, n and a stopping rule.

    Why: A test designed after its data proves what one likes.
    How: Eight slots; alpha and power must reach their bounds, and n must suffice for the smallest effect by the
        two-proportion formula when a base rate is given: that arithmetic is measured.
    Threshold: pass 8 of 8 with alpha <= .05 and power >= .8; otherwise k of 8.
    Source: Trustworthy Online Controlled Experiments (Kohavi, Tang and Xu 2020).
    Fix: Write down the missing parts before the first user is assigned.
    Limits: The formula is for two arms and a rate.
    """
    for level, statements in stated(facts, "analysis", EXPERIMENT):
        own = statements if level is Level.DOCUMENTED else [s for s in statements if re.search(DESIGN, s.key)]
        filled = [item for item in fill(DESIGN_SLOTS, own) if _in_bounds(item.slot, item.words, facts)]
        if not filled:
            continue
        names = [item.slot for item in filled]
        missing = [slot.name for slot in DESIGN_SLOTS if slot.name not in names]
        where = Where(path=filled[0].statement.path, line=filled[0].statement.line)
        short = _n_falls_short(own)
        observed = f"{len(names)} of {len(DESIGN_SLOTS)}: {', '.join(names)}" + (
            f"; missing or out of bounds: {', '.join(missing)}" if missing else ""
        )
        if short:
            yield Verdict(outcome=Outcome.FAIL, level=Level.MEASURED, observed=short, where=where)
            continue
        yield Verdict(
            outcome=Outcome.PARTIAL if missing else Outcome.PASS,
            level=level,
            observed=observed,
            value=Fraction(len(names), len(DESIGN_SLOTS)),
            where=where,
            fix=f"state {', '.join(missing)}" if missing else "",
        )


def _in_bounds(slot: str, words: str, facts: Facts) -> bool:
    found = re.search(r"\d*\.?\d+ ?%?", words)
    number = number_of(found[0]) if found else None
    if slot == "alpha":
        return number is not None and 0 < number <= facts.limit("A5.1", "alpha")
    if slot == "power":
        return number is not None and facts.limit("A5.1", "power") <= number < 1
    return is_concrete(words)


def _n_falls_short(statements: list[Statement]) -> str:
    base = first_number(statements, r"\b(base( ?line)?( rate)?|control rate|current rate)\b")
    effect = first_number(statements, r"\b(mde|minimum detectable effect|smallest effect)\b")
    n = first_number(statements, r"\b(n per arm|users per arm|per arm|sample size)\b")
    alpha = first_number(statements, r"\balpha\b") or 0.05
    power = first_number(statements, r"\bpower\b") or 0.8
    if base is None or effect is None or n is None or not 0 < base < 1 or not 0 < base + effect < 1 or effect == 0:
        return ""
    if not 0 < alpha < 1 or not 0 < power < 1:
        return ""
    needed = n_per_arm(base, effect, alpha, power)
    if n >= N_TOLERANCE * needed:
        return ""
    return f"n of {n:,.0f} per arm cannot show {effect:+g} from {base:g}: about {needed:,} are needed"
