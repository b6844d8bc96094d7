"""S2, measurable success metrics: what counts as success, from where to where, and what must not suffer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mlestar.checks.registry import check
from mlestar.checks.stated import stated
from mlestar.core.claims.documents import CARD, PLAN, PROBLEM, README
from mlestar.core.claims.slots import DATE, DURATION, Slot, is_concrete, items_of, slot_verdict
from mlestar.core.claims.text import Statement, under
from mlestar.core.evidence import Outcome, Verdict, Where
from mlestar.core.quoting import bounded
from mlestar.core.statistics.intervals import n_per_arm

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

SUCCESS = r"(?<!non )\b(goal|objective|metric|kpi|success|target|purpose|outcome|aim|okr|problem)s?\b"
UP_OR_DOWN = (
    r"improv|increas|rais|grow|boost|lift|maximi[sz]|higher|gain|reduc|decreas|lower|cut|minimi[sz]|shrink|fewer|less"
)
CHANGE = rf"\b(?:{UP_OR_DOWN})\w*"
NUMBER = r"\d+(?:[.,]\d+)?"
GUARDRAILS = r"guardrails?|constraints?|must not|side metrics?|counter metrics?|do not harm|limits?\b|non functional"
LIMIT = (
    r"(?:[<>≤≥]=?|at most|at least|below|under|above|no more than|within|max(?:imum)?|min(?:imum)?)"
    rf"\W{{0,3}}[$€£]?{NUMBER}"
)
LIMIT_KEY = r"\b(limit|max\w*|min\w*|threshold|bound|at most|at least|ms|rate|latency\w*|cost)$"
BUSINESS = (
    r"business (metric|kpi|impact|value)|online metric|north star|proxy (metric|measure)|"
    r"^proxy( (offline|online|business|experiment))?$|offline (and|to|vs) online|metric mapping"
)
EVIDENCE = rf"correlat\w*[^.\n]{{0,40}}{NUMBER}|\br\s*=\s*{NUMBER}|\b(?:experiment|exp|test|ab)[-_# ]?\d+|{NUMBER}\s*%"
SUCCESS_SLOTS = (
    Slot(
        name="metric",
        keys=r"\b(success metrics?|metrics?|kpis?)\b",
        text=rf"{CHANGE}\s+(?:the\s+|our\s+)?[a-z][\w/-]*(?: [a-z][\w/-]*){{0,3}}?"
        r"(?=\s+(?:by|from|to|above|below|over|at)\b|\s*[.,;]|$)",
        within=SUCCESS,
    ),
    Slot(
        name="direction",
        keys=r"\bdirection\b",
        text=rf"{CHANGE}|{NUMBER}\s*%?\s*(?:->|→)\s*{NUMBER}|(?:at least|at most|≥|≤)\s*{NUMBER}",
        within=SUCCESS,
    ),
    Slot(
        name="magnitude",
        keys=r"\b(magnitude|uplift|lift|target value|target|mde|improvement)\b",
        value=NUMBER,
        text=rf"{NUMBER}\s*(?:%|percent|points?|pp\b|x\b|bps)|from\s+\S*\d\S*\s+to\s+\S*\d|"
        rf"(?:≥|>=|at least|at most)\s*{NUMBER}",
        within=rf"^(?!.*baseline).*{SUCCESS}",
    ),
    Slot(
        name="baseline",
        keys=r"\b(baseline|current (value|rate|level)|today|as is)\b",
        value=NUMBER,
        text=rf"\b(?:from|currently|today|baseline(?: of| is|:)?|up from|down from)\s+(?:a |at |about )?{NUMBER}|"
        rf"{NUMBER}\s*%?\s*(?:->|→)",
        within=SUCCESS,
    ),
    Slot(
        name="deadline",
        keys=r"\b(deadline|timeline|due( date)?|by when|end date|target date|until)\b",
        value=rf"{DATE}|{DURATION}",
        text=rf"\b(?:by|until|before|within|in)\s+(?:the end of\s+)?(?:{DATE}|{DURATION})",
        within=SUCCESS,
    ),
    Slot(
        name="how measured",
        keys=r"\b(how measured|measured|measurement|measured by|evaluation method)\b",
        text=r"\b(?:a/b|ab)[- ]?test\w*|\bmeasured (?:by|with|in|via|on|as)\s+\w+[^.\n]{0,40}|"
        r"\bhold-?out\b|\bcontrol group\b",
        within=SUCCESS,
    ),
)
ASSUMED_BASE = 0.10
"""A base rate only to give a sense of the sample size, when none is stated."""


@check("S2.1")
def success_is_measurable(facts: Facts) -> Iterable[Verdict]:
    """A success metric has a name, a direction, a size, a baseline, a deadline and a way of measuring.

    Why: Without a baseline and a way to measure, success can be declared but not shown.
    How: Six slots are looked for in the request and the documents, each filled only by concrete content.
    Threshold: pass 6 of 6; otherwise k of 6.
    Source: Rules of Machine Learning, rule 2: first, design and implement metrics (Zinkevich).
    Fix: State baseline and target, e.g. "engagement rate 4.0% -> 5.2% by 2027-03, measured by A/B test".
    Limits: Whether the metric is the right one is not judged.
    """
    for level, statements in stated(facts, "scoping", README, CARD, PROBLEM, PLAN):
        verdict = slot_verdict(SUCCESS_SLOTS, statements, level, note=_sample_size(statements))
        if verdict:
            yield verdict


def _sample_size(statements: Sequence[Statement]) -> str:
    """What it takes to see the stated relative change, when it is a percentage."""
    for goal in under(statements, SUCCESS):
        found = re.search(rf"{CHANGE}[^.\n]{{0,60}}?\bby\s+({NUMBER})\s*(?:%|percent)", goal.text, re.IGNORECASE)
        if found:
            lift = float(found[1].replace(",", ".")) / 100
            down = re.match(r"reduc|decreas|lower|cut|minimi|shrink", found[0], re.IGNORECASE)
            change = ASSUMED_BASE * (-lift if down else lift)
            if abs(change) > 0 and 0 < ASSUMED_BASE + change < 1:
                n = n_per_arm(ASSUMED_BASE, change)
                return f"from a 10% base a {'-' if down else '+'}{lift:.0%} change needs about {n:,} users per arm"
    return ""


@check("S2.3")
def offline_metric_is_tied_to_business(facts: Facts) -> Iterable[Verdict]:
    """The offline metric is mapped to a business metric, with evidence that they move together.

    Why: A better offline metric that does not move the business one is work for nothing.
    How: Looks for a mapping of a proxy to a business or online metric, and in it a number or an experiment's id.
    Threshold: pass mapped with evidence, partial mapped.
    Source: ML Test Score, Model 2: offline and online metrics correlate (Breck et al. 2017).
    Fix: Link the offline metric to an online experiment: name both metrics and the experiment or correlation.
    Limits: The evidence is quoted, not recomputed.
    """
    for level, statements in stated(facts, "scoping", README, CARD, PROBLEM, PLAN):
        mapped = [s for s in under(statements, BUSINESS) if is_concrete(s.text)]
        if mapped:
            backed = [s for s in mapped if re.search(EVIDENCE, s.text, re.IGNORECASE)]
            best = (backed or mapped)[0]
            yield Verdict(
                outcome=Outcome.PASS if backed else Outcome.PARTIAL,
                level=level,
                observed=f"{best.key}: {best.text[:100]!r}" + ("" if backed else "; no number or experiment beside it"),
                where=Where(path=best.path, line=best.line),
            )


@check("S2.4")
def guardrails_have_limits(facts: Facts) -> Iterable[Verdict]:
    """At least two guardrail metrics have a limit: what must not get worse while the main metric improves.

    Why: A model can buy its metric with latency, cost or harm.
    How: Counts concrete points with a number as limit under headings or keys such as guardrails or constraints.
    Threshold: pass at 2 or more, partial at 1.
    Source: NIST AI RMF MANAGE 1; Site Reliability Engineering (Beyer et al. 2016).
    Fix: Add guardrails with limits, e.g. "p95 latency <= 200 ms", "complaint rate <= 0.1%".
    Limits: Whether the limits are tight enough is not judged.
    """
    enough = facts.limit("S2.4", "pass")
    for level, statements in stated(facts, "scoping", README, CARD, PROBLEM, PLAN):
        named = under(statements, GUARDRAILS)
        points = {
            s.text: s
            for s in (*items_of(named), *named)
            if "\n" not in s.text and re.search(LIMIT, s.text, re.IGNORECASE)
        }
        numbers = {
            f"{s.key}={s.text}": s
            for s in named
            if re.search(LIMIT_KEY, s.key) and re.search(r"\d", s.text) and not re.search(LIMIT, s.text, re.IGNORECASE)
        }
        found = [*points.values(), *numbers.values()]
        if found:
            yield Verdict(
                outcome=Outcome.PASS if _distinct(found) >= enough else Outcome.PARTIAL,
                level=level,
                observed=f"{_distinct(found)} with a limit, e.g. {bounded(found[0].text, 80)!r}",
                where=Where(path=found[0].path, line=found[0].line),
            )


def _distinct(found: Iterable[Statement]) -> int:
    """A labelled bullet is read twice, as a bullet and as its label's value: count its limit once."""
    limits = set[str]()
    for statement in found:
        match = re.search(LIMIT, statement.text, re.IGNORECASE)
        limits.add(re.sub(r"\W", "", match[0]) if match else f"{statement.key}={statement.text}")
    return len(limits)
