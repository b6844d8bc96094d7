from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.stages.ablation import ablate
from mlestar.stages.folds import Folds, make_folds


def folds(seed: int = 0, n: int = 400) -> Folds:
    random = np.random.default_rng(seed)
    rows = pd.DataFrame({"strong": random.normal(size=n), "noise": random.normal(size=n)})
    rows["group"] = random.choice(["a", "b"], n)
    truth = (random.random(n) < 1 / (1 + np.exp(-2 * rows["strong"]))).to_numpy().astype("int64")
    kinds = {"strong": "numeric", "noise": "numeric", "group": "categorical"}
    return make_folds(rows, truth, kinds=kinds, task="binary", n_classes=2, seed=seed, count=5)


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    return ablate(folds(), "linear", {}, "roc_auc", lambda *_: None)


def test_the_one_real_effect_is_named_first_and_noise_is_marked_as_noise(found: list[dict[str, Any]]) -> None:
    by_name = {one["variant"]: one for one in found}
    assert not by_name["without 'strong'"]["within_noise"]
    assert by_name["without 'strong'"]["effect"] > 0.2
    assert by_name["without 'noise'"]["within_noise"]
    assert by_name["without 'group'"]["within_noise"]
    real = [not one["within_noise"] for one in found]
    assert real == sorted(real, reverse=True)
    assert {one["splits"] for one in found} == {5}


def test_every_kind_of_variant_is_tried(found: list[dict[str, Any]]) -> None:
    names = {one["variant"] for one in found}
    assert {"without numeric features", "without scaling", "with lightgbm instead", "without 'group'"} <= names


def test_effects_are_the_same_twice(found: list[dict[str, Any]]) -> None:
    again = ablate(folds(), "linear", {}, "roc_auc", lambda *_: None)
    assert {one["variant"]: one["effect"] for one in found} == {one["variant"]: one["effect"] for one in again}
