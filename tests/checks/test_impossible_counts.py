"""Counts that cannot be, audits that show nothing and numbers that are none earn nothing and break nothing."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Table
from mlestar.core.score.scoring import credit
from mlestar.errors import InvalidInput
from mlestar.evidence.experiments import read_experiment


def table(columns: dict[str, Any]) -> Table:
    frame = pd.DataFrame(columns)
    return Table(path="t.csv", frame=frame, sha256="0", n_rows=len(frame))


@pytest.mark.parametrize(
    ("units", "events"),
    [
        ([10.5, 9], [1, 2]),
        ([1e308, 1e308], [1, 2]),
        ([10**23, 9], [1, 2]),
        ([math.inf, 9], [1, 2]),
        ([-5, 9], [1, 2]),
        ([0, 0], [0, 0]),
        ([10, 9], [2.5, 1]),
        ([10, 9], [11, 1]),
        ([10, 9], [math.nan, 1]),
    ],
)
def test_arms_with_impossible_counts_are_no_experiment(units: list[float], events: list[float]) -> None:
    with pytest.raises(InvalidInput, match="counts"):
        read_experiment(table({"arm": ["control", "treatment"], "n": units, "conversions": events}))


AUDITS: dict[str, tuple[dict[str, Any], Outcome]] = {
    "two labels": ({"rater_1": [0, 1] * 30, "rater_2": [0, 1] * 30}, Outcome.PASS),
    "one label throughout": ({"rater_1": [1] * 60, "rater_2": [1] * 60}, Outcome.INCONCLUSIVE),
    "one row sixty times": (
        {"row_id": [5] * 60, "rater_1": [0, 1] * 30, "rater_2": [0, 1] * 30}, Outcome.INCONCLUSIVE,
    ),
    "sixty rows": ({"row_id": range(60), "rater_1": [0, 1] * 30, "rater_2": [0, 1] * 30}, Outcome.PASS),
}  # fmt: skip


@pytest.mark.parametrize("name", AUDITS)
def test_an_audit_must_be_able_to_show_disagreement(name: str) -> None:
    columns, outcome = AUDITS[name]
    (finding,) = run_checks(Facts(data=DataFacts(label_audit=table(columns))), ["T1.4"])
    assert finding.outcome is outcome, finding.observed


@pytest.mark.parametrize("value", [10**400, -(10**400), math.inf, -math.inf, math.nan])
def test_a_stated_number_that_is_none_is_not_heard(value: float) -> None:
    claims = {"excellence": {"tests": value, "coverage": value}}
    findings = run_checks(Facts(claims=claims), ["X5.1"])
    assert Outcome.ERROR not in {one.outcome for one in findings}
    assert sum(credit(one) for one in findings) == 0
