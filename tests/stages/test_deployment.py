from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from skops.io import dumps

from mlestar.errors import InvalidInput
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.blend import Blend
from mlestar.stages.deployment import dump_model, load_model
from mlestar.stages.folds import Folds, make_folds
from mlestar.stages.marketing import generate

if TYPE_CHECKING:
    import pandas as pd

KINDS = {"content": "text", "platform": "categorical", "followers": "numeric", "posted_at": "date"}


def folds(n: int = 300) -> Folds:
    posts = generate(n, 0).frame
    rows = posts[list(KINDS)].assign(followers=posts["followers"].astype(float))
    truth = posts["engaged"].to_numpy()
    return make_folds(rows, truth, kinds=KINDS, task="binary", n_classes=2, seed=0)


@pytest.mark.parametrize("name", ["linear", "hist_gradient_boosting", "extra_trees", "lightgbm"])
def test_a_package_answers_as_the_model_did_to_the_last_bit(name: str) -> None:
    made = folds()
    model = made.fit_all(ALGORITHMS[name], {})
    again = load_model(dump_model(model))
    assert np.array_equal(again.predict_proba(made.rows), model.predict_proba(made.rows))


def blend() -> tuple[Any, pd.DataFrame]:
    made = folds()
    members = [made.fit_all(ALGORITHMS[name], {}) for name in ("linear", "extra_trees")]
    return Blend(members, [0.25, 0.75]), made.rows


def test_two_trainings_give_one_hash_here_and_in_another_process() -> None:
    here = {hashlib.sha256(dump_model(blend()[0])).hexdigest() for _ in range(2)}
    code = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1])\n"
        "from test_deployment import blend\n"
        "from mlestar.stages.deployment import dump_model\n"
        "print(hashlib.sha256(dump_model(blend()[0])).hexdigest())\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, str(__file__.rpartition("/")[0])], capture_output=True, text=True, check=True
    )
    assert here == {there.stdout.strip()}


def test_another_model_has_another_hash() -> None:
    made = folds()
    hashes = {hashlib.sha256(dump_model(made.fit_all(ALGORITHMS["linear"], {"C": c}))).hexdigest() for c in (1.0, 2.0)}
    assert len(hashes) == 2


class Stranger(BaseEstimator):
    """A type that no package may hold."""


def test_a_type_that_is_not_trusted_is_neither_packaged_nor_loaded() -> None:
    with pytest.raises(InvalidInput, match="Stranger"):
        dump_model(Stranger())
    with pytest.raises(InvalidInput, match="untrusted types"):
        load_model(dumps(Stranger()))


@pytest.mark.parametrize("data", [b"", b"not a package", dumps(LogisticRegression())[:200]])
def test_bytes_that_are_no_package_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="not a model package"):
        load_model(data)


def test_the_saved_form_of_a_vocabulary_is_one_string() -> None:
    made = folds()
    text = made.fit_all(ALGORITHMS["linear"], {})["features"].named_transformers_["text_0"]
    words = dict(text.transformer_list)["words"]
    state = words.__getstate__()
    assert isinstance(state["terms"], str)
    assert state["terms"].split("\x00")[0] in words.vocabulary_
