"""S1.1, S2.2, S3.2 and S3.4: what the scope promises, held against the data and the predictions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured
from mlestar.checks.registry import check
from mlestar.checks.stated import stated
from mlestar.core.claims.documents import CARD, DATA, PROBLEM, README
from mlestar.core.claims.text import under
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.statistics.columns import features, kind_of, task_of
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import Table
    from mlestar.core.statistics.personal_data import PersonalData

_TASK_WORDS = (
    ("binary", r"\bbinary\b|yes.?no|two.class"),
    ("multiclass", r"multi.?class|multinomial"),
    ("classification", r"classif|detect"),
    ("regression", r"regress|forecast|estimat"),
)


@check("S1.1")
def target_exists_and_fits(facts: Facts) -> Iterator[Verdict]:
    """The target column is in the data and is of the kind that the declared task needs.

    Why: A target that is not in the data, or a class label treated as a quantity, makes every later number meaningless.
    How: The named target is looked for in the training table; its values are held against the declared task:
        classification needs words or at most 20 distinct values, two for binary; regression needs numbers.
    Threshold: pass when column and task are declared and fit, partial when no task is declared, fail when they do not.
    Source: NIST AI RMF MAP 2.1; the 20 values are this project's own.
    Fix: Declare `target` and `task` in the model card or the configuration, with the exact column name.
    Limits: An ordinal scale of few numbers passes as either task.
    """
    data = facts.data
    if data is None or data.train is None or not data.target:
        return
    table = data.train
    if data.target not in table.frame.columns:
        observed = f"{table.path} has no column {data.target}; it has {listed(features(table.frame))}"
        yield measured(table, Outcome.FAIL, observed, column=data.target)
        return
    column = table.frame[data.target]
    task = _declared_task(facts)
    found = f"{data.target} of {table.path} has {counted(column.nunique(), 'distinct value')}"
    if not task:
        observed = f"{found}, which reads as {task_of(column)}; no task is declared"
        yield measured(table, Outcome.PARTIAL, observed, column=data.target)
        return
    why_not = _misfit(facts, table, task)
    if why_not:
        yield measured(table, Outcome.FAIL, f"{found}: {why_not}", column=data.target)
    else:
        yield measured(table, Outcome.PASS, f"{found} and fits the declared {task}", column=data.target)


def _declared_task(facts: Facts) -> str:
    """What the documents or the request say; a run declares the task that it trained for."""
    if facts.run is not None and facts.data is not None and facts.data.task:
        return facts.data.task
    for _, statements in stated(facts, "scoping", PROBLEM, CARD, README):
        for said in under(statements, r"\btask\b|\bproblem type\b"):
            task = next((name for name, words in _TASK_WORDS if re.search(words, said.text, re.IGNORECASE)), "")
            if task:
                return task
    return ""


def _misfit(facts: Facts, table: Table, task: str) -> str:
    column = table.frame[facts.data.target if facts.data else ""]
    distinct = column.nunique()
    is_number = kind_of(column) == "number"
    if task == "regression":
        return "" if is_number else "a regression needs numbers"
    if distinct <= 1:
        return "a classification needs two classes"
    if task == "binary" and distinct > len(("no", "yes")):
        return "a binary task needs two values"
    most = int(facts.limit("S1.1", "max_classes"))
    if is_number and distinct > most:
        return f"a classification of numbers has at most {most} distinct values"
    return ""


@check("S2.2")
def declared_target_is_met(facts: Facts) -> Iterator[Verdict]:
    """The model reaches the metric that was promised, beyond sampling noise.

    Why: A promise met only in the point estimate is met in half of all test sets.
    How: The metric is computed from the predictions; the lower end of its 95% interval (Wilson, or bootstrap over the
        rows) is held against the declared value.
    Threshold: pass when the lower end reaches the target, partial when only the estimate does, fail below.
    Source: ML Test Score, infrastructure 4; NIST AI RMF MEASURE 2.3; Wilson 1927.
    Fix: Improve the model, or enlarge the test set to the n named.
    Limits: Targets are read where a metric is named with a number (`accuracy >= 0.9`); business targets are not.
    """
    if facts.data is None or facts.data.predictions is None:
        return
    from mlestar.core.statistics.promises import held_against, promised_metrics

    predictions = facts.data.predictions
    said = [statement for _, statements in stated(facts, "scoping", PROBLEM, CARD, README) for statement in statements]
    for promise in promised_metrics(said):
        result = held_against(promise, predictions, seed=facts.data.seed)
        if result is None:
            continue
        if result.reached_with_confidence:
            yield measured(predictions, Outcome.PASS, result.text)
        elif result.reached:
            yield measured(predictions, Outcome.PARTIAL, f"{result.text}; {result.n_needed} rows would settle it")
        else:
            yield measured(predictions, Outcome.FAIL, result.text)


@check("S3.2")
def enough_rows(facts: Facts) -> Iterator[Verdict]:
    """There are enough rows for the number of parameters, and as many as was said.

    Why: With few events per parameter a model fits the sample it was given and nothing else.
    How: Cases of the rarest class (rows, for a regression) divided by the candidate parameters of a linear model
        (one for a number, one less than the categories for a category); stated row counts against the counted ones.
    Threshold: pass from 20 events per parameter when the stated count is within 1%, partial from 10, fail below or when
        the count is off.
    Source: Peduzzi et al. 1996 (10 events per variable); the 20 and the 1% are this project's own.
    Fix: Collect the number of rows named, or cut features.
    Limits: Counts columns, not information: strongly regularised models get by with fewer.
    """
    data = facts.data
    if data is None or data.train is None or data.target not in data.train.frame.columns:
        return
    from mlestar.core.statistics.sizes import events_per_parameter, stated_rows

    table = data.train
    size = events_per_parameter(table.frame, data.target, data.task)
    if not size.parameters:
        return
    good, tolerable = facts.limit("S3.2", "pass"), facts.limit("S3.2", "partial")
    observed = f"{counted(size.events, size.unit)} for {counted(size.parameters, 'parameter')}: {size.ratio:.1f} each"
    outcome = Outcome.PASS if size.ratio >= good else Outcome.PARTIAL if size.ratio >= tolerable else Outcome.FAIL
    if outcome is not Outcome.PASS:
        observed += f"; {round(good * size.parameters) - size.events} more would give {good:g}"
    counted_rows = table.n_rows + (data.test.n_rows if data.test else 0)
    claim = stated_rows(facts.claims.get("scoping", {}))
    if claim:
        tolerance = facts.limit("S3.2", "claim_tolerance")
        fits = any(abs(claim - rows) <= tolerance * rows for rows in (table.n_rows, counted_rows))
        observed += f"; {claim} rows stated, {counted_rows} counted"
        outcome = outcome if fits else Outcome.FAIL
    yield measured(table, outcome, observed, column=data.target)


@check("S3.4")
def no_raw_personal_data(facts: Facts) -> Iterator[Verdict]:
    """The data holds no raw personal data, and the right to use it is written down.

    Why: Personal data in a training table spreads into models, logs and copies, and nobody can take it back.
    How: E-mail addresses, phone, card (Luhn), account (IBAN check digits) and identity numbers and names of people, by
        value, in a seeded sample of 10,000 rows; a licence or consent in the request or the documents.
    Threshold: pass without a hit and with a licence, partial without a licence, or when the hits are masked or rest on
        a column's name alone; fail on raw personal data.
    Source: ML Test Score, data 5; NIST AI RMF MEASURE 2.10.
    Fix: Drop, hash or tokenise the columns named; record the licence or the consent.
    Limits: Knows common formats; free text is searched for e-mail addresses and account numbers only.
    """
    data = facts.data
    if data is None or data.train is None:
        return
    from mlestar.core.statistics.modelling import sampled
    from mlestar.core.statistics.personal_data import personal_data

    table = data.train
    kept = sampled(len(table.frame), data.seed, int(facts.limit("S3.4", "sample_rows")))
    found = list(personal_data(table.frame.iloc[kept]))
    raw = [hit for hit in found if not hit.masked and hit.certain]
    if raw:
        rows = tuple(int(kept[row]) for row in raw[0].rows)
        yield measured(table, Outcome.FAIL, f"raw {_named(raw)}", column=raw[0].column, rows=rows)
    elif found:
        how = "masked" if found[0].masked else "to be reviewed"
        yield measured(table, Outcome.PARTIAL, f"{how}: {_named(found)}", column=found[0].column)
    elif _licence(facts):
        yield measured(table, Outcome.PASS, f"no personal data in {len(kept)} rows of {table.path}; {_licence(facts)}")
    else:
        yield measured(
            table,
            Outcome.PARTIAL,
            f"no personal data in {len(kept)} rows of {table.path}; no licence or consent is recorded",
            fix="Record the licence of the data or the consent it rests on, in the data sheet.",
        )


def _named(found: list[PersonalData]) -> str:
    return listed([f"{hit.kind} in {hit.column} ({counted(hit.count, 'value')})" for hit in found])


def _licence(facts: Facts) -> str:
    for _, statements in stated(facts, "scoping", DATA, CARD):
        said = under(statements, r"licen[cs]e|consent|terms of use|usage rights")
        if said:
            return f"{said[0].key}: {said[0].text.strip()[:60]!r}"
    return ""
