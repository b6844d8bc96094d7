"""T2.4: whether the features are worth having."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured, measured_by_run
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.statistics.importance import importances, too_few_rows
from mlestar.core.statistics.sizes import rows_for_correlation
from mlestar.core.wording import listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import DataFacts, Table

_ALPHA = 0.05
_SHOWN_AT = 0.4  # [ours] rank correlation of a feature that should not be missed: what an AUC of 0.70 is
_POWER = 0.8


@check("T2.4")
def features_earn_their_place(facts: Facts) -> Iterator[Verdict]:
    """Most features contribute to the prediction.

    Why: Every feature costs to fetch, to test and to keep from drifting; one that adds nothing only adds risk.
    How: Permutation importance on the test table of gradient boosting fitted on the training table. A feature is idle
        when neither it nor the group of features that tell the same stands out by two standard errors, and it has no
        association of its own with the target (p above 0.05). From a run: importances at or below zero.
    Threshold: pass with at most 30% idle, partial at most 60%, fail above; inconclusive instead of the last two where
        the training rows would not show a rank correlation of 0.4.
    Source: ML Test Score, data 2; Rules of ML 22; the bounds are this project's own.
    Fix: Drop the features listed, one group at a time, and compare.
    Limits: A feature that matters only together with another one may look idle on few rows; free text is not judged.
    """
    if facts.data is not None and facts.data.test is not None:
        yield from _measured(facts, facts.data, facts.data.test)
    if facts.run is not None and facts.run.importances:
        idle = [name for name, importance in facts.run.importances.items() if importance <= 0]
        outcome, observed = _judged(facts, idle, len(facts.run.importances))
        yield measured_by_run(facts.run, outcome, observed, column=idle[0] if idle else "")


def _measured(facts: Facts, data: DataFacts, test: Table) -> Iterator[Verdict]:
    found = importances(data)
    if found is None:
        if why := too_few_rows(data):
            yield measured(test, Outcome.INCONCLUSIVE, why)
        return
    idle = found.idle(_ALPHA)
    outcome, observed = _judged(facts, idle, len(found.names) + len(found.unread))
    needed = rows_for_correlation(_SHOWN_AT, alpha=_ALPHA, power=_POWER)
    if outcome is not Outcome.PASS and found.n_learnt < needed:
        outcome = Outcome.INCONCLUSIVE
        observed += f", as far as {found.n_learnt} training rows show; {needed} would settle it"
    yield measured(test, outcome, observed, column=idle[0] if idle else "")


def _judged(facts: Facts, idle: list[str], n_features: int) -> tuple[Outcome, str]:
    share = len(idle) / n_features
    observed = f"{len(idle)} of {n_features} features are idle" + (f": {listed(idle)}" if idle else "")
    if share <= facts.limit("T2.4", "pass"):
        return Outcome.PASS, observed
    return (Outcome.PARTIAL if share <= facts.limit("T2.4", "partial") else Outcome.FAIL), observed
