from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.core.pipeline import TrainingSpec
from mlestar.stages import metrics
from mlestar.stages.blend import Blend
from mlestar.stages.budget import Budget
from mlestar.stages.columns import rows_digest
from mlestar.stages.explain import explain_row
from mlestar.stages.fitted import fitted_on, is_one_pipeline
from mlestar.stages.folds import Folds, make_folds
from mlestar.stages.members import cross_validate, portfolio
from mlestar.stages.profile import reference_profile
from mlestar.stages.training import learn
from mlestar.stages.tuning import LEAST_TRIALS, affordable_trials

ROWS = 240


def told(*_: Any) -> None:
    pass


def table(n: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame({"x": random.normal(size=n), "z": random.normal(size=n), "c": random.choice(["a", "b"], n)})


def folds(*, curved: bool = False, count: int = 0) -> Folds:
    rows = table()
    signal = (rows["x"].abs() - 0.7) * 6 if curved else rows["x"] * 2
    truth = (np.random.default_rng(1).random(ROWS) < 1 / (1 + np.exp(-signal))).to_numpy().astype(int)
    kinds = {"x": "numeric", "z": "numeric", "c": "categorical"}
    return make_folds(rows, truth, kinds=kinds, task="binary", n_classes=2, seed=0, count=count)


class Ticks:
    """A clock on which every look takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_a_budget_that_is_over_at_once_still_finishes_the_first_member_and_names_the_others() -> None:
    members = portfolio("auto")
    crossed = cross_validate(members, folds(), Budget(1.0, Ticks()), told)
    assert list(crossed.answers) == ["linear"]
    assert len(crossed.answers["linear"]) == ROWS
    assert set(crossed.stopped) == {member.name for member in members} - {"linear"}


def test_a_wide_budget_stops_nobody() -> None:
    members = portfolio("linear")
    assert cross_validate(members, folds(), Budget(1e6, Ticks()), told).stopped == ()


def test_tuning_ends_with_the_budget_after_at_least_one_trial() -> None:
    learned = learn(folds(), TrainingSpec(algorithm="hist_gradient_boosting", trials=500, time_budget_s=1.0), told)
    assert 1 <= learned.tuning["trials"] < 500
    assert learned.tuning["trials_wanted"] == 500
    assert any("of 500 trials" in note for note in learned.notes)
    assert list(learned.weights) == ["hist_gradient_boosting_tuned"]


@pytest.mark.parametrize(("curved", "linear"), [(False, True), (True, False)])
def test_auto_keeps_the_linear_model_unless_another_wins_by_more_than_noise(curved: bool, linear: bool) -> None:
    made = folds(curved=curved)
    learned = learn(made, TrainingSpec(), told)
    assert all(name.startswith("linear") for name in learned.weights) is linear
    best = max(learned.alternatives.values())
    draws = metrics.draw_values(learned.metric, made.scored(learned.answers), seed=0)
    assert best <= float(np.quantile(draws, 0.975))
    assert learned.time["repeated"]
    assert np.array_equal(learned.repeat.predict_proba(made.rows), learned.model.predict_proba(made.rows))


def test_what_was_fitted_on_other_rows_or_is_no_pipeline_is_told_apart() -> None:
    made = folds()
    model = learn(made, TrainingSpec(algorithm="linear"), told).model
    assert is_one_pipeline(model)
    assert is_one_pipeline(Blend([model, model], [0.5, 0.5]))
    assert fitted_on(model, made.rows)
    assert not fitted_on(model, made.rows.head(200))
    assert not fitted_on(model, made.rows.assign(x=0.0))
    assert not is_one_pipeline(model[-1])
    assert not fitted_on(model[-1], made.rows)


def test_rows_have_one_digest_whatever_their_index_and_another_in_another_order() -> None:
    rows = table()
    assert rows_digest(rows.set_index(np.arange(ROWS) + 5)) == rows_digest(rows)
    assert rows_digest(rows[::-1]) != rows_digest(rows)


def test_the_feature_that_decides_explains_the_row() -> None:
    made = folds()
    model = learn(made, TrainingSpec(algorithm="linear"), told).model
    place = int(made.rows["x"].argmax())
    explained = explain_row(model, made.rows, place, made.rows, "binary")
    answer = model.predict_proba(made.rows.iloc[[place]]).max()
    assert explained["contributions"][0]["feature"] == "x"
    assert explained["contributions"][0]["difference"] > 0.1
    assert explained["answer"] == pytest.approx(answer)


def test_a_reference_profile_holds_deciles_shares_hash_and_date() -> None:
    rows = pd.DataFrame({"n": [*map(float, range(11)), np.nan], "c": ["a"] * 9 + ["b"] * 3})
    kinds = {"n": "numeric", "c": "categorical"}
    made = reference_profile(rows, kinds, answers=np.linspace(0, 1, 12), data_sha256="abc", at=86_400.0)
    assert made["columns"]["n"]["deciles"] == [float(value) for value in range(11)]
    assert made["columns"]["n"]["missing"] == pytest.approx(1 / 12)
    assert made["columns"]["c"]["shares"] == {"a": 0.75, "b": 0.25}
    assert (made["rows"], made["data_sha256"], made["date"]) == (12, "abc", "1970-01-02")


def sized(rows: int, kinds: dict[str, str], n_classes: int = 2) -> Folds:
    """Folds of so many rows: what trials cost is told from their size alone."""
    truth = np.arange(rows) % max(n_classes, 2)
    table = pd.DataFrame(index=range(rows))
    task = "binary" if n_classes == 2 else "multiclass" if n_classes else "regression"
    return make_folds(table, truth, kinds=kinds, task=task, n_classes=n_classes, seed=0)


NUMBERS = {f"x{place}": "numeric" for place in range(10)}


@pytest.mark.parametrize(
    ("name", "made", "seconds", "trials"),
    [
        ("lightgbm", sized(200, NUMBERS), 60.0, 120),
        ("lightgbm", sized(10_000, NUMBERS), 60.0, 65),
        ("extra_trees", sized(10_000, NUMBERS), 60.0, 18),
        ("lightgbm", sized(10_000, NUMBERS, n_classes=0), 60.0, 65),
        ("lightgbm", sized(10_000, NUMBERS, n_classes=10), 60.0, 0),
        ("linear", sized(3_000, {"t": "text"}), 60.0, 23),
    ],
)
def test_a_budget_holds_fewer_trials_the_larger_the_data_and_the_slower_the_algorithm(
    name: str, made: Folds, seconds: float, trials: int
) -> None:
    assert affordable_trials(name, made, seconds) == trials


def test_auto_tunes_within_a_named_budget_and_makes_the_same_model_twice() -> None:
    spec = TrainingSpec(algorithm="auto", time_budget_s=8.0)
    one, two = (learn(folds(curved=True, count=2), spec, told) for _ in range(2))
    assert one.tuning["trials"] == one.tuning["trials_wanted"] >= LEAST_TRIALS
    assert one.tuning["best"] == two.tuning["best"]
    assert np.array_equal(one.answers, two.answers)
    assert any(name.endswith("_tuned") for name in one.alternatives)


@pytest.mark.parametrize(
    "spec",
    [
        TrainingSpec(algorithm="auto"),
        TrainingSpec(algorithm="auto", time_budget_s=60.0, trials=0),
        TrainingSpec(algorithm="hist_gradient_boosting", time_budget_s=60.0),
    ],
)
def test_nothing_is_tuned_that_was_not_asked_for(spec: TrainingSpec) -> None:
    assert learn(folds(count=2), spec, told).tuning == {}
