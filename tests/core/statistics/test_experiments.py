"""Experiment statistics against scipy, a simulation of peeking, and published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from mlestar.core.facts.data import Experiment
from mlestar.core.statistics.agreement import cohen_kappa
from mlestar.core.statistics.experiments import e_value, effects, sample_ratio_p
from mlestar.core.statistics.intervals import newcombe

RANDOM = np.random.default_rng(3)


def test_sample_ratio_mismatch_of_the_textbook_is_found() -> None:
    """Kohavi, Tang and Xu 2020, chapter 21: 821,588 against 815,482 users has p = 1.8e-6."""
    assert sample_ratio_p([821_588, 815_482], [1, 1]) == pytest.approx(1.8e-6, rel=0.03)


def test_planned_unequal_arms_are_no_mismatch() -> None:
    assert sample_ratio_p([900, 100], [9, 1]) == pytest.approx(1)


def test_an_effect_on_means_has_the_interval_of_welch() -> None:
    a, b = RANDOM.normal(0, 1, 80), RANDOM.normal(0.4, 2, 120)
    experiment = Experiment(
        path="e",
        sha256="",
        counts={"a": 80, "b": 120},
        outcome="y",
        means={"a": float(a.mean()), "b": float(b.mean())},
        deviations={"a": float(a.std()), "b": float(b.std())},
        is_rate=False,
    )
    (found,) = effects(experiment)
    expected = ttest_ind(b, a, equal_var=False).confidence_interval()  # pyright: ignore[reportAttributeAccessIssue] - the stubs type it as a tuple
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_an_effect_on_rates_has_the_interval_of_newcombe() -> None:
    experiment = Experiment(
        path="e",
        sha256="",
        counts={"a": 80, "b": 70},
        outcome="y",
        means={"a": 48 / 80, "b": 56 / 70},
        deviations={"a": 0.5, "b": 0.4},
    )
    (found,) = effects(experiment)
    assert (found.low, found.high) == pytest.approx(newcombe(56, 70, 48, 80))


def test_looking_every_day_seldom_finds_an_effect_that_is_not_there() -> None:
    false_alarms = 0
    for _ in range(200):
        a, b = np.cumsum(RANDOM.binomial(100, 0.1, 20)), np.cumsum(RANDOM.binomial(100, 0.1, 20))
        days = range(1, 21)
        largest = max(e_value(float(x), 100 * day, float(y), 100 * day) for x, y, day in zip(a, b, days, strict=True))
        false_alarms += largest > 20
    assert false_alarms <= 10


def test_a_large_effect_has_a_large_e_value() -> None:
    assert e_value(300, 1000, 200, 1000) > 1000
    assert e_value(200, 1000, 200, 1000) < 1


def test_kappa_of_the_published_table() -> None:
    """Cohen 1960: 20 yes-yes, 5, 10, 15 no-no of 50 has kappa 0.40."""
    import pandas as pd

    first = pd.Series(["y"] * 25 + ["n"] * 25)
    second = pd.Series(["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15)
    kappa, n = cohen_kappa(first, second)
    assert (round(kappa, 10), n) == (0.4, 50)
