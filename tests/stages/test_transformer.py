from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.core.pipeline import TrainingSpec
from mlestar.errors import InvalidInput
from mlestar.stages.deployment import dump_model, load_model
from mlestar.stages.folds import Folds, make_folds
from mlestar.stages.training import Learned, learn
from mlestar.stages.transformer import PATIENCE, encoder_for

ROWS = 240
SPEC = TrainingSpec(algorithm="transformer", epochs=6, batch_size=32, learning_rate=0.002)
WORDS = ["sun", "sea", "sand", "rain", "fog", "hail", "ash", "dust"]
Message = tuple[float, float | None, str]


def folds(*, signal: bool = True) -> Folds:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, ROWS)
    said = [random.choice(WORDS[:5] if good and signal else WORDS[3:], 6) for good in truth]
    rows = pd.DataFrame({"text": [" ".join(words) for words in said], "place": random.choice(["a", "b"], ROWS)})
    kinds = {"text": "text", "place": "categorical"}
    return make_folds(rows.astype(object), truth, kinds=kinds, task="binary", n_classes=2, seed=0)


def learned(made: Folds, spec: TrainingSpec = SPEC) -> tuple[Learned, list[Message]]:
    seen: list[Message] = []

    def tell(done: float, total: float | None, message: str) -> None:
        seen.append((done, total, message))

    return learn(made, spec, tell), seen


@pytest.fixture(scope="module")
def trained() -> tuple[Learned, list[Message]]:
    """One training of the small encoder, with everything it told."""
    pytest.importorskip("torch", reason="lacks torch: mlestar[torch]")
    return learned(folds())


def test_epochs_batch_size_and_rate_are_those_of_the_config(trained: tuple[Learned, list[Message]]) -> None:
    result, seen = trained
    assert result.params["transformer"] == {
        "algorithm": "transformer", "epochs": len(result.curve), "batch_size": 32, "learning_rate": 0.002,
    }  # fmt: skip
    batches = {found[1] for _, _, message in seen if (found := re.search(r"batch \d+ of (\d+)", message))}
    assert batches == {str(-(-ROWS * 4 // 5 // 32))}


def test_every_epoch_tells_its_losses_and_they_are_those_of_the_curve(trained: tuple[Learned, list[Message]]) -> None:
    result, seen = trained
    told = [message for done, _, message in seen if message.startswith(f"epoch {done} of 6: loss")]
    assert told == [
        f"epoch {place} of 6: loss {epoch['train_loss']:.4f}, validation loss {epoch['validation_loss']:.4f}"
        for place, epoch in enumerate(result.curve, start=1)
    ]
    first = result.curve[0]["validation_loss"]
    assert any(f"validation loss {first:.4f} after epoch 1" in message for _, _, message in seen)


def test_a_second_training_says_that_it_is_one_and_gives_the_same_package(
    trained: tuple[Learned, list[Message]],
) -> None:
    result, seen = trained
    assert any(message.startswith("a second time") for _, _, message in seen)
    assert dump_model(result.repeat) == dump_model(result.model)


def test_a_package_answers_as_the_encoder_did(trained: tuple[Learned, list[Message]]) -> None:
    made, model = folds(), trained[0].model
    assert np.array_equal(load_model(dump_model(model)).predict_proba(made.rows), model.predict_proba(made.rows))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"epochs": 2}, lambda epochs: epochs == 2),
        ({"epochs": 40, "learning_rate": 0.02}, lambda epochs: epochs < 40),
    ],
    ids=["no more epochs than asked for", "early stopping once the validation loss no longer falls"],
)
def test_training_ends(change: dict[str, Any], expected: Callable[[int], bool]) -> None:
    pytest.importorskip("torch", reason="lacks torch: mlestar[torch]")
    made = folds(signal=change["epochs"] == 2)
    encoder, rows, truth = encoder_for(made.kinds, 2), made.rows, made.truth
    curve = encoder.fit(
        rows[:160], truth[:160], held_rows=rows[160:], held_truth=truth[160:], spec=replace(SPEC, **change), seed=0,
        report=lambda *_: None,
    )  # fmt: skip
    assert expected(len(curve))
    losses = [epoch["validation_loss"] for epoch in curve]
    best = losses.index(min(losses))
    assert len(losses) in {change["epochs"], best + 1 + PATIENCE}
    probability = encoder.predict_proba(rows[160:])[np.arange(ROWS - 160), truth[160:]]
    assert -np.log(probability).mean() == pytest.approx(min(losses), abs=1e-4), "the best epoch was not restored"


def test_a_table_without_text_is_refused_with_its_features() -> None:
    with pytest.raises(InvalidInput, match="no feature is text") as caught:
        encoder_for({"age": "numeric"}, 2)
    assert caught.value.valid == ("age",)
