"""Intervals against published worked examples and scipy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mlestar.core.statistics.intervals import (
    holm,
    n_for_half_width,
    n_per_arm,
    newcombe,
    ratio_interval,
    wilson,
    wilson_half_width,
)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 29), (81, 263), (15, 148), (184, 200), (50, 50)])
def test_wilson_is_the_interval_of_scipy(successes: int, n: int) -> None:
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_gives_the_published_interval_of_81_in_263() -> None:
    """Newcombe 1998 (Statistics in Medicine 17:857), table I."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(
    ("counts", "interval"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((10, 10, 0, 20), (0.6791, 1.0000)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ],
)
def test_newcombe_gives_the_published_intervals(
    counts: tuple[int, int, int, int], interval: tuple[float, float]
) -> None:
    """Newcombe 1998 (Statistics in Medicine 17:873), table II, method 10."""
    assert newcombe(*counts) == pytest.approx(interval, abs=5e-5)


@pytest.mark.parametrize(("n", "points"), [(200, 3.8), (1000, 1.7)])
def test_an_accuracy_of_092_is_as_precise_as_the_rubric_prints(n: int, points: float) -> None:
    assert 100 * wilson_half_width(0.92, n) == pytest.approx(points, abs=0.05)


@given(p=st.floats(0.02, 0.98), width=st.floats(0.005, 0.2))
def test_the_named_n_is_the_first_that_is_precise_enough(p: float, width: float) -> None:
    n = n_for_half_width(p, width)
    assert wilson_half_width(p, n) <= width
    assert n <= 2 or wilson_half_width(p, n - 1) > width * 0.999


def test_n_per_arm_of_a_standard_design() -> None:
    """Fleiss 1981: 10% against 13%, alpha 0.05, power 0.8."""
    assert n_per_arm(0.10, 0.03) == 1772


def test_ratio_interval_holds_one_for_equal_rates_and_excludes_it_for_unequal_ones() -> None:
    low, high = ratio_interval(50, 100, 50, 100)
    assert low < 1 < high
    assert ratio_interval(200, 1000, 400, 1000)[1] < 0.8


def test_holm_gives_the_worked_example() -> None:
    """Holm 1979: 0.01, 0.04, 0.03, 0.005 of four tests."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_keeps_order_and_never_lowers_a_p_value(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(a >= p or math.isclose(a, p) for a, p in zip(adjusted, p_values, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [adjusted[i] for i in order] == sorted(adjusted)
