"""What columns hold, and which of them number the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlestar.core.statistics.columns import binned, identifies_rows, kind_of, labels, task_of, times

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3], "number"),
        (["1", "2.5", "3"], "number"),
        ([True, False], "flag"),
        (["red", "green", "red", "red"], "category"),
        (["2025-01-01", "2025-02-03"], "time"),
        (["2025-01-01T10:00:00Z", "2025-02-03T10:00:00+02:00"], "time"),
        (["13/02/2025 10:30", "01.02.2025"], "time"),
        (["Jan 02, 2025", "Mon, 3 Mar 2025", "04-Apr-25"], "time"),
        (["Anna 12, 2025", "Anna 13, 2025"], "category"),
        ([None, "", "?"], "empty"),
        ([f"a long sentence number {i} of many" for i in range(50)], "text"),
        ([*map(str, range(97)), "x", "y", "z"], "number"),
    ],
)
def test_the_kind_of_a_column_is_that_of_most_values(values: list[object], kind: str) -> None:
    assert kind_of(pd.Series(values, dtype=object)) == kind


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("id", list(RANDOM.permutation(10**6)[:100]), True),
        ("row", list(range(100)), True),
        ("x", list(RANDOM.permutation(300)[:100]), True),
        ("balance", [int(v) for v in RANDOM.integers(0, 10**6, 100) * 7 + np.arange(100)], False),
        ("x", [f"C{i:05}" for i in range(100)], True),
        ("text", [f"the story of number {i}" for i in range(100)], False),
        ("x", [i / 7 for i in range(100)], False),
        ("x", [1] * 100, False),
    ],
)
def test_counters_and_ids_number_the_rows_but_quantities_do_not(
    name: str, values: list[object], expected: bool
) -> None:
    assert identifies_rows(pd.Series(values, name=name)) is expected


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1] * 20, "binary"),
        (["a", "b", "c"] * 10, "multiclass"),
        (list(range(10)) * 5, "multiclass"),
        (list(range(30)), "regression"),
        ([0.5, 1.5, 2.5, 3.25] * 5, "regression"),
        ([0.0, 1.0, 2.0] * 5, "multiclass"),
    ],
)
def test_the_task_follows_from_the_target(values: list[object], task: str) -> None:
    assert task_of(pd.Series(values)) == task


def test_labels_agree_over_types() -> None:
    assert labels(pd.Series([1, 0])).tolist() == labels(pd.Series([1.0, 0.0])).tolist() == ["1", "0"]
    assert labels(pd.Series([True, False])).tolist() == labels(pd.Series(["1", " 0"])).tolist()


def test_times_are_seconds_and_what_is_no_date_is_missing() -> None:
    found = times(pd.Series(["1970-01-02", "no date", None], dtype=object))
    assert found[0] == 86_400
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (["13/01/1970", "02/01/1970"], [12, 1]),
        (["01/13/1970", "01/02/1970"], [12, 1]),
        (["02.01.1970", "03.01.1970"], [1, 2]),
        (["1970-01-02", "1970-01-13"], [1, 12]),
        (["02-Jan-1970", "Jan 3, 1970"], [1, 2]),
    ],
)
def test_day_and_month_are_told_apart_by_the_whole_column(values: list[str], days: list[int]) -> None:
    assert (times(pd.Series(values)) / 86_400).tolist() == days


def test_binned_numbers_fall_into_quarters_with_missing_apart() -> None:
    names, counts = np.unique(binned(pd.Series([*range(100), None], dtype=float)), return_counts=True)
    assert sorted(counts.tolist()) == [1, 25, 25, 25, 25]
    assert "missing" in names
