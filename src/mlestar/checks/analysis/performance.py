"""A1.1, A1.3 and A1.5: whether the reported performance is true, precise and calibrated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlestar.checks.measured import measured, measured_by_run
from mlestar.checks.registry import check
from mlestar.core.claims.model_card import card_metrics, model_card
from mlestar.core.claims.slots import is_concrete
from mlestar.core.claims.statements import StatedMetric, stated_metrics
from mlestar.core.evidence import Level, Outcome, Verdict, Where, slots
from mlestar.core.wording import listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.run import Estimate

_CLAIM_SLOTS = {
    "split": ("split", "testset", "dataset", "evaluatedon", "heldout", "validation"),
    "n": ("n", "testsize", "samples", "rows", "support", "ntest"),
    "confidence interval": ("ci", "confidenceinterval", "interval", "stderr", "standarderror"),
    "baseline": ("baseline", "dummy", "majority"),
    "date": ("date", "evaluatedat", "measuredat", "asof"),
}
_ROUNDING = 1e-9  # a width of exactly the bound must not fail by a binary fraction
_HEADLINES = ("accuracy", "roc_auc", "r2", "f1")


@check("A1.1")
def claimed_metrics_are_true(facts: Facts) -> Iterator[Verdict]:
    """The reported metrics are the ones that the predictions give.

    Why: A number that nobody can reproduce from the predictions is a hope, and every decision after it rests on it.
    How: Every metric that the caller or the model card's metadata states is computed again from the held-out
        predictions (precision, recall and F1 under each usual average, the nearest one counts) or compared with the
        metrics of the pipeline run.
    Threshold: pass when every claim is within 0.005 or within its own rounding, partial when nothing was claimed or a
        claim is too modest, fail when a claim is better than the recomputed value by more: it is refuted.
    Source: ML Test Score, infrastructure 4 (model quality is validated before serving).
    Fix: Publish the recomputed values, with the split, n, an interval and a baseline.
    Limits: Whether the predictions come from held-out rows is judged by T1.5. Here, and wherever predictions decide, a
        pass is inconclusive when other files contradict them: the truth in them is not the test file's, not one of 300
        answers or more is wrong though gradient boosting on the given tables errs, it errs twenty times as often having
        seen the same rows, or they are far better than a guess on tables in which it finds nothing.
    """
    claim = facts.claims.get("analysis", {})
    stated = list(stated_metrics(claim))
    if stated:
        yield _as_claimed(claim, stated)
    card, documented = _in_the_card(facts)
    if documented:
        shown = listed([f"{metric.key} {metric.value:g}" for metric in documented])
        yield slots(1, 1 + len(_CLAIM_SLOTS), Level.DOCUMENTED, f"the model card states {shown}", where=card)
        stated += documented
    data = facts.data
    if data is not None and data.predictions is not None:
        from mlestar.core.statistics.metrics import recomputed

        predictions = data.predictions
        ours = recomputed(predictions)
        outcome, observed = _compared(facts, stated, ours)
        yield measured(predictions, outcome, observed)
    elif facts.run is not None and facts.run.metrics:
        spread = {name: (estimate.low, estimate.value, estimate.high) for name, estimate in _named(facts).items()}
        comparable = [metric for metric in stated if metric.metric in spread]
        if comparable:
            outcome, observed = _compared(facts, comparable, spread)
        else:
            outcome = Outcome.PASS
            observed = f"measured on held-out rows: {_shown({k: (v[1],) for k, v in spread.items()})}"
        yield measured_by_run(facts.run, outcome, observed)


def _in_the_card(facts: Facts) -> tuple[Where, list[StatedMetric]]:
    """The metrics of the model card's metadata, and the line of the first."""
    path = model_card(facts.project) if facts.project is not None else ""
    if facts.project is None or not path:
        return Where(), []
    found = card_metrics(facts.project.texts[path])
    stated = [metric for _, name, value in found for metric in stated_metrics({name: value})]
    return (facts.project.where(path, found[0][0]) if found else Where()), stated


def _as_claimed(claim: Mapping[str, Any], stated: list[StatedMetric]) -> Verdict:
    concrete = [key for key, value in claim.items() if is_concrete(str(value))]
    keys = {"".join(letter for letter in str(key).lower() if letter.isalnum()) for key in concrete}
    given = [name for name, aliases in _CLAIM_SLOTS.items() if keys & set(aliases)]
    missing = [name for name in _CLAIM_SLOTS if name not in given]
    observed = f"stated: {listed([f'{metric.key} {metric.value:g}' for metric in stated])}"
    observed += f"; without {listed(missing)}" if missing else ""
    return slots(1 + len(given), 1 + len(_CLAIM_SLOTS), Level.CLAIMED, observed)


def _compared(facts: Facts, stated: list[StatedMetric], ours: Mapping[str, tuple[float, ...]]) -> tuple[Outcome, str]:
    """The worst agreement of all claims. Values of one metric are alternatives: the nearest one counts."""
    if not stated:
        return Outcome.PARTIAL, f"nothing was claimed to compare; recomputed: {_shown(ours)}"
    bold: list[str] = []
    modest: list[str] = []
    equal: list[str] = []
    unknown = [metric.key for metric in stated if metric.metric not in ours]
    for metric in stated:
        if metric.metric not in ours:
            continue
        nearest = min(ours[metric.metric], key=lambda value: abs(value - metric.value))
        gap = metric.value - nearest
        tolerance = max(facts.limit("A1.1", "tolerance"), metric.half_unit) + _ROUNDING
        said = f"{metric.key} {metric.value:g} claimed, {nearest:.4f} recomputed"
        if abs(gap) <= tolerance:
            equal.append(said)
        else:
            (bold if (gap > 0) != metric.lower_is_better else modest).append(said)
    if bold:
        return Outcome.FAIL, f"refuted: {listed(bold)}"
    if modest:
        return Outcome.PARTIAL, f"different, though not in the claim's favour: {listed(modest)}"
    if not equal:
        return Outcome.PARTIAL, f"{listed(unknown)} cannot be recomputed from these predictions"
    return Outcome.PASS, listed(equal)


@check("A1.3")
def headline_is_precise(facts: Facts) -> Iterator[Verdict]:
    """The headline metric is known to a few points.

    Why: On 200 rows an accuracy of 0.92 may be 0.88 or 0.95: no two models can be told apart.
    How: Half-width of the 95% interval: Wilson for accuracy, Hanley-McNeil for AUC when only scores are there,
        bootstrap for R2; from the predictions or from the run's own intervals.
    Threshold: pass at most 0.02, partial at most 0.05, fail when wider; the n that would do is named.
    Source: Wilson 1927, Hanley and McNeil 1982; the bounds are this project's own.
    Fix: Enlarge the test set to the n named, or report the interval beside the metric.
    Limits: Rows are taken as independent; clustered rows are worth less.
    """
    if facts.data is not None and facts.data.predictions is not None:
        from mlestar.core.statistics.precision import headline_interval

        predictions = facts.data.predictions
        name, value, half_width = headline_interval(predictions, seed=facts.data.seed)
        outcome, observed = _precision(facts, name, value, half_width, predictions.n_read)
        yield measured(predictions, outcome, observed)
    if facts.run is not None and facts.run.metrics:
        metrics = _named(facts)
        name = next((name for name in _HEADLINES if name in metrics), next(iter(metrics)))
        estimate = metrics[name]
        outcome, observed = _precision(facts, name, estimate.value, (estimate.high - estimate.low) / 2, estimate.n)
        yield measured_by_run(facts.run, outcome, observed, n=estimate.n)


def _precision(facts: Facts, name: str, value: float, half_width: float, n: int) -> tuple[Outcome, str]:
    from mlestar.core.statistics.intervals import n_for_half_width

    good, tolerable = facts.limit("A1.3", "pass"), facts.limit("A1.3", "partial")
    observed = f"{name} {value:.3f} +- {half_width:.3f} on {n} rows"
    if half_width <= good + _ROUNDING:
        return Outcome.PASS, observed
    needed = n_for_half_width(value, good) if name == "accuracy" else math.ceil(n * (half_width / good) ** 2)
    outcome = Outcome.PARTIAL if half_width <= tolerable + _ROUNDING else Outcome.FAIL
    return outcome, f"{observed}; {needed} rows would bring it to +- {good:g}"


@check("A1.5")
def scores_are_calibrated(facts: Facts) -> Iterator[Verdict]:
    """Of the cases scored 0.8, eight in ten happen.

    Why: Thresholds, costs and expected values are computed with the scores as probabilities.
    How: Expected calibration error over ten bins of equal size (of the most probable class, for many classes), against
        the 99th percentile of 200 draws in which the scores are exactly right.
    Threshold: pass within the null, partial beyond it but at most 0.05, fail above both; inconclusive above 0.05 but
        within a null that is wider.
    Source: Guo et al. 2017; Broecker and Smith 2007 (consistency resampling).
    Fix: Recalibrate on held-out rows (isotonic or Platt scaling).
    Limits: Only probabilities between 0 and 1 are judged; calibration within slices is not.
    """
    if facts.data is None or facts.data.predictions is None or facts.data.predictions.y_score is None:
        return
    import numpy as np

    from mlestar.core.statistics.calibration import calibration, top_label

    predictions = facts.data.predictions
    score = np.asarray(predictions.y_score, dtype=float)
    if float(score.min()) < 0 or float(score.max()) > 1:
        yield measured(
            predictions,
            Outcome.INCONCLUSIVE,
            f"scores run from {score.min():.3g} to {score.max():.3g}: not probabilities, calibration is undefined",
        )
        return
    if score.ndim == 1:
        events, probability = predictions.y_true.astype(str) == str(predictions.positive), score
    else:
        events, probability = top_label(predictions)
    found = calibration(
        events,
        probability,
        bins=int(facts.limit("A1.5", "bins")),
        draws=int(facts.limit("A1.5", "draws")),
        quantile=facts.limit("A1.5", "null_quantile"),
        seed=facts.data.seed,
    )
    large = found.ece > facts.limit("A1.5", "ece")
    observed = f"calibration error {found.ece:.3f}, by chance alone up to {found.null:.3f}"
    if found.ece > found.null:
        yield measured(predictions, Outcome.FAIL if large else Outcome.PARTIAL, observed)
    elif large:
        needed = math.ceil(found.n * (found.null / facts.limit("A1.5", "ece")) ** 2)
        yield measured(predictions, Outcome.INCONCLUSIVE, f"{observed}; about {needed} rows would settle it")
    else:
        yield measured(predictions, Outcome.PASS, observed)


def _named(facts: Facts) -> dict[str, Estimate]:
    """The run's metrics under canonical names."""
    from mlestar.core.statistics.metrics import canonical

    return {canonical(name) or name: estimate for name, estimate in (facts.run.metrics if facts.run else {}).items()}


def _shown(values: Mapping[str, tuple[float, ...]]) -> str:
    return listed([f"{name} {found[0]:.3f}" for name, found in values.items()])
