from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlestar.interfaces.dashboard import charts

PERCENT = st.floats(min_value=0, max_value=100)


@given(st.lists(PERCENT, min_size=1, max_size=60))
def test_a_trend_stays_in_its_box_and_higher_scores_stand_higher(values: list[float]) -> None:
    line = charts.trend([(value, "evaluated") for value in values])
    assert all(0 <= x <= charts.TREND_WIDTH and 0 <= y <= charts.TREND_HEIGHT for x, y, _ in line.marks)
    ordered = sorted(zip(values, [y for _, y, _ in line.marks], strict=True))
    assert [y for _, y in ordered] == sorted((y for _, y in ordered), reverse=True)


def test_no_judgement_gives_an_empty_trend() -> None:
    assert charts.trend([]).marks == ()


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.floats(min_value=-1e6, max_value=1e6), max_size=20))
def test_bars_share_one_scale_that_holds_zero(values: dict[str, float]) -> None:
    for bar in charts.bars(values):
        assert 0 <= bar.start <= 100
        assert bar.start + bar.width <= 100.02
        assert bar.below == (values[bar.name] < 0)


def test_what_is_no_number_gets_no_bar() -> None:
    assert [bar.name for bar in charts.bars({"a": 1.0, "b": math.nan, "c": math.inf})] == ["a"]


def estimate(value: float, low: float, high: float) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": 100}


METRICS = {
    "shares are drawn from 0 to 1": (estimate(0.8, 0.7, 0.9), 0.0, 1.0, 80.0),
    "others have a scale of their own": (estimate(50.0, 0.0, 100.0), -8.0, 108.0, 50.0),
    "a single value stands in the middle": (estimate(5.0, 5.0, 5.0), 4.0, 6.0, 50.0),
}


@pytest.mark.parametrize("case", METRICS)
def test_metric_scales(case: str) -> None:
    told, left, right, at = METRICS[case]
    (row,) = charts.metric_rows({"m": told}, {"dummy": {"m": told}, "simple": {}})
    assert (row.left, row.right) == (pytest.approx(left), pytest.approx(right))
    assert row.at == pytest.approx(at, abs=0.1)
    assert [mark.name for mark in row.baselines] == ["dummy"]


CURVES: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "one line a number beside the epoch": (
        [{"epoch": 1, "loss": 2.0, "f1": 0.1}, {"epoch": 2, "loss": 1.0, "f1": 0.3}],
        ["loss", "f1"],
    ),
    "a series with gaps is left out": ([{"epoch": 1, "loss": 2.0}, {"epoch": 2}], []),
    "a series that diverged is left out": ([{"epoch": 1, "loss": math.inf}], []),
    "nothing gives nothing": ([], []),
}


@pytest.mark.parametrize("case", CURVES)
def test_training_curves(case: str) -> None:
    rows, names = CURVES[case]
    assert [line.name for line in charts.curves(rows)] == names


def test_stages_follow_each_other_on_one_scale_of_time() -> None:
    first, second = charts.timeline({"data": 1.0, "training": 3.0})
    assert (first.start, first.width) == (0.0, 25.0)
    assert (second.start, second.width) == (25.0, 75.0)


def test_a_perfectly_calibrated_model_lies_on_the_diagonal() -> None:
    line = charts.calibration([{"said": share, "was": share, "n": 5} for share in (0.0, 0.25, 1.0)])
    assert [(x, charts.CALIBRATION_SIDE - y) for x, y, _ in line.marks] == [(0, 0), (55, 55), (220, 220)]


def test_the_shade_of_a_confusion_is_its_share_of_the_true_class() -> None:
    rows = charts.confusion(["benign", "malignant"], [[10, 0], [1, 9]])
    assert [row.cells for row in rows] == [((10, 4), (0, 0)), ((1, 1), (9, 4))]
    assert charts.confusion(["never seen"], [[0]])[0].cells == ((0, 0),)
