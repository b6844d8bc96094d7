"""A verdict on a table, on predictions or on a run, with the place it speaks of."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.core.evidence import Level, Outcome, Verdict, Where

if TYPE_CHECKING:
    from mlestar.core.facts.data import Experiment, Predictions, Table
    from mlestar.core.facts.run import RunFacts


def measured(
    source: Table | Predictions | Experiment,
    outcome: Outcome,
    observed: str,
    *,
    column: str = "",
    rows: tuple[int, ...] = (),
    fix: str = "",
    n: int | None = None,
    value: Fraction | None = None,
) -> Verdict:
    """What we measured on a file; `n` is its rows unless given."""
    return Verdict(
        outcome=outcome,
        level=Level.MEASURED,
        observed=observed,
        value=value,
        where=Where(path=source.path, column=column, rows=rows, sha256=source.sha256),
        n=source.n_read if n is None else n,
        fix=fix,
    )


def measured_by_run(
    run: RunFacts, outcome: Outcome, observed: str, *, column: str = "", fix: str = "", n: int | None = None
) -> Verdict:
    """What a pipeline run measured, located by its id."""
    return Verdict(
        outcome=outcome,
        level=Level.MEASURED,
        observed=f"run {run.name}: {observed}",
        where=Where(path=f"run://{run.run_id}", column=column, sha256=run.model_sha256),
        n=n,
        fix=fix,
    )
