"""Free text in tables: told apart from names, and judged by what can be judged of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Table
from mlestar.core.score.profiles import profile_of
from mlestar.core.statistics.prose import is_all_prose, is_prose, unseen_shares, word_counts
from mlestar.evidence.predictions import read_predictions

GOOD, BAD = (
    ["great", "lovely", "fast", "recommend", "perfect", "sturdy"],
    ["broken", "slow", "refund", "awful", "late", "missing"],
)
NEUTRAL = [f"word{number}" for number in range(300)]
N_TRAIN = 600


def reviews(seed: int, n: int = 900) -> pd.DataFrame:
    """Reviews of 8 to 30 words, up to two of which tell whether the customer was content."""
    random = np.random.default_rng(seed)
    content = random.integers(0, 2, n)
    texts = [
        " ".join(
            [*random.choice(NEUTRAL, random.integers(8, 30)), *random.choice(GOOD if c else BAD, random.integers(3))]
        )
        for c in content
    ]
    return pd.DataFrame({"review": texts, "content": content})


def table(frame: pd.DataFrame, name: str) -> Table:
    return Table(path=f"{name}.csv", frame=frame.reset_index(drop=True), sha256="0" * 64, n_rows=len(frame))


def facts(frame: pd.DataFrame) -> Facts:
    train, test = frame.iloc[:N_TRAIN], frame.iloc[N_TRAIN:]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(train["review"], train["content"])
    answers = pd.DataFrame({"y_true": test["content"], "y_score": model.predict_proba(test["review"])[:, 1]})
    data = DataFacts(
        task="binary",
        target="content",
        train=table(train, "train"),
        test=table(test, "test"),
        reference=table(train, "reference"),
        current=table(test, "current"),
        predictions=read_predictions(table(answers, "predictions")),
    )
    return Facts(data=data)


def outcomes(judged: Facts, *checks: str) -> dict[str, Outcome]:
    excused = profile_of(judged).not_applicable
    return {one.check: one.outcome for one in run_checks(judged, checks or None, not_applicable=excused)}


COLUMNS: dict[str, tuple[list[object], bool]] = {
    "sentences": ([f"the {i}th parcel came rather late" for i in range(50)], True),
    "names of rows": ([f"customer-{i}" for i in range(50)], False),
    "two-word names": ([f"Ada Byron{i}" for i in range(50)], False),
    "few sentences, repeated": (["this one is fine", "that one is not"] * 25, False),
    "numbers": (list(range(50)), False),
    "nothing": ([None] * 50, False),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_free_text_is_told_from_names(name: str) -> None:
    values, expected = COLUMNS[name]
    assert is_prose(pd.Series(values, dtype=object)) is expected


def test_a_row_id_beside_the_text_is_no_other_feature() -> None:
    frame = reviews(0, 60).assign(review_id=range(60))
    assert is_all_prose(frame, without=["content"])
    assert not is_all_prose(frame.assign(price=np.linspace(0, 1, 60)), without=["content"])


def test_words_are_counted_and_missing_texts_have_none() -> None:
    assert word_counts(pd.Series(["one two", None, "it's"])).tolist() == [2, 0, 2]


def test_both_sides_meet_the_vocabulary_alike() -> None:
    frame = reviews(1)
    before, after = unseen_shares(frame["review"].iloc[:600], frame["review"].iloc[600:])
    assert abs(before.mean() - after.mean()) < 0.01


def test_a_clean_text_project_fails_nothing_and_is_not_asked_to_weigh_columns() -> None:
    judged = facts(reviews(2))
    assert profile_of(judged).modality == "text"
    found = outcomes(judged)
    assert {check for check, outcome in found.items() if outcome in {Outcome.FAIL, Outcome.ERROR}} == set()
    assert {found[check] for check in ("T2.4", "A4.1", "A4.3")} == {Outcome.NOT_APPLICABLE}


def test_a_linear_model_on_words_is_the_rival_of_a_text_model() -> None:
    """The judged model is one itself: it must not look better than a rival that cannot read."""
    assert outcomes(facts(reviews(3)), "T3.2") == {"T3.2": Outcome.PARTIAL}


def _new_words(text: str) -> str:
    return " ".join("novel" if place % 6 == 0 else word for place, word in enumerate(text.split()))


def _shorter(text: str) -> str:
    return " ".join(text.split()[:8])


@pytest.mark.parametrize("change", [_new_words, _shorter])
def test_text_drifts_by_new_words_and_by_length(change: Callable[[str], str]) -> None:
    judged = facts(reviews(4))
    assert judged.data is not None
    assert judged.data.current is not None
    assert outcomes(judged, "R5.3") == {"R5.3": Outcome.PASS}
    current = judged.data.current.frame
    moved = table(current.assign(review=current["review"].map(change)), "current")
    assert outcomes(replace(judged, data=replace(judged.data, current=moved)), "R5.3") == {"R5.3": Outcome.FAIL}


def test_text_beside_columns_is_mixed_and_only_the_columns_are_weighed() -> None:
    frame = reviews(5)
    price = np.random.default_rng(5).normal(size=len(frame)) + 0.5 * frame["content"]
    judged = facts(frame.assign(price=price.round(3)))
    profile = profile_of(judged)
    assert (profile.modality, dict(profile.not_applicable)) == ("mixed", {})
    assert outcomes(judged, "T2.4", "A4.3") == {"T2.4": Outcome.PASS, "A4.3": Outcome.INCONCLUSIVE}


def test_slices_of_text_are_by_its_length() -> None:
    (finding,) = run_checks(facts(reviews(6)), ["A2.1"])
    assert "words of review" in finding.observed
