from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.core.pipeline import TrainingSpec
from mlestar.errors import InvalidInput
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.deployment import dump_model, load_model
from mlestar.stages.embeddings import Embeddings, price_s, remembering
from mlestar.stages.fitted import fitted_on, is_one_pipeline
from mlestar.stages.folds import Folds, make_folds
from mlestar.stages.members import installed
from mlestar.stages.minilm import MOST_TOKENS, WIDTH, minilm
from mlestar.stages.training import Learned, learn

LACKS = pytest.mark.skipif(not installed("embeddings"), reason="lacks the weights: mlestar[embeddings]")
ROWS = 80
GLAD = [
    "glad", "delighted", "cheerful", "happy", "thrilled", "joyful", "pleased", "merry", "ecstatic", "blissful",
    "jolly", "elated", "content", "overjoyed", "grateful", "amused", "excited", "upbeat", "proud", "hopeful",
    "radiant", "jubilant", "euphoric", "laughing", "smiling", "celebrating", "loved",
]  # fmt: skip
SAD = [
    "sad", "gloomy", "miserable", "unhappy", "depressed", "sorrowful", "upset", "tearful", "grieving",
    "heartbroken", "mournful", "despairing", "lonely", "hopeless", "devastated", "bitter", "wretched", "anxious",
    "ashamed", "hurt", "dejected", "crying", "mourning", "suffering", "weeping", "abandoned",
]  # fmt: skip
TEXTS = ["rain again", "", "A new café opens by the sea 😀 #coffee", "日本語", "x" * 3_000]


class Kept:
    """A store in memory."""

    def __init__(self) -> None:
        self.vectors: dict[str, bytes] = {}

    def get(self, names: Sequence[str]) -> Mapping[str, bytes]:
        return {name: self.vectors[name] for name in names if name in self.vectors}

    def put(self, vectors: Mapping[str, bytes]) -> None:
        self.vectors.update(vectors)


def folds(*, text: bool = True) -> Folds:
    """Moods whose words are seldom the same twice: terms say little, meanings much."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, ROWS)
    said = [f"{random.choice(GLAD if glad else SAD)} day {number % 20}" for number, glad in enumerate(truth)]
    rows = pd.DataFrame({"mood": said, "place": random.choice(["a", "b"], ROWS), "n": random.normal(size=ROWS)})
    kinds = {"mood": "text", "place": "categorical", "n": "numeric"}
    used = kinds if text else {name: kinds[name] for name in ("place", "n")}
    rows = rows.astype({"mood": object, "place": object})[list(used)]
    return make_folds(rows, truth, kinds=used, task="binary", n_classes=2, seed=0)


def learned(algorithm: str, made: Folds, *, budget_s: float = 60.0) -> tuple[Learned, list[str]]:
    seen: list[str] = []

    def tell(_done: float, _total: float | None, message: str) -> None:
        seen.append(message)

    return learn(made, TrainingSpec(algorithm=algorithm, time_budget_s=budget_s), tell), seen


@LACKS
@pytest.mark.parametrize(
    ("text", "tokens", "begins"),
    [
        (TEXTS[2], 12, [0.014043, -0.026812, 0.066412, 0.035795, 0.034784]),
        ("", 2, [-0.118838, 0.048299, -0.002548, -0.011011, 0.051951]),
        ("rain " * 300, MOST_TOKENS, [-0.069523, -0.008709, 0.083744, -0.024773, 0.028765]),
    ],
    ids=["words, an accent and a symbol", "no word", "more words than are read"],
)
def test_a_vector_is_the_one_that_the_models_own_library_gives(text: str, tokens: int, begins: list[float]) -> None:
    ids = minilm().tokens(text)
    vector = minilm().vector(ids)
    assert len(ids) == tokens
    assert vector[:5] == pytest.approx(begins, abs=2e-6)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


@LACKS
def test_a_row_alone_gives_the_very_bits_that_it_gives_among_others() -> None:
    column = Embeddings().fit(TEXTS)
    together = column.transform([*TEXTS, None])
    assert together.shape == (len(TEXTS) + 1, WIDTH)
    assert np.array_equal(together[-1], together[1]), "a missing text is an empty one"
    for text, row in zip(TEXTS, together, strict=False):
        assert np.array_equal(column.transform([text])[0], row)


@LACKS
def test_each_text_is_made_once_and_later_work_takes_it_from_the_store() -> None:
    store, told = Kept(), [list[str](), list[str]()]
    rows = []
    for seen in told:
        with remembering(lambda _done, _total, message, seen=seen: seen.append(message), store):
            column = Embeddings().fit(TEXTS)
            rows += [column.transform([*TEXTS, *TEXTS]), column.transform([*TEXTS, *TEXTS])]
    assert told[0] == [f"embedding text {place} of {len(TEXTS)}" for place in range(1, len(TEXTS) + 1)]
    assert not told[1]
    assert all(np.array_equal(rows[0], other) for other in rows[1:])
    assert len(store.vectors) == len(TEXTS)


@LACKS
def test_auto_finds_meaning_where_terms_say_little() -> None:
    made = folds()
    result, seen = learned("auto", made)
    assert result.alternatives["embeddings"] > result.alternatives["linear"] + 0.03
    assert any(name.startswith("embeddings") for name in result.weights)
    assert sum("embedding text" in message for message in seen) == made.rows["mood"].nunique()
    assert is_one_pipeline(result.model)
    assert fitted_on(result.model, made.rows)


@LACKS
def test_two_trainings_give_one_package_and_it_answers_as_the_model_did() -> None:
    made = folds()
    models = [made.fresh().fit_all(ALGORITHMS["embeddings"], {}) for _ in range(2)]
    packages = [dump_model(model) for model in models]
    assert packages[0] == packages[1]
    assert np.array_equal(load_model(packages[0]).predict_proba(made.rows), models[0].predict_proba(made.rows))
    assert len(packages[0]) < 200_000, "the weights are not packaged"


@LACKS
def test_a_model_made_with_other_weights_is_refused() -> None:
    column = Embeddings().fit(TEXTS)
    column.weights_sha256_ = "0" * 64
    with pytest.raises(InvalidInput, match="fitted on embeddings of the weights 000000000000"):
        column.transform(TEXTS)


@LACKS
def test_auto_leaves_out_what_takes_longer_than_its_budget_and_says_how_long() -> None:
    made = folds()
    many = pd.DataFrame({"mood": [f"day number {number} of a long year" for number in range(ROWS * 5)]})
    price = price_s(many, {"mood": "text"})
    assert price > 2
    truth = np.arange(len(many)) % 2
    long = make_folds(many.astype(object), truth, kinds={"mood": "text"}, task="binary", n_classes=2, seed=0)
    result, seen = learned("auto", long, budget_s=1)
    assert f"about {price:.0f} s, more than the time budget of 1 s" in result.notes[0]
    assert not any("embedd" in name for name in (*result.alternatives, *result.screened_out))
    assert not any("embedding text" in message for message in seen)
    assert not learned("auto", made)[0].notes


@pytest.mark.skipif(installed("embeddings"), reason="lacks an environment without the embeddings extra")
def test_without_the_extra_auto_goes_on_and_names_it() -> None:
    result, _ = learned("auto", folds())
    assert 'pip install "mlestar[embeddings]"' in result.notes[0]
    assert not any("embedd" in name for name in result.alternatives)


def test_rows_without_text_are_refused_by_name_and_no_matter_to_auto() -> None:
    made = folds(text=False)
    with pytest.raises(InvalidInput, match="no feature is text"):
        learned("embeddings", made)
    result, _ = learned("auto", made)
    assert not any("embedd" in name for name in (*result.alternatives, *result.notes))


@LACKS
def test_nothing_that_could_download_is_loaded() -> None:
    code = (
        "import sys; from mlestar.stages.embeddings import Embeddings; Embeddings().fit(['a']).transform(['a'])\n"
        "print([name for name in ('huggingface_hub', 'transformers', 'torch', 'requests') if name in sys.modules])"
    )
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
