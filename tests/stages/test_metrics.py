from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from mlestar.core.pipeline import CLASSIFICATION_METRICS, REGRESSION_METRICS
from mlestar.stages import metrics
from mlestar.stages.metrics import Scored, score_of

ROWS = 300


def binary(seed: int = 0, *, ties: bool = False) -> Scored:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, ROWS)
    score = np.clip(0.35 * truth + random.random(ROWS) * 0.65, 0.01, 0.99)
    score = np.round(score, 1) * 0.98 + 0.01 if ties else score
    return score_of(np.column_stack([1 - score, score]), truth)


def multiclass(seed: int = 0) -> Scored:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, ROWS)
    scores = random.dirichlet(np.ones(3), ROWS) + np.eye(3)[truth] * 0.4
    return score_of(scores / scores.sum(axis=1, keepdims=True), truth)


def regression(seed: int = 0) -> Scored:
    random = np.random.default_rng(seed)
    truth = random.normal(1e4, 3.0, ROWS)
    return Scored(truth=truth, predicted=truth + random.normal(0, 1, ROWS))


BINARY = {
    "accuracy": lambda s: reference.accuracy_score(s.truth, s.predicted),
    "balanced_accuracy": lambda s: reference.balanced_accuracy_score(s.truth, s.predicted),
    "precision": lambda s: reference.precision_score(s.truth, s.predicted),
    "recall": lambda s: reference.recall_score(s.truth, s.predicted),
    "f1": lambda s: reference.f1_score(s.truth, s.predicted),
    "roc_auc": lambda s: reference.roc_auc_score(s.truth, s.scores[:, 1]),
    "average_precision": lambda s: reference.average_precision_score(s.truth, s.scores[:, 1]),
    "log_loss": lambda s: reference.log_loss(s.truth, s.scores),
    "brier": lambda s: reference.brier_score_loss(s.truth, s.scores[:, 1]),
}
MULTICLASS = {
    "accuracy": lambda s: reference.accuracy_score(s.truth, s.predicted),
    "precision": lambda s: reference.precision_score(s.truth, s.predicted, average="macro"),
    "recall": lambda s: reference.recall_score(s.truth, s.predicted, average="macro"),
    "f1": lambda s: reference.f1_score(s.truth, s.predicted, average="macro"),
    "roc_auc": lambda s: reference.roc_auc_score(s.truth, s.scores, multi_class="ovr"),
    "average_precision": lambda s: reference.average_precision_score(np.eye(3)[s.truth], s.scores),
    "log_loss": lambda s: reference.log_loss(s.truth, s.scores),
}
REGRESSION = {
    "r2": lambda s: reference.r2_score(s.truth, s.predicted),
    "mae": lambda s: reference.mean_absolute_error(s.truth, s.predicted),
    "rmse": lambda s: reference.root_mean_squared_error(s.truth, s.predicted),
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("ties", [False, True])
def test_binary_metrics_equal_scikit_learns(name: str, ties: bool) -> None:
    scored = binary(ties=ties)
    assert metrics.value_of(name, scored) == pytest.approx(BINARY[name](scored), abs=1e-12)


@pytest.mark.parametrize("name", MULTICLASS)
def test_multiclass_metrics_equal_scikit_learns_macro_averages(name: str) -> None:
    scored = multiclass()
    assert metrics.value_of(name, scored) == pytest.approx(MULTICLASS[name](scored), abs=1e-12)


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_metrics_equal_scikit_learns(name: str) -> None:
    scored = regression()
    assert metrics.value_of(name, scored) == pytest.approx(REGRESSION[name](scored), rel=1e-9)


def test_every_declared_metric_is_defined_and_compared() -> None:
    assert set(BINARY) == set(CLASSIFICATION_METRICS)
    assert set(REGRESSION) == set(REGRESSION_METRICS)


@pytest.mark.parametrize("name", BINARY)
def test_a_bootstrap_draw_equals_the_metric_of_the_drawn_rows(name: str) -> None:
    scored = binary(ties=True)
    counts = np.random.default_rng(5).multinomial(ROWS, np.full(ROWS, 1 / ROWS))
    rows = np.repeat(np.arange(ROWS), counts)
    drawn = Scored(truth=scored.truth[rows], predicted=scored.predicted[rows], scores=scored.scores[rows])  # type: ignore[index] # set by score_of
    weighted = metrics.weighted(name, scored, counts[None, :].astype(float))[0]
    assert weighted == pytest.approx(metrics.value_of(name, drawn), abs=1e-12)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = 0.8
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(100):
        right = random.random(200) < truth
        scored = score_of(np.column_stack([~right, right]).astype(float), np.ones(200, dtype=int))
        interval = metrics.estimate("accuracy", scored, seed=trial)
        covered += interval.low <= truth <= interval.high
    assert 88 <= covered <= 100


def test_lower_is_better_metrics_turn_their_sign_as_a_gain() -> None:
    assert metrics.gain("log_loss", 0.3) == -0.3
    assert metrics.gain("roc_auc", 0.3) == 0.3


def test_equal_seeds_draw_equal_samples_for_two_models() -> None:
    one, other = binary(0), binary(0, ties=True)
    assert np.array_equal(metrics.draw_values("accuracy", one, seed=3), metrics.draw_values("accuracy", one, seed=3))
    assert not np.array_equal(
        metrics.draw_values("accuracy", one, seed=3), metrics.draw_values("accuracy", other, seed=4)
    )
