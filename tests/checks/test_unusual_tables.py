"""Whatever a table holds, the data checks answer with a verdict: none of them breaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Predictions, Table
from mlestar.errors import MlestarError
from mlestar.evidence.predictions import read_predictions

RANDOM = np.random.default_rng(0)
N = 60
HALVES = [0, 1] * (N // 2)
TABLES: dict[str, Mapping[str, Sequence[object]]] = {
    "one row": {"a": [1], "target": [0]},
    "two rows": {"a": [1, 2], "target": [0, 1]},
    "one class": {"a": list(RANDOM.normal(size=N)), "target": [1] * N},
    "all missing": {"a": [None] * N, "target": [None] * N},
    "an empty column": {"a": [np.nan] * N, "b": list(RANDOM.normal(size=N)), "target": HALVES},
    "only the target": {"target": HALVES},
    "all constant": {"a": [1] * N, "b": ["x"] * N, "target": HALVES},
    "only words": {"a": [f"s{i}" for i in range(N)], "b": ["x", "y"] * (N // 2), "target": ["p", "q"] * (N // 2)},
    "infinite": {"a": [np.inf, -np.inf, 1.0] * (N // 3), "target": HALVES},
    "huge": {"a": [1e308, -1e308, 1e-308] * (N // 3), "target": [0.5, 1e300, 3] * (N // 3)},
    "integers beyond 64 bits": {"a": [10**30, 2, 3] * (N // 3), "target": HALVES},
    "booleans": {"a": [True, False] * (N // 2), "target": [True, False] * (N // 2)},
    "types mixed in one column": {"a": [1, "x", None, 2.5, True] * (N // 5), "target": HALVES},
    "dates": {"a": list(pd.date_range("2020-01-01", periods=N)), "target": HALVES},
    "nullable integers": {"a": list(pd.array([1, None] * (N // 2), dtype="Int64")), "target": HALVES},
    "many categories": {"a": [f"c{i % 40}" for i in range(N)], "target": [0, 1, 2] * (N // 3)},
    "a rare class": {"a": list(RANDOM.normal(size=N)), "target": [0] * (N - 2) + [1] * 2},
    "a constant quantity": {"a": list(RANDOM.normal(size=N)), "target": [1.5] * N},
    "odd column names": {"": list(RANDOM.normal(size=N)), "a b\n": list(RANDOM.normal(size=N)), "target": HALVES},
    "a quantity": {"a": list(RANDOM.normal(size=N)), "b": ["u", "v"] * (N // 2), "target": list(RANDOM.normal(size=N))},
}
CLAIMS = {"analysis": {"accuracy": 0.9}, "scoping": {"success": {"accuracy": 0.8}, "data": "60 rows"}}


def table(frame: pd.DataFrame) -> Table:
    return Table(path="t.csv", frame=frame.reset_index(drop=True), sha256="0" * 64, n_rows=len(frame))


def answers(frame: pd.DataFrame) -> list[Predictions]:
    groups = (["a", "b"] * len(frame))[: len(frame)]
    made: list[Predictions] = []
    for columns in ({"y_pred": frame["target"], "g": groups}, {"y_score": RANDOM.random(len(frame))}):
        try:
            made.append(read_predictions(table(pd.DataFrame({"y_true": frame["target"], **columns}))))
        except MlestarError:
            continue
    return made


@pytest.mark.parametrize("name", TABLES)
def test_no_check_breaks_on_an_unusual_table(name: str) -> None:
    frame = pd.DataFrame(dict(TABLES[name]))
    for predictions in answers(frame) or [None]:
        data = DataFacts(
            target="target",
            time_column="a" if "a" in frame else "",
            group_columns=("g",) if predictions is not None and predictions.groups else (),
            train=table(frame),
            test=table(frame.tail(40)),
            reference=table(frame),
            current=table(frame.head(2)),
            predictions=predictions,
        )
        broken = [one for one in run_checks(Facts(claims=CLAIMS, data=data)) if one.outcome is Outcome.ERROR]
        assert [(one.check, one.observed) for one in broken] == []
