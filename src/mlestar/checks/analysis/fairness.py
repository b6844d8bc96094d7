"""A3.1 and A3.2: whether groups of people are treated alike, and whether the data names them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.statistics.columns import binned, features
from mlestar.core.statistics.personal_data import is_sensitive_name
from mlestar.core.wording import listed

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import DataFacts, Table
    from mlestar.core.statistics.fairness import GroupGap

_PROXY_AUC = 0.75  # [ours] the review band of T2.1: the others give the attribute away


@check("A3.1")
def groups_are_treated_alike(facts: Facts) -> Iterator[Verdict]:
    """Groups of people are selected, and found when they should be, at about the same rates.

    Why: A model may be accurate on the whole and still turn one group away.
    How: For the declared group columns (or those with the name of a sensitive attribute), every group of 30 rows
        against the one selected most: ratio of selection rates and difference of true positive rates, with intervals
        whose bounds hold for all groups together (5% a bound: 90% intervals for two groups).
    Threshold: pass when the intervals show a ratio of at least 0.8 and a difference within 0.1, fail when one shows a
        violation, inconclusive in between or below ten positives a group.
    Source: 29 CFR 1607.4(D), the four-fifths rule; AI Fairness 360 (0.1); ML Test Score, model 7; Newcombe 1998.
    Fix: A threshold for each group, reweighting, or a recorded justification of the difference.
    Limits: Undecidable below about 100 positives a group; only the predicted positive class counts as selection.
    """
    data = facts.data
    if data is None or data.predictions is None or data.predictions.task != "binary":
        return
    from mlestar.core.statistics.fairness import group_gaps

    for column, labels in _group_labels(data).items():
        gaps = group_gaps(data.predictions, labels, min_positives=facts.limit("A3.1", "min_positives"))
        outcome, observed = _fair(facts, gaps)
        yield measured(data.predictions, outcome, f"{column}: {observed}", column=column)


def _group_labels(data: DataFacts) -> dict[str, np.ndarray]:
    from mlestar.core.statistics.simple_models import aligned

    if data.predictions is None:
        return {}
    available = dict(data.predictions.groups)
    if data.test is not None and aligned(data.predictions, data.test, data.target):
        frame = data.test.frame
        named = [name for name in features(frame) if name in data.group_columns or is_sensitive_name(name)]
        available |= {name: binned(frame[name]) for name in named if name not in available}
    declared = {name: available[name] for name in data.group_columns if name in available}
    return declared or {name: labels for name, labels in available.items() if is_sensitive_name(name)}


def _fair(facts: Facts, gaps: list[GroupGap]) -> tuple[Outcome, str]:
    floor, band = facts.limit("A3.1", "impact_ratio"), facts.limit("A3.1", "opportunity_gap")
    if not gaps:
        return Outcome.INCONCLUSIVE, "fewer than two groups of 30 rows"
    violated = [gap for gap in gaps if gap.impact[2] < floor or gap.opportunity[1] > band or gap.opportunity[2] < -band]
    if violated:
        return Outcome.FAIL, listed([_gap(gap) for gap in violated])
    open_gaps = [
        gap for gap in gaps if gap.impact[1] < floor or gap.opportunity[1] < -band or gap.opportunity[2] > band
    ]
    if open_gaps:
        least = min(open_gaps, key=lambda gap: gap.positives)
        width = max(least.opportunity[2] - least.opportunity[1], 2 * band)
        needed = math.ceil(max(least.positives, 10) * (width / (2 * band)) ** 2)
        observed = f"{listed([_gap(gap) for gap in open_gaps])}: the intervals do not settle it"
        return Outcome.INCONCLUSIVE, f"{observed}; about {needed} positives a group would"
    return Outcome.PASS, listed([_gap(gap) for gap in gaps])


def _gap(gap: GroupGap) -> str:
    ratio, low, high = gap.impact
    text = f"{gap.group} against {gap.reference}: selection ratio {ratio:.2f} [{low:.2f}, {high:.2f}]"
    difference, low, high = gap.opportunity
    if math.isnan(difference):
        return f"{text}, {gap.positives} positives"
    return f"{text}, true positive rate lower by {difference:.2f} [{low:.2f}, {high:.2f}]"


@check("A3.2")
def sensitive_attributes_are_declared(facts: Facts) -> Iterator[Verdict]:
    """Sensitive attributes in the data are declared, and what stands in for them is known.

    Why: An attribute that nobody declared is tested by nobody, and leaving it out does not help where others imply it.
    How: Column names of the training table against a list of protected attributes; for each, gradient boosting predicts
        it from the other columns.
    Threshold: pass when every one is declared as a group column (its proxies are reported) or there is none, fail
        when an undeclared one is found.
    Source: EU AI Act Art. 10; NIST AI RMF MEASURE 2.11; the name list is this project's own.
    Fix: Declare the columns named (groups=...) and test the model by them.
    Limits: Known by English names only; a proxy for an attribute that is not in the data cannot be seen.
    """
    data = facts.data
    if data is None or data.train is None:
        return
    table = data.train
    found = [name for name in features(table.frame, without=[data.target]) if is_sensitive_name(name)]
    undeclared = [name for name in found if name not in data.group_columns]
    if undeclared:
        observed = f"{listed(undeclared)} of {table.path} not declared as groups"
        yield measured(table, Outcome.FAIL, observed, column=undeclared[0])
        return
    if not found and not data.group_columns:
        yield measured(table, Outcome.PASS, f"no column of {table.path} has the name of a sensitive attribute")
        return
    declared = [name for name in data.group_columns if name in table.frame.columns]
    proxies = [text for name in declared for text in _proxies(data, table, name)]
    yield measured(table, Outcome.PASS, f"declared: {listed(declared)}; {listed(proxies) or 'no proxies'}")


def _proxies(data: DataFacts, table: Table, name: str) -> Iterator[str]:
    from mlestar.core.statistics.modelling import encode, sampled, target_of
    from mlestar.core.statistics.single_features import strength_of_all

    frame = table.frame.iloc[sampled(len(table.frame), data.seed)].reset_index(drop=True)
    attribute = target_of(frame[name])
    if attribute.task != "regression" and len(attribute.classes) <= 1:
        return
    others = features(frame, without=[name, data.target])
    if others and len(attribute.rows):
        (matrix,) = encode([frame.iloc[attribute.rows]], others)
        area = strength_of_all(matrix, attribute, seed=data.seed)
        if area >= _PROXY_AUC:
            yield f"the other columns give {name} away (AUC {area:.2f})"
