"""T1.2 and T1.3: what is wrong with the training table itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.statistics.columns import task_of
from mlestar.core.statistics.quality import (
    Repeats,
    conflicts,
    constants,
    duplicates,
    missing_rates,
    mixed_types,
    told_apart,
)
from mlestar.core.wording import counted, listed, percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import Table

_MIN_REPEATS = 2


@check("T1.2")
def few_missing_values(facts: Facts) -> Iterator[Verdict]:
    """Few values are missing in every column of the training data.

    Why: A column that is mostly absent teaches the model about the gaps rather than about the thing measured.
    How: Share of missing, blank or `?` values in each column of the training table.
    Threshold: pass when the worst column has at most 5%, partial at most 30%, fail above.
    Source: deepchecks PercentOfNulls (5%); the 30% is this project's own.
    Fix: Impute with a missing indicator, repair the source, or drop the columns named.
    Limits: Sentinel values such as -999 are not recognised as missing.
    """
    if facts.data is None or facts.data.train is None:
        return
    table = facts.data.train
    rates = missing_rates(table.frame)
    worst = max(rates, key=rates.__getitem__)
    allowed, tolerated = facts.limit("T1.2", "pass"), facts.limit("T1.2", "partial")
    over = sorted((name for name in rates if rates[name] > allowed), key=lambda name: -rates[name])
    if not over:
        observed = f"at most {percent(rates[worst])} missing in a column of {table.path}"
        yield measured(table, Outcome.PASS, observed)
        return
    outcome = Outcome.FAIL if rates[worst] > tolerated else Outcome.PARTIAL
    named = [f"{name} {percent(rates[name])}" for name in over]
    yield measured(table, outcome, f"missing values in {listed(named)} of {table.path}", column=worst)


@check("T1.3")
def sound_rows_and_columns(facts: Facts) -> Iterator[Verdict]:
    """The training data has no constant columns, mixed types, repeated rows or contradictory labels.

    Why: Copies inflate every estimate, contradictions cap what can be learnt, constants and mixed types are the trace
        of a broken extraction.
    How: Constant columns; columns where 0.1 to 10% of the values are of the other type (number or word); rows equal to
        an earlier one; rows with equal features and different labels. Repeats count only where they cannot be
        coincidence: the expected number of chance twins is below 0.001, or near twins are missing that chance would
        bring along.
    Threshold: pass when none of the four kinds occurs, partial for one, fail for two or for contradictory labels above
        0.5%; repeated rows count above 1%. Inconclusive where rows are too coarse to tell a copy from a coincidence.
    Source: deepchecks data integrity suite (constants, mixed types, duplicates 5%, conflicting labels), tightened; the
        gate for coincidences is this project's own.
    Fix: Repair or drop the columns and rows named; remove copies before splitting.
    Limits: Near copies (jittered rows) are not found; natural repeats with few coarse columns stay inconclusive.
    """
    if facts.data is None or facts.data.train is None:
        return
    table = facts.data.train
    found = [*_columns(facts, table)]
    undecided: list[Verdict] = []
    for problem in _repeats(facts, table):
        (undecided if problem.outcome is Outcome.INCONCLUSIVE else found).append(problem)
    if not found and not undecided:
        observed = f"no constants, mixed types, repeats or contradictions in {table.path}"
        yield measured(table, Outcome.PASS, observed)
        return
    if not found:
        yield from undecided
        return
    failed = len(found) > 1 or any(problem.outcome is Outcome.FAIL for problem in found)
    outcome = Outcome.FAIL if failed else Outcome.PARTIAL
    for problem in found:
        yield replace(problem, outcome=outcome)


def _columns(facts: Facts, table: Table) -> Iterator[Verdict]:
    same = constants(table.frame)
    if same:
        yield measured(table, Outcome.PARTIAL, f"{listed(same)} of {table.path} never change", column=same[0])
    mixed = mixed_types(table.frame, facts.limit("T1.3", "mixed_low"), facts.limit("T1.3", "mixed_high"))
    if mixed:
        named = [f"{name} ({percent(rate)})" for name, (rate, _) in mixed.items()]
        first, (_, rows) = next(iter(mixed.items()))
        observed = f"numbers and words are mixed in {listed(named)} of {table.path}"
        yield measured(table, Outcome.PARTIAL, observed, column=first, rows=rows)


def _repeats(facts: Facts, table: Table) -> Iterator[Verdict]:
    rows = told_apart(table.frame)
    yield from _judged(
        duplicates(rows),
        table,
        limit=facts.limit("T1.3", "duplicates"),
        outcome=Outcome.PARTIAL,
        what="repeat an earlier row",
    )
    target = facts.data.target if facts.data else ""
    if target in table.frame.columns and task_of(table.frame[target]) != "regression":
        yield from _judged(
            conflicts(rows, table.frame[target]),
            table,
            limit=facts.limit("T1.3", "conflicts"),
            outcome=Outcome.FAIL,
            what=f"have the features of another row and a different {target}",
        )


def _judged(repeats: Repeats, table: Table, *, limit: float, outcome: Outcome, what: str) -> Iterator[Verdict]:
    if repeats.share <= limit or repeats.count < _MIN_REPEATS:
        return
    observed = f"{counted(repeats.count, 'row')} of {table.path} ({percent(repeats.share)}) {what}"
    if not repeats.copies:
        coarse = "the columns are too coarse to tell copies from coincidences"
        many = (
            "as many differ in one column only, so coincidence brings them, and copies would not stand out among them"
        )
        observed += f"; {coarse if repeats.copies is None else many}; more columns or an id would settle it"
        outcome = Outcome.INCONCLUSIVE
    yield measured(table, outcome, observed, rows=repeats.rows)
