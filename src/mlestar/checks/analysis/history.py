"""A1.4: whether metrics are followed from version to version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured_by_run
from mlestar.checks.registry import check
from mlestar.core.evidence import Level, Outcome, Verdict, Where
from mlestar.core.wording import counted

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.reports import TrackedRun


@check("A1.4")
def metrics_are_tracked(facts: Facts) -> Iterator[Verdict]:
    """The metrics of several versions were recorded on the same data.

    Why: Without the numbers of the versions before, nobody can tell whether a change helped.
    How: Tracked runs with metrics in the project (MLflow and the like), counted by the data hash they share, the same
        parameters with the same metrics once; registered versions of the model that a pipeline run measured.
    Threshold: pass from three versions, partial from two, fail with one.
    Source: Rules of ML 24 (measure the delta between models).
    Fix: Track every training run with its metrics and the hash of its test data.
    Limits: Runs that record no data hash count as one data set.
    """
    good, tolerable = int(facts.limit("A1.4", "pass")), int(facts.limit("A1.4", "partial"))
    tracked = [run for run in facts.project.reports.runs if run.metrics] if facts.project is not None else []
    if tracked:
        distinct = {_content(run): run.data_hash for run in tracked}
        _, versions = Counter(distinct.values()).most_common(1)[0]
        outcome = _banded(versions, good, tolerable)
        observed = f"{counted(versions, 'tracked run')} with metrics on the same data"
        yield Verdict(outcome=outcome, level=Level.ATTESTED, observed=observed, where=Where(path=tracked[0].path))
    if facts.run is not None and facts.run.metrics and facts.run.versions:
        versions = facts.run.versions
        yield measured_by_run(
            facts.run, _banded(versions, good, tolerable), f"{counted(versions, 'measured version')} of the model"
        )


def _banded(versions: int, good: int, tolerable: int) -> Outcome:
    return Outcome.PASS if versions >= good else Outcome.PARTIAL if versions >= tolerable else Outcome.FAIL


def _content(run: TrackedRun) -> tuple[object, ...]:
    return run.data_hash, str(sorted(run.params.items())), str(sorted(run.metrics.items()))
