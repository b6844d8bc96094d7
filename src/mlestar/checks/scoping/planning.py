"""S5, timeline and resources: a plan with dates, means, and room for its own experiment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.checks.registry import check
from mlestar.checks.stated import stated
from mlestar.core.claims.documents import EXPERIMENT, PLAN, PROBLEM, README
from mlestar.core.claims.languages import UNITS
from mlestar.core.claims.slots import DATE, DURATION, Slot, fill, slot_verdict
from mlestar.core.claims.text import Statement, first_number, under
from mlestar.core.evidence import Level, Outcome, Verdict, Where
from mlestar.core.statistics.intervals import n_per_arm

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

PLAN_KEYS = r"\b(plan|timeline|milestones?|schedule|roadmap|phases?|delivery|project plan)\b"
MILESTONE = rf"[^\n]{{0,80}}?(?:{DATE})[^\n]{{0,80}}"
DAYS = {
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "sprint": 14.0,
    "month": 30.4,
    "quarter": 91.3,
    "year": 365.0,
}
PLAN_SLOTS = (
    Slot(
        name="start or duration",
        keys=rf"{PLAN_KEYS}|\b(start( date)?|begin|duration)\b",
        value=rf"{DATE}|{DURATION}",
    ),
    Slot(
        name="owner",
        keys=r"\b(plan owner|project (lead|owner|manager))\b|^(plan |timeline )*(lead|owner)$",
        text=r"\bowner\W{1,4}@?[A-Za-z][\w.-]+(?: [A-Z][\w-]+)?",
        within=PLAN_KEYS,
    ),
    Slot(
        name="risk or decision gate",
        keys=r"^(\w+ )?(risks?|gates?)( and mitigations?)?$|\b(decision gate|go no ?go|exit criteria|mitigations?)\b",
        text=r"\b(?:go/?no-?go|decision gate|stop if|kill criteri\w+|exit criteri\w+|risk)\b[^.\n]{0,60}",
        within=PLAN_KEYS,
    ),
)
RESOURCE_SLOTS = (
    Slot(
        name="people",
        keys=r"\b(people|team|staff\w*|headcount|fte|engineers?|roles?|resources?)\b",
        value=r"\d+(?:\.\d+)?\s*(?:x\s*)?(?:ftes?|people|persons?|engineers?|scientists?|developers?|"
        r"analysts?|days?|months?|h\b|hours?)|^\d+(?:\.\d+)?$",
    ),
    Slot(
        name="compute",
        keys=r"\b(compute|hardware|gpus?|cpus?|machines?|instances?|infrastructure|resources?)\b",
        value=r"\d+(?:\.\d+)?\s*(?:x\s*)?(?:\w+ )?(?:gpu|cpu|cores?|vcpu|node|machine|instance|tpu|a100|"
        r"h100|t4|v100|hours?|h\b)",
    ),
    Slot(
        name="budget",
        keys=r"\b(budget|costs?|spend|funding)\b",
        value=r"[$€£]\s*\d|\d[\d,.]*\s*(?:k\s*)?(?:usd|eur|gbp|chf|dollars?|euros?|[$€£])|^\d[\d,.]*$",
    ),
)
REVIEW_DAYS = 5
"""A working week between the end of a test and the decision: our own allowance."""


@check("S5.1")
def plan_has_dates(facts: Facts) -> Iterable[Verdict]:
    """The plan has a start, three dated milestones, an owner and a risk or decision gate; releases match its dates.

    Why: A plan without dates cannot be late, and one without a gate cannot be stopped.
    How: Four slots in the request and plan documents; each dated milestone of a document is compared with tags.
    Threshold: pass 4 of 4; otherwise k of 4. A tag within 14 days of each past milestone lifts it to inspected.
    Source: our own; no published threshold.
    Fix: Add dated milestones, an owner, and the date on which to go on or stop.
    Limits: Dates are compared with tags only; releases elsewhere are not seen.
    """
    for level, statements in stated(facts, "scoping", PLAN, PROBLEM, README):
        filled = fill(PLAN_SLOTS, statements)
        dates = _milestones(statements)
        enough = len(dates) >= facts.limit("S5.1", "milestones")
        if not filled and not dates:
            continue
        got = [f"{item.slot} ({item.words!r})" for item in filled] + [f"{len(dates)} dated milestones"] * bool(dates)
        missing = [slot.name for slot in PLAN_SLOTS if slot.name not in {item.slot for item in filled}]
        missing += [] if enough else ["three dated milestones"]
        matched = level is Level.DOCUMENTED and _match_releases(facts, dates)
        k = len(filled) + enough
        yield Verdict(
            outcome=Outcome.PASS if not missing else Outcome.PARTIAL if k else Outcome.FAIL,
            level=Level.INSPECTED if matched else level,
            observed=f"{k} of 4: {', '.join(got)}" + (f"; missing: {', '.join(missing)}" if missing else ""),
            value=Fraction(k, len(PLAN_SLOTS) + 1),
            where=Where(path=filled[0].statement.path, line=filled[0].statement.line) if filled else Where(),
            fix=f"state {', '.join(missing)}" if missing else "",
        )


def _milestones(statements: Sequence[Statement]) -> list[str]:
    """The distinct dates under keys of a plan."""
    texts = [s.text for s in under(statements, rf"^(?!.*\bstart).*(?:{PLAN_KEYS}|{DATE})")]
    keys = [s.key for s in under(statements, DATE)]
    found = [match[0].lower() for text in (*texts, *keys) for match in re.finditer(DATE, text, re.IGNORECASE)]
    return sorted(set(found))


def _match_releases(facts: Facts, dates: Sequence[str]) -> bool:
    git = facts.project.git if facts.project is not None else None
    days = [day for date in dates if (day := _timestamp(date)) is not None]
    if git is None or not days or not git.tags:
        return False
    window = facts.limit("S5.1", "match_days") * 86_400
    past = [day for day in days if day <= git.head_time]
    return bool(past) and all(any(abs(tag.time - day) <= window for tag in git.tags) for day in past)


def _timestamp(date: str) -> float | None:
    try:
        return datetime.fromisoformat(date.replace("/", "-")).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


@check("S5.2")
def means_are_planned(facts: Facts) -> Iterable[Verdict]:
    """People, compute and budget are planned, with units; logged runs support the compute.

    Why: A plan without means is a wish.
    How: Three slots, each with a number and a unit; with tracked runs that log their duration or cost, the plan
        counts as attested.
    Threshold: pass 3 of 3; otherwise k of 3.
    Source: NIST AI RMF MAP 1.4 and MEASURE 2.12.
    Fix: Give person-days, machines with hours, and the budget in a currency.
    Limits: Whether the means suffice is not judged.
    """
    logged = facts.project is not None and any(
        re.search(r"duration|time|cost|seconds|hours", name, re.IGNORECASE)
        for run in facts.project.reports.runs
        for name in run.metrics
    )
    for level, statements in stated(facts, "scoping", PLAN, PROBLEM, README):
        supported = logged and level is Level.DOCUMENTED
        verdict = slot_verdict(RESOURCE_SLOTS, statements, Level.ATTESTED if supported else level)
        if verdict:
            yield verdict


@check("S5.3")
def plan_has_room_for_its_experiment(facts: Facts) -> Iterable[Verdict]:
    """The timeline is long enough for the experiment that is to prove success.

    Why: An A/B test that cannot reach its sample size in time proves nothing.
    How: Days of the test = 2 n per arm / daily traffic, at least 14; plus training and a week of review, against the
        timeline. n is stated, or follows from base rate and smallest effect (two-sided, alpha .05, power .8).
    Threshold: pass fits, partial within 20% over, fail beyond.
    Source: Two-proportion power formula (Fleiss 1981).
    Fix: Extend the timeline, use more traffic, or accept a larger smallest effect.
    Limits: The arithmetic is ours, its inputs are stated: it earns the statement's level; a contradiction is measured.
    """
    for level, statements in stated(facts, "scoping", PLAN, PROBLEM, EXPERIMENT, README):
        timeline = _days(under(statements, r"\b(timeline|duration|deadline)\b"))
        traffic = first_number(statements, r"daily (traffic|users|visitors)|traffic per day|users per day")
        n = _per_arm(statements)
        if not timeline or not traffic or not n:
            continue
        test = max(2 * n / traffic, facts.limit("S5.3", "min_days"))
        needed = test + (_days(under(statements, r"\btraining (time|duration)\b")) or 0) + REVIEW_DAYS
        ratio = needed / timeline
        fits, near = ratio <= 1, ratio <= facts.limit("S5.3", "partial")
        yield Verdict(
            outcome=Outcome.PASS if fits else Outcome.PARTIAL if near else Outcome.FAIL,
            level=level if near else Level.MEASURED,
            observed=f"{n:,.0f} per arm at {traffic:,.0f} a day take {test:.0f} days, {needed:.0f} with training and "
            f"review; the timeline has {timeline:.0f}",
        )


def _per_arm(statements: Sequence[Statement]) -> float | None:
    stated_n = first_number(statements, r"\b(sample size|n per arm|users per arm|per arm)\b")
    if stated_n:
        return stated_n
    base = first_number(statements, r"\b(base ?line( rate)?|base rate|current rate)\b")
    effect = first_number(statements, r"\b(mde|minimum detectable effect|smallest effect)\b")
    if base is None or effect is None or not 0 < base < 1 or not 0 < abs(effect) < 1 or not 0 < base + effect < 1:
        return None
    return n_per_arm(base, effect)


def _days(statements: Iterable[Statement]) -> float | None:
    for statement in statements:
        found = re.search(DURATION, statement.text, re.IGNORECASE)
        if found:
            number, unit = re.match(r"([\d.]+)[ -]?(\w+)", found[0].lower()).groups()  # pyright: ignore[reportOptionalMemberAccess] - DURATION has this form
            return float(number) * next(DAYS[name] for name, words in UNITS.items() if re.fullmatch(words, unit))
    return None
