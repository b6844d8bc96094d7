"""Reading A/B tests in both layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pytest

from mlestar.core.facts.data import Experiment, Table
from mlestar.errors import InvalidInput
from mlestar.evidence.experiments import read_experiment


def read(columns: Mapping[str, Sequence[object]]) -> Experiment:
    frame = pd.DataFrame(dict(columns))
    return read_experiment(Table(path="ab.csv", frame=frame, sha256="0" * 64, n_rows=len(frame)))


def test_one_row_a_unit_gives_counts_rates_and_days_with_the_control_first() -> None:
    found = read(
        {
            "variant": ["new", "control"] * 50,
            "converted": ["yes", "no"] * 50,
            "date": [f"2026-01-{1 + i // 10:02}" for i in range(100)],
        }
    )
    assert list(found.counts.items()) == [("control", 50), ("new", 50)]
    assert found.means == {"control": 0.0, "new": 1.0}
    assert (found.is_rate, found.days, found.n_read) == (True, 10, 100)
    assert found.by_day["new"][-1] == (50, 50.0)


def test_one_row_an_arm_gives_the_same_numbers() -> None:
    found = read({"arm": ["b", "a"], "n": [200, 100], "conversions": [30, 10]})
    assert found.counts == {"a": 100, "b": 200}
    assert found.means == {"a": 0.10, "b": 0.15}
    assert found.days is None


def test_amounts_are_means_not_rates() -> None:
    found = read({"group": ["a", "b"] * 3, "revenue": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    assert not found.is_rate
    assert found.means == {"a": 3.0, "b": 4.0}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"x": [1, 2]}, "no column of the arms"),
        ({"arm": ["a", "a"], "n": [1, 2]}, "1 arms"),
        ({"arm": [f"arm {i}" for i in range(30)]}, "30 arms"),
        ({"arm": ["a", "b"], "n": [10, None]}, "no counts"),
        ({"arm": ["a", "b"], "n": [10, 10], "conversions": [3, 11]}, "between 0 and n"),
        ({"arm": ["a", "b"] * 3, "outcome": ["red", "blue"] * 3}, "neither numbers nor yes and no"),
    ],
)
def test_a_table_that_is_no_experiment_is_refused(columns: Mapping[str, Sequence[object]], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(columns)
