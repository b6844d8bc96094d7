"""Predictions that cannot be what they are given for: whatever they would show is then inconclusive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlestar.core.evidence import Level, Outcome, Verdict

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

FIX = (
    "write the model's own answers on the rows of the test file, one row each, with the truth as it stands there; "
    "out-of-fold answers to other rows are judged by an evaluation that names no test file"
)


def doubted(verdict: Verdict, facts: Facts) -> Verdict:
    """The verdict, or inconclusive when it rests on predictions that other files at hand contradict.

    A fail stays one: bad evidence must not be worth withdrawing. See `core.statistics.plausibility.doubt`.
    """
    data = facts.data
    if data is None or data.predictions is None or verdict.level is not Level.MEASURED:
        return verdict
    rests_on = verdict.where.path == data.predictions.path and verdict.where.sha256 == data.predictions.sha256
    if not rests_on or verdict.outcome not in {Outcome.PASS, Outcome.PARTIAL}:
        return verdict
    from mlestar.core.statistics.plausibility import doubt

    why = doubt(data)
    if not why:
        return verdict
    observed = f"{why}; otherwise: {verdict.observed}"
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, value=None, observed=observed, fix=FIX)
