"""R5.3: whether the inputs of today are those the model was built on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlestar.checks.measured import measured
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.statistics.columns import features, kind_of, numbers_both
from mlestar.core.wording import listed

if TYPE_CHECKING:
    import pandas as pd

    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import DataFacts, Table
    from mlestar.core.statistics.drift import Drift


@check("R5.3")
def inputs_have_not_drifted(facts: Facts) -> Iterator[Verdict]:
    """Current data is distributed as the reference data is, column by column.

    Why: A model keeps answering when its inputs change their meaning; only a comparison shows it.
    How: Population stability index over reference deciles (categories as they are, missing and new values as bins) of
        every column that both tables have, predictions and target included; free text by its number of words and by the
        share of words that the reference does not have; significant against its own sampling distribution or a rank
        test, alpha 0.01 over all columns. What sampling alone adds to the index is subtracted.
    Threshold: pass when no column moved by more than 0.10 significantly, partial from 0.10, fail from 0.25 or when a
        column is gone; inconclusive when the tables are too small for a move of 0.25 to show.
    Source: Siddiqi 2006 (0.10 and 0.25); Yurdakul and Naranjo 2020; Rules of ML 37.
    Fix: Check the source of the columns named; retrain if the change is real.
    Limits: Moves of several columns together, each small, are not seen; ids and times are left out; what a text means
        is not compared.
    """
    data = facts.data
    if data is None or data.reference is None or data.current is None:
        return
    current = data.current
    gone = [name for name in features(data.reference.frame) if name not in current.frame.columns]
    compared = _compared(data)
    found = _measure(facts, compared)
    if gone:
        observed = f"{listed(gone)} of {data.reference.path} is missing in {current.path}"
        yield measured(current, Outcome.FAIL, observed, column=gone[0])
    moved = sorted(
        (one for one in found if one.significant and one.excess > facts.limit("R5.3", "pass")),
        key=lambda one: -one.excess,
    )
    if moved:
        outcome = Outcome.FAIL if moved[0].excess >= facts.limit("R5.3", "fail") else Outcome.PARTIAL
        shown = [f"{one.column} (PSI {one.psi:.2f})" for one in moved]
        observed = f"{listed(shown)} moved between {data.reference.path} and {current.path}"
        yield measured(current, outcome, observed, column=moved[0].column)
    elif found and not gone:
        yield _unmoved(facts, data, current, found)
    elif not gone:
        yield measured(current, Outcome.INCONCLUSIVE, "no numbers or categories that both tables have")


def _compared(data: DataFacts) -> list[str]:
    if data.reference is None or data.current is None:
        return []
    before, after = data.reference.frame, data.current.frame
    return [
        name
        for name in features(before, without=[data.time_column])
        if name in after.columns
        and kind_of(before[name]) not in {"time", "text", "empty"}
        and not numbers_both(before[name], after[name])
    ]


def _measure(facts: Facts, names: list[str]) -> list[Drift]:
    from mlestar.core.statistics.drift import drift

    data = facts.data
    if data is None or data.reference is None or data.current is None:
        return []
    before, after = data.reference.frame, data.current.frame
    pairs = {name: (before[name], after[name]) for name in names} | _of_texts(before, after)
    bins, alpha = int(facts.limit("R5.3", "bins")), facts.limit("R5.3", "alpha") / max(1, len(pairs))
    return [drift(*pair, column=name, bins=bins, alpha=alpha) for name, pair in pairs.items()]


def _of_texts(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, tuple[pd.Series[Any], pd.Series[Any]]]:
    """What of free text can be compared as numbers."""
    import pandas as pd

    from mlestar.core.statistics.prose import prose_columns, unseen_shares, word_counts

    pairs: dict[str, tuple[pd.Series[Any], pd.Series[Any]]] = {}
    for name in prose_columns(before):
        if name in after.columns:
            pairs[f"words of {name}"] = (pd.Series(word_counts(before[name])), pd.Series(word_counts(after[name])))
            shares = unseen_shares(before[name], after[name])
            pairs[f"unseen words of {name}"] = (pd.Series(shares[0]), pd.Series(shares[1]))
    return pairs


def _unmoved(facts: Facts, data: DataFacts, current: Table, found: list[Drift]) -> Verdict:
    """No drift was found: that is a pass only where the rows would have shown one."""
    from mlestar.core.statistics.drift import rows_to_detect

    worst = max(found, key=lambda one: one.excess)
    before = len(data.reference.frame) if data.reference else 0
    n = 2 * before * len(current.frame) / (before + len(current.frame))
    needed = rows_to_detect(len(found), alpha=facts.limit("R5.3", "alpha"))
    if n < needed:
        observed = (
            f"{worst.column} moved most (PSI {worst.psi:.2f}), within what {len(current.frame)} rows vary by chance"
        )
        return measured(current, Outcome.INCONCLUSIVE, f"{observed}; {needed} rows on each side would settle it")
    observed = f"no drift in {len(found)} columns; {worst.column} moved most (PSI {worst.psi:.2f})"
    return measured(current, Outcome.PASS, observed)
