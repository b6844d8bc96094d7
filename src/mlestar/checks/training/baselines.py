"""T3.1, T3.2 and T3.4: the model against a guess, a simple model, and itself on the training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import hypot
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured, measured_by_run
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.wording import percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

_PREFERRED = ("roc_auc", "balanced_accuracy", "f1", "accuracy", "r2", "rmse", "mae")


@check("T3.1")
def beats_a_dummy(facts: Facts) -> Iterator[Verdict]:
    """The model knows more than a guess does.

    Why: Accuracy on unbalanced data hides that a constant answer scores as well; such a model is not worth its risk.
    How: From the predictions: AUC against 0.5 (scores), kappa (classes) or R2 (values), each with the error it
        has when truth and prediction are unrelated. From a run: its metric against its dummy's on the same rows.
    Threshold: pass when the gain is significant (one-sided alpha 0.01) and at least 0.05 AUC (0.10 kappa or R2),
        partial when it is significant only, fail when it is not although a plausible model (AUC 0.70) would have shown
        or although such a gain is ruled out; inconclusive when too few rows could show even that.
    Source: ML Test Score, model 5; Rules of ML 1; Hanley and McNeil 1982; deepchecks simple model comparison (0.1).
    Fix: There is no signal: go back to the data and the definition of the target.
    Limits: A dummy is a low bar; T3.2 asks for more.
    """
    if facts.data is not None and facts.data.predictions is not None:
        from mlestar.core.statistics.baselines import gain_over_dummy

        predictions = facts.data.predictions
        alpha = facts.limit("T3.1", "alpha")
        found = gain_over_dummy(predictions, gain=facts.limit("T3.1", "gain"), alpha=alpha, seed=facts.data.seed)
        observed = f"{found.measure} {found.value:.3f} (p = {found.p_value:.2g}) on {predictions.n_read} rows"
        if found.p_value <= alpha:
            enough = found.value >= found.needed
            yield measured(predictions, Outcome.PASS if enough else Outcome.PARTIAL, observed)
        elif found.decidable:
            yield measured(predictions, Outcome.FAIL, f"no better than a dummy: {observed}")
        else:
            observed += f"; {found.n_needed} rows would settle it"
            yield measured(predictions, Outcome.INCONCLUSIVE, observed)
    yield from _run_against(facts, "dummy", facts.limit("T3.1", "gain"), "a dummy")


@check("T3.2")
def beats_a_simple_model(facts: Facts) -> Iterator[Verdict]:
    """The model is better than a linear one.

    Why: A complex model that ties with a simple one costs more to run, to explain and to keep.
    How: A logistic or ridge regression is trained on the training table and answers the test rows; paired bootstrap of
        the per-row score against the predictions. From a run: its metric against its simple model's.
    Threshold: pass when the 95% interval of the difference is above 0, partial when it holds 0, fail when below.
    Source: ML Test Score, model 5; Efron and Tibshirani 1993, chapter 16.
    Fix: Ship the simpler model, or find the features that let the complex one pay.
    Limits: Test rows must be in the order of the predictions; at most 3,000 training rows are used; free
        text comes to the linear model as words weighted by TF-IDF.
    """
    data = facts.data
    if data is not None and data.predictions is not None:
        from mlestar.core.statistics.simple_models import against_linear

        found = against_linear(data, alpha=facts.limit("T3.2", "alpha"))
        if found is not None:
            outcome = Outcome.PASS if found.low > 0 else Outcome.FAIL if found.high < 0 else Outcome.PARTIAL
            observed = f"{found.difference:+.4f} per row against a linear model [{found.low:+.4f}, {found.high:+.4f}]"
            yield measured(data.predictions, outcome, observed)
    yield from _run_against(facts, "simple", 0.0, "a simple model")


def _run_against(facts: Facts, baseline: str, gain: float, what: str) -> Iterator[Verdict]:
    run = facts.run
    name = _shared_metric(run.metrics, run.baselines.get(baseline, {})) if run is not None else ""
    if run is None or not name:
        return
    from mlestar.core.statistics.metrics import LOWER_IS_BETTER, canonical

    ours, theirs = run.metrics[name], run.baselines[baseline][name]
    lower = canonical(name) in LOWER_IS_BETTER
    lead = (theirs.value - ours.value) if lower else (ours.value - theirs.value)
    spread = hypot(ours.high - ours.low, theirs.high - theirs.low) / 2
    outcome = _standing(lead, spread, gain * abs(theirs.value) if lower else gain)
    observed = f"{name} {ours.value:.3f} [{ours.low:.3f}, {ours.high:.3f}] against {theirs.value:.3f} of {what}"
    yield measured_by_run(run, outcome, observed, n=ours.n)


def _standing(lead: float, spread: float, gain: float) -> Outcome:
    """Against a dummy (gain > 0) the model must show its lead; against a simple model (gain 0) a tie is half a pass."""
    if lead > spread:
        return Outcome.PASS if lead >= gain else Outcome.PARTIAL
    if gain > 0:
        return Outcome.INCONCLUSIVE if lead >= gain else Outcome.FAIL
    return Outcome.FAIL if lead < -spread else Outcome.PARTIAL


def _shared_metric(ours: Mapping[str, object], theirs: Mapping[str, object]) -> str:
    from mlestar.core.statistics.metrics import canonical

    shared = {canonical(name) or name: name for name in ours if name in theirs}
    return next((shared[name] for name in (*_PREFERRED, *shared) if name in shared), "")


@check("T3.4")
def train_and_test_scores_are_close(facts: Facts) -> Iterator[Verdict]:
    """The model does about as well on held-out rows as on its training rows.

    Why: A wide gap is memory, and what was memorised is of no use on new cases.
    How: Relative drop of the score from training to held-out rows: of the run, or of predictions whose `split` column
        tells training rows from test rows.
    Threshold: pass at most 10%, partial at most 20%, fail above.
    Source: deepchecks TrainTestPerformance (10%).
    Fix: Regularise, prune features, or add data.
    Limits: Some models (forests) fit their training rows perfectly and still generalise; read it beside T3.1.
    """
    if facts.data is not None and facts.data.predictions is not None and facts.data.predictions.on_train is not None:
        from mlestar.core.statistics.metrics import recomputed

        predictions = facts.data.predictions
        test = {name: found[0] for name, found in recomputed(predictions).items()}
        train = {name: found[0] for name, found in recomputed(facts.data.predictions.on_train).items()}
        for outcome, observed in _gap(facts, train, test):
            yield measured(predictions, outcome, observed)
    if facts.run is not None:
        held_out = {name: estimate.value for name, estimate in facts.run.metrics.items()}
        for outcome, observed in _gap(facts, facts.run.train_metrics, held_out):
            yield measured_by_run(facts.run, outcome, observed)


def _gap(facts: Facts, train: Mapping[str, float], test: Mapping[str, float]) -> Iterator[tuple[Outcome, str]]:
    from mlestar.core.statistics.metrics import LOWER_IS_BETTER, canonical

    name = _shared_metric(test, train)
    if not name or not train[name]:
        return
    worse = test[name] - train[name] if canonical(name) in LOWER_IS_BETTER else train[name] - test[name]
    drop = worse / abs(train[name])
    good, tolerable = facts.limit("T3.4", "pass"), facts.limit("T3.4", "partial")
    outcome = Outcome.PASS if drop <= good else Outcome.PARTIAL if drop <= tolerable else Outcome.FAIL
    yield outcome, f"{name} {train[name]:.3f} on training rows, {test[name]:.3f} held out: a drop of {percent(drop)}"
