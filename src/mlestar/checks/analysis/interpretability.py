"""A4.1, A4.2 and A4.3: whether what the model relies on is known, stable and plausible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured, measured_by_run
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.statistics.importance import importances, too_few_rows
from mlestar.core.wording import listed, percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import DataFacts, Table

_MANY_FEATURES = 5


@check("A4.1")
def importances_are_stable(facts: Facts) -> Iterator[Verdict]:
    """The same features matter whichever seed the model was trained with.

    Why: An explanation that changes with the seed explains the seed.
    How: Permutation importance on held-out rows with two seeds, Spearman correlation: of the run, or of gradient
        boosting on the given tables, where features that tell the same (rank correlation above 0.7) are permuted
        together and importances within two standard errors of nothing, or below a twentieth of the largest, count as
        equal.
    Threshold: pass from 0.8, partial from 0.5, fail below; inconclusive when no importance stands out.
    Source: Breiman 2001; Strobl et al. 2008 on correlated features; the bounds are this project's own.
    Fix: Regularise the model, drop features that tell the same, or gather more rows.
    Limits: Speaks for this project's quick model unless a run measured its own.
    """
    good, tolerable = facts.limit("A4.1", "pass"), facts.limit("A4.1", "partial")
    if facts.data is not None and facts.data.test is not None:
        found = importances(facts.data)
        if found is None:
            if why := too_few_rows(facts.data):
                yield measured(facts.data.test, Outcome.INCONCLUSIVE, why)
        else:
            stability = found.stability
            if stability is None:
                observed = "no feature's importance stands out of its noise; more test rows would settle it"
                yield measured(facts.data.test, Outcome.INCONCLUSIVE, observed)
            else:
                outcome = _banded(stability, good, tolerable)
                yield measured(facts.data.test, outcome, f"importances of two seeds correlate by {stability:.2f}")
    if facts.run is not None and facts.run.importance_stability is not None:
        stability = facts.run.importance_stability
        observed = f"importances of two seeds correlate by {stability:.2f}"
        yield measured_by_run(facts.run, _banded(stability, good, tolerable), observed)


def _banded(value: float, good: float, tolerable: float) -> Outcome:
    return Outcome.PASS if value >= good else Outcome.PARTIAL if value >= tolerable else Outcome.FAIL


@check("A4.2")
def explanations_exist(facts: Facts) -> Iterator[Verdict]:
    """It is known what the model relies on overall, and for one case.

    Why: Who must defend one decision needs the reasons of that decision, not only a list of important features.
    How: The run's permutation importances (global) and its explanation of one row (local).
    Threshold: pass with both, partial with one, fail with none.
    Source: ML Test Score, infrastructure 5; NIST AI RMF MEASURE 2.9; EU AI Act Art. 13.
    Fix: Export importances and the contributions of the features to one prediction.
    Limits: Whether the explanation is understood by those who need it cannot be measured here.
    """
    run = facts.run
    if run is None:
        return
    has = [name for name, there in {"global": run.importances, "local": run.local_explanation}.items() if there]
    outcome = {0: Outcome.FAIL, 1: Outcome.PARTIAL}.get(len(has), Outcome.PASS)
    top = max(run.importances, key=run.importances.__getitem__) if run.importances else ""
    observed = f"{' and '.join(has) or 'no'} explanation" + (f"; {top} matters most" if top else "")
    yield measured_by_run(run, outcome, observed, column=top)


@check("A4.3")
def no_feature_dominates(facts: Facts) -> Iterator[Verdict]:
    """No single feature carries nearly all of the importance.

    Why: A feature that decides everything is a leak, or a single point of failure.
    How: Share of the most important feature in the sum of the positive permutation importances: of the run, or of
        gradient boosting on the given tables, where features that tell the same (rank correlation above 0.7) are
        permuted together and share what that adds.
    Threshold: pass at most 0.5, partial at most 0.8, with fewer than five features, when the quick model is no better
        than honest features make one (AUC or concordance below 0.90, as in T2.1), or when the others replace the
        feature but for 0.05 of that; fail above.
    Source: this project's own bounds.
    Fix: Inspect the feature named: does it exist at the moment of prediction?
    Limits: When no importance stands out of its noise there is nothing to share: inconclusive.
        Features that tell the same share their importance, so a leak that stands twice may pass here; see T2.1.
        Free text beside the other columns is not weighed: only a pass is told then.
    """
    if facts.data is not None and facts.data.test is not None:
        yield from _of_quick_model(facts, facts.data, facts.data.test)
    if facts.run is not None and facts.run.importances:
        positive = {name: max(0.0, value) for name, value in facts.run.importances.items()}
        total = sum(positive.values())
        name = max(positive, key=positive.__getitem__)
        outcome, observed = _dominance(facts, name, positive[name] / total if total else 0.0, len(positive))
        yield measured_by_run(facts.run, outcome, observed, column=name)


def _of_quick_model(facts: Facts, data: DataFacts, test: Table) -> Iterator[Verdict]:
    found = importances(data)
    if found is None:
        if why := too_few_rows(data):
            yield measured(test, Outcome.INCONCLUSIVE, why)
        return
    name, share = found.top
    outcome, observed = _dominance(facts, name, share, len(found.names))
    if found.stability is None:
        outcome = Outcome.INCONCLUSIVE
        observed = "no feature's importance stands out of its noise; more test rows would settle it"
    elif found.unread and outcome is not Outcome.PASS:
        outcome = Outcome.INCONCLUSIVE
        observed += f", but {listed(list(found.unread))} was not weighed"
    elif outcome is Outcome.FAIL and found.skill < facts.limit("T2.1", "fail"):
        outcome = Outcome.PARTIAL
        observed += f", of a model that is not too good to be true ({found.skill:.2f})"
    elif outcome is Outcome.FAIL and found.without_top is not None:
        observed += f"; AUC or concordance {found.skill:.3f} with it, {found.without_top:.3f} without it"
        replaced = found.skill - found.without_top < facts.limit("T2.1", "fail_margin")
        outcome = Outcome.PARTIAL if replaced else Outcome.FAIL
    yield measured(test, outcome, observed, column=name)


def _dominance(facts: Facts, name: str, share: float, n_features: int) -> tuple[Outcome, str]:
    observed = f"{name} carries {percent(share)} of the importance of {n_features} features"
    if share <= facts.limit("A4.3", "pass"):
        return Outcome.PASS, observed
    dominated = share > facts.limit("A4.3", "partial") and n_features >= _MANY_FEATURES
    return (Outcome.FAIL if dominated else Outcome.PARTIAL), observed
