from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestar.core.claims.arithmetic import check_numbers

GUIDE = {"accuracy": 0.92, "precision": 0.89, "recall": 0.91, "f1": 0.90}


def test_the_guides_numbers_are_consistent_and_imply_their_prevalence() -> None:
    result = check_numbers(GUIDE)
    assert result.contradictions == ()
    assert result.notes == ("implied share of positives 39.5%; a constant answer would have accuracy 60.5%",)


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "f1 above both parts": ({**GUIDE, "f1": 0.95}, "F1 within [0.8949, 0.9049]"),
    "accuracy too low for the rates": ({**GUIDE, "accuracy": 0.7}, "share of positives of at least"),
    "a share above one": ({"accuracy": 1.2}, "outside [0, 1]"),
    "a negative share": ({"recall": -0.1}, "outside [0, 1]"),
    "r2 above one": ({"r2": 1.3}, "outside"),
    "inverted scores": ({"rocAuc": 0.31}, "below chance"),
    "mae above rmse": ({"mae": 3.0, "rmse": 2.0}, "below MAE"),
    "mse that is not the square": ({"rmse": 2.0, "mse": 9.0}, "RMSE squared"),
    "counts that give another accuracy": (
        {"tp": 40, "fp": 10, "fn": 10, "tn": 40, "accuracy": 0.95},
        "accuracy 0.8000",
    ),
    "a broken count": ({"tp": 40.5, "fp": 1, "fn": 1, "tn": 1}, "not a whole number"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_contradiction_is_named(case: str) -> None:
    claim, words = CASES[case]
    assert words in " ".join(check_numbers(claim).contradictions)


FINE: dict[str, dict[str, Any]] = {
    "percentages": {"accuracy": "92%", "precision": 89, "recall": 91, "f1": "90%"},
    "macro averages obey no identity": {"macro": GUIDE | {"f1": 0.95}},
    "several classes obey no identity": {**GUIDE, "f1": 0.8, "numClasses": 5},
    "mixed precision": {"accuracy": 0.9231, "precision": 0.9, "recall": 0.8, "f1": 0.85},
    "a rare class": {"accuracy": 0.99, "precision": 0.89, "recall": 0.91},
    "errors in units": {"mae": 120.5, "rmse": 180.2},
    "recall weighted by class is the accuracy": {
        "accuracy": 0.9561403,
        "precision": 0.9569049,
        "recall": 0.9561403,
        "f1": 0.9558014,
    },
}


@pytest.mark.parametrize("case", FINE)
def test_numbers_that_can_be_true_are_not_refuted(case: str) -> None:
    assert check_numbers(FINE[case]).contradictions == ()


@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 400), st.integers(1, 400), st.integers(2, 4))
@settings(max_examples=150, deadline=None)
def test_metrics_of_real_counts_are_never_refuted(tp: int, fp: int, fn: int, tn: int, digits: int) -> None:
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    claim = {
        "accuracy": round((tp + tn) / (tp + fp + fn + tn), digits),
        "precision": round(precision, digits),
        "recall": round(recall, digits),
        "f1": round(2 * tp / (2 * tp + fp + fn), digits),
        "specificity": round(tn / (tn + fp), digits),
    }
    assert check_numbers(claim).contradictions == ()
    assert check_numbers({**claim, "tp": tp, "fp": fp, "fn": fn, "tn": tn}).contradictions == ()
