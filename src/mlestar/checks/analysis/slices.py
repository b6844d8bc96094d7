"""A2.1 and A2.2: where the model is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.wording import listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

_MIN_CLASS_ROWS = 10


@check("A2.1")
def no_slice_is_much_worse(facts: Facts) -> Iterator[Verdict]:
    """The model serves every part of the data about as well.

    Why: A good average hides the region, the product or the age group for which the model does not work.
    How: Every category and every quartile of the slicing columns (groups of the predictions; features of the test table
        when its rows align, free text by its number of words) with at least 30 rows and 5% of them, against the rest:
        Fisher's exact test on right rows, Welch's t on absolute errors; Holm over all slices, alpha 0.01.
    Threshold: pass when no slice scores below 80% of the overall, partial when one does without significance, fail when
        it does with it.
    Source: ML Test Score, model 6; deepchecks weak segments (0.8); Holm 1979.
    Fix: Gather data or features for the slices named, or restrict the use of the model.
    Limits: Slices of one column at a time; small slices are not judged.
    """
    if facts.data is None or facts.data.predictions is None:
        return
    from mlestar.core.statistics.slices import slice_labels, slices

    predictions = facts.data.predictions
    labels = slice_labels(facts.data)
    found = slices(
        predictions,
        labels,
        min_rows=facts.limit("A2.1", "min_rows"),
        min_share=facts.limit("A2.1", "min_share"),
    )
    if not found:
        needed = int(facts.limit("A2.1", "min_rows"))
        observed = (
            f"no slice of {needed} rows in {predictions.n_read} predictions"
            if labels
            else "predictions have no slicing columns, and no test table aligns with them"
        )
        yield measured(predictions, Outcome.INCONCLUSIVE, f"{observed}; {2 * needed} rows of two slices settle it")
        return
    weak = [one for one in found if one.ratio < facts.limit("A2.1", "ratio")]
    if not weak:
        worst = min(found, key=lambda one: one.ratio)
        observed = f"the weakest of {len(found)} slices, {worst.column} = {worst.value}, scores "
        yield measured(predictions, Outcome.PASS, f"{observed}{worst.score:.3f} against {worst.overall:.3f} overall")
        return
    proven = [one for one in weak if one.p_value < facts.limit("A2.1", "alpha")]
    shown = [
        f"{one.column} = {one.value} ({one.score:.3f}, n = {one.n}, p = {one.p_value:.2g})" for one in proven or weak
    ]
    observed = f"worse than the overall {found[0].overall:.3f}: {listed(shown)}"
    outcome = Outcome.FAIL if proven else Outcome.PARTIAL
    yield measured(predictions, outcome, observed, column=(proven or weak)[0].column)


@check("A2.2")
def every_class_is_recalled(facts: Facts) -> Iterator[Verdict]:
    """The model finds the cases of every class.

    Why: On unbalanced classes a model may be right nearly always and never about the cases it was built for.
    How: Recall of each class from the predictions; the class recalled worst is compared with one half and with its
        share of the rows, which is what guessing by shares would recall.
    Threshold: pass when the worst recall is at least 0.5 and above its class's share, partial when one of the two fails
        or is not beyond doubt (Wilson), fail when both do.
    Source: this project's own bounds; Wilson 1927.
    Fix: Rebalance or weight the classes, or move the decision threshold of the class named.
    Limits: Classes of fewer than ten rows are not judged.
    """
    predictions = facts.data.predictions if facts.data is not None else None
    if predictions is None or predictions.task == "regression":
        return
    from mlestar.core.statistics.intervals import wilson
    from mlestar.core.statistics.metrics import confusion

    table = confusion(predictions)
    rows = table.table.sum(axis=1)
    judged = [code for code in range(len(rows)) if rows[code] >= _MIN_CLASS_ROWS]
    if len(judged) <= 1:
        needed = f"{_MIN_CLASS_ROWS} rows of each of two classes would settle it"
        yield measured(predictions, Outcome.INCONCLUSIVE, f"too few rows of the rarer classes; {needed}")
        return
    worst = min(judged, key=lambda code: float(table.recalls[code]))
    recall, share, n = float(table.recalls[worst]), float(rows[worst] / rows.sum()), int(rows[worst])
    low, high = wilson(recall * n, n)
    floor = facts.limit("A2.2", "recall")
    observed = f"class {table.classes[worst]} is recalled worst: {recall:.3f} [{low:.3f}, {high:.3f}] of {n} rows"
    bad, doubtful = (recall < floor, recall <= share), (high >= floor, high > share)
    if not any(bad):
        outcome = Outcome.PASS
    elif all(bad) and not any(doubtful):
        outcome = Outcome.FAIL
    elif high < floor:
        outcome = Outcome.FAIL if recall <= share else Outcome.PARTIAL
    else:
        outcome = Outcome.PARTIAL
    yield measured(predictions, outcome, observed, n=n)
