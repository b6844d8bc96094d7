"""The algorithms whose libraries are extras, each held to what every packaged model must do."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.core.pipeline import ALGORITHMS as LIBRARIES
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.deployment import dump_model, load_model
from mlestar.stages.folds import Folds, make_folds
from mlestar.stages.training import answer_of

ROWS = 200
TASKS = {"binary": 2, "multiclass": 3, "regression": 0}


def lacks(algorithm: str) -> Any:
    (library,) = LIBRARIES[algorithm]
    absent = find_spec(library) is None
    return pytest.param(algorithm, marks=pytest.mark.skipif(absent, reason=f"lacks {library}: mlestar[{library}]"))


def folds(task: str) -> Folds:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"x": random.normal(size=ROWS), "place": random.choice(["a", "b"], ROWS).astype(object)})
    truth = {"regression": rows["x"].to_numpy(), "binary": (rows["x"] > 0).to_numpy(dtype=int)}.get(
        task, np.digitize(rows["x"], [-0.5, 0.5])
    )
    kinds = {"x": "numeric", "place": "categorical"}
    return make_folds(rows, truth, kinds=kinds, task=task, n_classes=TASKS[task], seed=0)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("algorithm", [lacks("catboost"), lacks("xgboost"), lacks("lightgbm")])
def test_two_trainings_give_one_package_and_it_answers_as_the_model_did(algorithm: str, task: str) -> None:
    made = folds(task)
    models = [made.fit_all(ALGORITHMS[algorithm], {}) for _ in range(2)]
    packages = [dump_model(model) for model in models]
    assert packages[0] == packages[1]
    again = answer_of(load_model(packages[0]), made.rows, task)
    assert np.array_equal(again, answer_of(models[0], made.rows, task))
