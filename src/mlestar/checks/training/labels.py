"""T1.4: whether two people would give the same labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts


@check("T1.4")
def labels_were_audited(facts: Facts) -> Iterator[Verdict]:
    """A sample of the labels was given again by two raters, and they agree.

    Why: What people do not agree on cannot be learnt, and no model can be better than its labels.
    How: Cohen's kappa of the two raters of an audit table (columns rater_1 and rater_2, or two columns named after
        raters, annotators or labels), at least 50 rows; a row that its id names twice is one.
    Threshold: pass from 0.81 (almost perfect), partial from 0.61 (substantial), fail below; inconclusive below 50 rows,
        and when both give the same label throughout (chance would agree as well).
    Source: Cohen 1960; Landis and Koch 1977; Northcutt et al. 2021 (3.3% errors in ten benchmarks).
    Fix: Let two people label a random sample of 50 rows, settle the differences, and repair the guideline.
    Limits: Errors that both raters make are not seen; automatic estimates of label noise measure irreducible error too
        and are not used.
    """
    audit = facts.data.label_audit if facts.data is not None else None
    if audit is None:
        return
    from mlestar.core.statistics.agreement import cohen_kappa, distinct_rows, is_one_label, rater_columns

    raters = rater_columns(audit.frame)
    needed = int(facts.limit("T1.4", "min_rows"))
    if raters is None:
        yield measured(audit, Outcome.INCONCLUSIVE, f"{audit.path} has no two columns of raters")
        return
    if is_one_label(audit.frame, raters):
        observed = f"{raters[0]} and {raters[1]} gave one and the same label to every row: that shows no agreement"
        yield measured(audit, Outcome.INCONCLUSIVE, observed)
        return
    kappa, n = cohen_kappa(audit.frame[raters[0]], audit.frame[raters[1]])
    n = min(n, distinct_rows(audit.frame))
    observed = f"kappa {kappa:.2f} of {raters[0]} and {raters[1]} on {n} rows"
    if n < needed:
        yield measured(audit, Outcome.INCONCLUSIVE, f"{observed}; {needed} rows would settle it", n=n)
        return
    good, tolerable = facts.limit("T1.4", "pass"), facts.limit("T1.4", "partial")
    outcome = Outcome.PASS if kappa >= good else Outcome.PARTIAL if kappa >= tolerable else Outcome.FAIL
    yield measured(audit, outcome, observed, n=n)
