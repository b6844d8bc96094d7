from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.core.pipeline import parse
from mlestar.errors import InvalidInput
from mlestar.stages import table
from mlestar.stages.data import Prepared, Source, prepare

ROWS = 400


def people(seed: int = 0, n: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    age = random.integers(18, 90, n)
    return pd.DataFrame(
        {
            "age": age,
            "income": random.lognormal(10, 1, n),
            "city": random.choice(["Oslo", "Rome", "Lima"], n),
            "bio": [" ".join(random.choice(["likes", "tea", "and", "long", "walks", "books"], 6)) for _ in range(n)],
            "id": [f"u{place:05d}" for place in range(n)],
            "same": 1,
            "bought": np.where(random.random(n) < age / 100, "yes", "no"),
        }
    )


def prepared(frame: pd.DataFrame, **config: Any) -> Prepared:
    data = {"source": "x.csv", "target": "bought", **config.pop("data", {})}
    return prepare(Source(frame=frame, path="x.csv", sha256="0" * 64), parse({"data": data, **config}))


def outcome(result: Prepared, name: str) -> tuple[str, str]:
    return next((check.outcome, check.says) for check in result.checks if check.name == name)


def test_kinds_are_inferred_and_what_is_unused_says_why() -> None:
    result = prepared(people())
    assert result.kinds == {"age": "numeric", "income": "numeric", "city": "categorical", "bio": "text"}
    assert result.unused == {"id": "identifier: nothing to learn from", "same": "constant: nothing to learn from"}
    assert (result.task, result.classes) == ("binary", ("no", "yes"))
    assert len(result.test) == ROWS * 0.2


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3.5] * 20, table.NUMERIC),
        (["1", "2", "30"] * 20, table.NUMERIC),
        ([True, False] * 30, table.CATEGORICAL),
        (["2024-01-02", "2024-02-03 10:00", "2023-12-31"] * 20, table.DATE),
        (["a", "b", None] * 20, table.CATEGORICAL),
        ([f"key{place}" for place in range(60)], table.IDENTIFIER),
        ([f"some words that tell {place}" for place in range(60)], table.TEXT),
        ([None] * 60, table.CONSTANT),
    ],
)
def test_the_kind_of_a_column_follows_from_its_values(values: list[object], kind: str) -> None:
    assert table.kind_of(pd.Series(values, dtype="object")) == kind


def test_declared_features_are_the_only_ones_used() -> None:
    result = prepared(people(), features={"textFeatures": ["bio"], "numericFeatures": ["age"]})
    assert result.kinds == {"bio": "text", "age": "numeric"}
    assert result.unused["city"] == "not among the declared features"


def test_a_time_column_means_a_split_by_time_and_says_so() -> None:
    frame = people().assign(when=pd.date_range("2024-01-01", periods=ROWS, freq="h")[::-1].astype(str))
    result = prepared(frame)
    assert result.split == "time"
    assert "because a time exists" in result.split_says
    assert result.train["when"].max() < result.test["when"].min()
    assert result.train["when"].is_monotonic_increasing


def test_groups_never_stand_on_both_sides() -> None:
    result = prepared(people().assign(team=np.arange(ROWS) % 40), data={"group": "team", "split": "group"})
    assert not set(result.train["team"]) & set(result.test["team"])
    assert "team" not in result.kinds


def test_the_same_seed_splits_the_same_and_another_one_otherwise() -> None:
    first, again, other = (prepared(people(), data={"seed": seed}) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.test, again.test)
    assert not first.test.equals(other.test)


@pytest.mark.parametrize(
    ("change", "config", "says"),
    [
        ({"bought": "yes"}, {}, "has one value only"),
        ({}, {"data": {"target": "bougth"}}, "no column 'bougth'"),
        ({}, {"features": {"numericFeatures": ["agee"]}}, "no column 'agee'"),
        ({}, {"features": {"numericFeatures": ["bought"]}}, "leaks 'bought'"),
        ({}, {"evaluation": {"groups": ["sex"]}}, "no column 'sex'"),
        ({}, {"data": {"split": "time"}}, "no"),
        ({}, {"data": {"split": "group"}}, "needs the column of the groups"),
        ({}, {"features": {"exclude": ["age", "income", "city", "bio", "id", "same"]}}, "no column is left"),
        ({}, {"data": {"task": "regression"}}, "holds no numbers"),
    ],
)
def test_what_cannot_be_learnt_is_refused_with_the_reason(
    change: dict[str, Any], config: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        prepared(people().assign(**change), **config)


def test_a_class_with_fewer_rows_than_folds_is_refused() -> None:
    frame = people()
    frame.loc[:2, "bought"] = "maybe"
    with pytest.raises(InvalidInput, match="'maybe' of 'bought' has 3 rows"):
        prepared(frame)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(InvalidInput, match="fewer than the 50"):
        prepared(people(n=40))


def test_a_leaked_target_fails_the_stage_and_names_the_column() -> None:
    frame = people()
    frame["refund"] = (frame["bought"] == "yes") * 10 + np.random.default_rng(1).random(ROWS)
    assert outcome(prepared(frame), "target leakage")[0] == "fail"
    assert "'refund'" in outcome(prepared(frame), "target leakage")[1]
    assert outcome(prepared(people()), "target leakage")[0] == "pass"


def test_a_text_column_whose_words_never_repeat_fails_the_stage_and_is_named() -> None:
    frame = people().assign(bio=[f"only{place} here{place} once{place} said{place}" for place in range(ROWS)])
    kinds = {"textFeatures": ["bio"]}
    assert outcome(prepared(frame, features=kinds), "words") == (
        "fail",
        "'bio' has no word that two rows share: list it under features.exclude",
    )
    assert outcome(prepared(people()), "words")[0] == "pass"


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("nulls", lambda frame: frame.assign(income=frame["income"].where(frame["age"] > 40))),
        ("duplicates", lambda frame: pd.concat([frame, frame.head(60)], ignore_index=True)),
        ("overlap", lambda frame: pd.concat([frame, frame], ignore_index=True)),
        ("personal data", lambda frame: frame.assign(bio=frame["bio"] + " write to ann.lee@example.org")),
        ("target known", lambda frame: frame.assign(bought=frame["bought"].where(frame["age"] != 30))),
    ],
)
def test_a_defect_is_warned_of_and_a_clean_table_is_not(check: str, change: Any) -> None:
    assert outcome(prepared(people()), check)[0] == "pass"
    assert outcome(prepared(change(people())), check)[0] == "warn"
