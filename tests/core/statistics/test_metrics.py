"""Metrics, ranks and calibration against scikit-learn and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import somersd
from sklearn import metrics as reference

from mlestar.core.facts.data import Predictions
from mlestar.core.statistics.calibration import calibration
from mlestar.core.statistics.metrics import canonical, confusion, recomputed
from mlestar.core.statistics.ranking import auc, auc_standard_error, concordance, macro_auc

RANDOM = np.random.default_rng(7)


def predictions(y_true: np.ndarray, y_pred: np.ndarray | None, y_score: np.ndarray | None, k: int) -> Predictions:
    text = y_true.astype(str).astype(object)
    return Predictions(
        path="p",
        sha256="",
        y_true=text,
        y_pred=None if y_pred is None else y_pred.astype(str).astype(object),
        y_score=y_score,
        classes=tuple(str(i) for i in range(k)),
        positive="1" if k == 2 else None,
    )


@pytest.mark.parametrize("k", [2, 3, 5])
def test_classification_metrics_are_those_of_scikit_learn(k: int) -> None:
    truth, answer = RANDOM.integers(0, k, 300), RANDOM.integers(0, k, 300)
    answer = np.where(RANDOM.random(300) < 0.6, truth, answer)
    found = recomputed(predictions(truth, answer, None, k))
    assert found["accuracy"][0] == pytest.approx(reference.accuracy_score(truth, answer))
    assert found["balanced_accuracy"][0] == pytest.approx(reference.balanced_accuracy_score(truth, answer))
    assert found["kappa"][0] == pytest.approx(reference.cohen_kappa_score(truth, answer))
    assert found["mcc"][0] == pytest.approx(reference.matthews_corrcoef(truth, answer))
    averages = [*(["binary"] if k == 2 else []), "macro", "weighted"]
    precision = [reference.precision_score(truth, answer, average=average) for average in averages]
    recall = [reference.recall_score(truth, answer, average=average) for average in averages]
    f1 = [reference.f1_score(truth, answer, average=average) for average in averages]
    assert found["precision"] == pytest.approx(precision)
    assert found["recall"] == pytest.approx(recall)
    assert found["f1"] == pytest.approx(f1)


def test_score_metrics_are_those_of_scikit_learn() -> None:
    truth = RANDOM.integers(0, 2, 400)
    score = np.round(np.clip(truth * 0.3 + RANDOM.random(400) * 0.7, 0, 1), 2)
    found = recomputed(predictions(truth, None, score, 2))
    assert found["roc_auc"][0] == pytest.approx(reference.roc_auc_score(truth, score))
    assert found["brier"][0] == pytest.approx(reference.brier_score_loss(truth, score))
    inner = np.clip(score, 1e-3, 1 - 1e-3)
    assert recomputed(predictions(truth, None, inner, 2))["log_loss"][0] == pytest.approx(
        reference.log_loss(truth, inner)
    )


def test_many_class_scores_are_those_of_scikit_learn() -> None:
    truth = RANDOM.integers(0, 4, 400)
    score = RANDOM.dirichlet(np.ones(4), 400) + np.eye(4)[truth] * 0.4
    score /= score.sum(axis=1, keepdims=True)
    assert macro_auc(truth, score) == pytest.approx(reference.roc_auc_score(truth, score, multi_class="ovr"))
    assert recomputed(predictions(truth, None, score, 4))["log_loss"][0] == pytest.approx(
        reference.log_loss(truth, score)
    )


def test_regression_metrics_are_those_of_scikit_learn() -> None:
    truth = RANDOM.normal(size=200)
    answer = truth + RANDOM.normal(size=200)
    found = recomputed(Predictions(path="p", sha256="", y_true=truth, y_pred=answer))
    assert found["r2"][0] == pytest.approx(reference.r2_score(truth, answer))
    assert found["mae"][0] == pytest.approx(reference.mean_absolute_error(truth, answer))
    assert found["rmse"][0] == pytest.approx(reference.root_mean_squared_error(truth, answer))


def test_auc_standard_error_is_the_published_one() -> None:
    """Hanley and McNeil 1982, table: area 0.893 with 51 abnormal and 58 normal cases has SE 0.032."""
    assert auc_standard_error(0.893, 51, 58) == pytest.approx(0.032, abs=1e-3)


def test_auc_of_one_class_is_not_a_number() -> None:
    assert math.isnan(auc(np.ones(5, dtype=bool), np.arange(5.0)))


def test_concordance_is_somers_d_with_ties_counted_half() -> None:
    truth = RANDOM.normal(size=80)
    answer = np.round(truth + RANDOM.normal(size=80), 0)
    expected = 0.5 + somersd(truth, answer).statistic / 2
    assert concordance(truth, answer) == pytest.approx(expected)
    assert concordance(truth, np.zeros(80)) == 0.5


def test_kappa_error_under_independence_is_the_spread_of_permuted_labels() -> None:
    truth, answer = RANDOM.integers(0, 3, 200), RANDOM.choice(3, 200, p=[0.6, 0.3, 0.1])
    table = confusion(predictions(truth, answer, None, 3))
    drawn = [confusion(predictions(RANDOM.permutation(truth), answer, None, 3)).kappa for _ in range(400)]
    assert table.kappa_null_error() == pytest.approx(float(np.std(drawn)), rel=0.12)


def test_calibrated_scores_stay_within_their_null_and_sharpened_ones_do_not() -> None:
    share = RANDOM.random(1500)
    happened = RANDOM.random(1500) < share
    fine = calibration(happened, share, bins=10, draws=200, quantile=0.99, seed=0)
    logit = np.log(share / (1 - share)) * 3
    sharp = calibration(happened, 1 / (1 + np.exp(-logit)), bins=10, draws=200, quantile=0.99, seed=0)
    assert fine.ece <= fine.null
    assert sharp.ece > max(0.05, sharp.null)


@pytest.mark.parametrize(
    ("name", "metric"),
    [("accuracy", "accuracy"), ("f1Score", "f1"), ("ROC-AUC", "roc_auc"), ("R2", "r2"), ("loss", ""), ("epochs", "")],
)
def test_metrics_are_known_by_the_names_people_write(name: str, metric: str) -> None:
    assert canonical(name) == metric
