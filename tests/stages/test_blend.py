from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlestar.stages.blend import Blend, greedy_weights

ROWS = 40


def negative_error(truth: np.ndarray, answer: np.ndarray) -> float:
    return -float(((truth - answer) ** 2).mean())


@settings(max_examples=60, deadline=None)
@given(answers=arrays(float, (4, ROWS), elements=st.floats(-5, 5)), seed=st.integers(0, 100))
def test_a_blend_never_scores_below_its_best_member(answers: np.ndarray, seed: int) -> None:
    truth = np.random.default_rng(seed).normal(size=ROWS)
    members = {f"m{place}": answer for place, answer in enumerate(answers)}
    weights = greedy_weights(members, lambda answer: negative_error(truth, answer))
    blended = sum((weight * members[name] for name, weight in weights.items()), start=np.zeros(ROWS))
    best = max(negative_error(truth, answer) for answer in members.values())
    assert abs(sum(weights.values()) - 1) < 1e-9
    assert all(weight > 0 for weight in weights.values())
    assert negative_error(truth, blended) >= best - 1e-9


def test_two_members_that_err_apart_share_the_weight() -> None:
    truth = np.zeros(ROWS)
    error = np.random.default_rng(0).normal(size=ROWS)
    weights = greedy_weights({"up": error, "down": -error}, lambda answer: negative_error(truth, answer))
    assert weights == {"up": 0.5, "down": 0.5}


class Constant:
    def __init__(self, value: float) -> None:
        self.value = value

    def predict(self, rows: list[int]) -> np.ndarray:
        return np.full(len(rows), self.value)


def test_a_blend_answers_the_weighted_mean() -> None:
    assert Blend([Constant(1.0), Constant(5.0)], [0.75, 0.25]).predict([1, 2]).tolist() == [2.0, 2.0]
