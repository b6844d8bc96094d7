"""S1, clear problem definition: what is predicted, for whom, and what it is not for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlestar.checks.registry import check, statement
from mlestar.checks.stated import stated
from mlestar.core.claims.documents import CARD, PROBLEM, README
from mlestar.core.claims.slots import Slot, items_of, slot_verdict
from mlestar.core.claims.text import Statement, by_part, under
from mlestar.core.evidence import Outcome, Verdict, Where
from mlestar.core.quoting import bounded

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

LONGEST_NAME = 3
"""Words of a column's name; more is a description of it."""
TASKS = r"classif|regress|rank|forecast|cluster|detect|segment|recommend|generat|predict"
USE = (
    r"goal|objective|purpose|aim|problem|overview|summary|about|intended|use|decision|introduction|what|why|background"
)
PROBLEM_SLOTS = (
    Slot(name="goal", keys=r"(?<!non )\b(goal|objective|purpose|aim|problem|mission)s?\b"),
    Slot(
        name="user or decision",
        keys=r"\b(users?|audience|customers?|consumers?|beneficiar\w+|primary uses?|used by|who)\b|\bdecisions?$",
        text=r"\b(?:used by|helps?|lets?)\s+(?:the\s+)?[a-z-]+(?: [a-z-]+){0,3}",
        within=USE,
    ),
    Slot(
        name="prediction unit",
        keys=r"\b(prediction unit|unit of (prediction|analysis)|granularity)\b|\b(entity|instance|unit)$",
        text=r"\b(?:(?:one|a|each) (?:prediction|score|row) (?:per|for (?:each|every|one))|"
        r"(?:for|per) (?:each|every)) \w+",
        within=USE,
    ),
    Slot(
        name="when",
        keys=r"\b(cadence|frequency|prediction time|moment|horizon|prediction schedule)\b|\b(when|triggers?)$",
        text=r"\b(?:daily|nightly|hourly|weekly|monthly|in real[- ]time|at the time of \w+|"
        r"before (?:each|every|the) \w+|"
        r"every (?:day|hour|week|night|month)|"
        r"(?:\d+|one|two|three) (?:minutes?|hours?|days?|weeks?) (?:before|ahead|after) \w+)",
        within=USE,
    ),
    Slot(
        name="action taken",
        keys=r"(?<!hub )\b(actions?( taken)?|interventions?|consequences?)$|"
        r"\b(what happens|decision rule|used for)\b",
        text=r"\b(?:is|are|gets?|will be) (?:then )?(?:sent|shown|routed|blocked|offered|"
        r"called|contacted|flagged|reviewed|rejected|approved|scheduled|ranked|postponed|published)\b[^.\n]{0,40}",
        within=USE,
    ),
)
OUT_OF_SCOPE = (
    r"out of scope|not (intended|for|suitable|supported)|limitations?|known limits|non ?goals?|misuse|"
    r"caveats?|exclusions?"
)


@statement("S1.1")
def target_and_task_declared(facts: Facts) -> Iterable[Verdict]:
    """Declared in words only: which column, which task. Worth half, until the data shows it."""
    for level, statements in stated(facts, "scoping", README, CARD, PROBLEM):
        targets = under(statements, r"\b(target|label)( column| variable| name)?$|^(target|label)\b")
        tasks = [s for s in under(statements, r"\btask\b|\bproblem type\b") if _names_a_task(s)]
        named = [s for s in targets if s.text.strip() and len(s.text.split()) <= LONGEST_NAME]
        if named and tasks:
            yield Verdict(
                outcome=Outcome.PARTIAL,
                level=level,
                observed=f"declared, not compared with data: target {named[0].text.strip()!r}, "
                f"task {tasks[0].text.strip()[:40]!r}",
                where=Where(path=named[0].path, line=named[0].line),
            )


def _names_a_task(candidate: Statement) -> bool:
    return re.search(TASKS, candidate.text, re.IGNORECASE) is not None


@check("S1.2")
def problem_is_stated(facts: Facts) -> Iterable[Verdict]:
    """Goal, user or decision, prediction unit, moment and action are written down.

    Why: A model whose use is not written down is optimised for the wrong thing, and nobody can tell.
    How: Five slots are looked for in the request, the README, the model card and problem documents; concrete content
        fills a slot, placeholders and adjectives do not.
    Threshold: pass 5 of 5; otherwise k of 5.
    Source: Model Cards, Intended Use (Mitchell et al. 2019); NIST AI RMF MAP 1.1.
    Fix: Write five sentences: the goal, who decides what with it, one prediction per what, when, and what is then done.
    Limits: Reads headings and labels in English, German, Spanish and French, sentences in English; good prose under an
        unusual heading may be missed.
    """
    for level, statements in stated(facts, "scoping", README, CARD, PROBLEM):
        verdict = slot_verdict(PROBLEM_SLOTS, statements, level)
        if verdict:
            yield verdict


@check("S1.3")
def limits_are_stated(facts: Facts) -> Iterable[Verdict]:
    """What the model must not be used for, and where it fails, is written down.

    Why: Most harm comes from use outside the range that was tested.
    How: Concrete points are counted under headings or keys such as out of scope, limitations, not intended for.
    Threshold: pass at 2 or more points, partial at 1.
    Source: Model Cards, out-of-scope uses and caveats (Mitchell et al. 2019); NIST AI RMF MAP 2.2.
    Fix: List at least two uses it must not be put to, or limits that were found.
    Limits: Counts points, does not judge whether they are the important ones.
    """
    enough = facts.limit("S1.3", "pass")
    for level, statements in stated(facts, "scoping", README, CARD, PROBLEM):
        points = max((items_of(under(part, OUT_OF_SCOPE)) for part in by_part(statements)), key=len)
        if points:
            yield Verdict(
                outcome=Outcome.PASS if len(points) >= enough else Outcome.PARTIAL,
                level=level,
                observed=f"{len(points)} out-of-scope uses or limits, e.g. {bounded(points[0].text, 80)!r}",
                where=Where(path=points[0].path, line=points[0].line),
            )
