from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from mlestar.errors import InvalidInput
from mlestar.stages import columns
from mlestar.stages.columns import Texts
from mlestar.stages.features import COMPONENTS, View, build_transformer, check_features

ROWS = 120


def rows(**columns: Any) -> pd.DataFrame:
    random = np.random.default_rng(0)
    usual = {
        "age": random.integers(18, 90, ROWS).astype(float),
        "city": random.choice(["Oslo", "Rome", "Lima"], ROWS),
        "when": pd.date_range("2024-01-01", periods=ROWS, freq="h", tz="UTC"),
        "bio": [" ".join(random.choice(["likes", "tea", "and", "long", "walks", "books"], 6)) for _ in range(ROWS)],
    }
    return pd.DataFrame(usual | columns).astype({"city": object, "bio": object})


KINDS = {"age": "numeric", "city": "categorical", "when": "date", "bio": "text"}


def fitted(frame: pd.DataFrame, view: View, kinds: dict[str, str] = KINDS) -> tuple[Any, Any]:
    transformer = build_transformer(kinds, view, n_rows=len(frame), seed=0)
    return transformer, transformer.fit_transform(frame[list(kinds)])


def test_the_wide_layout_is_sparse_and_the_narrow_one_dense() -> None:
    _, wide = fitted(rows(), "sparse")
    _, narrow = fitted(rows(), "dense")
    assert hasattr(wide, "tocsr")
    assert wide.shape[1] > narrow.shape[1]
    assert narrow.shape[1] <= 1 + 3 + 4 + COMPONENTS


@pytest.mark.parametrize("view", ["sparse", "dense"])
def test_what_was_never_seen_in_training_gives_finite_numbers(view: View) -> None:
    made, _ = fitted(rows(), view)
    later = rows().head(5).assign(age=np.nan, city="Bonn", bio=["", "", "tea", "x", "nothing known"])
    later["when"] = later["when"].where(later["age"].notna())
    out = made.transform(later[list(KINDS)])
    dense = out.toarray() if hasattr(out, "toarray") else out
    known = dense if view == "sparse" else np.nan_to_num(dense)  # trees take a missing number as such
    assert np.isfinite(known).all()


@pytest.mark.parametrize("words", [1, 2, 7])
def test_a_text_of_few_words_has_fewer_components(words: int) -> None:
    frame = rows(bio=[f"word{place % words} word{place % words}" for place in range(ROWS)])
    _, narrow = fitted(frame, "dense", {"bio": "text"})
    assert 1 <= narrow.shape[1] <= min(COMPONENTS, 2 * words)
    assert np.isfinite(narrow).all()


def test_a_text_whose_words_never_repeat_is_refused() -> None:
    frame = rows(bio=[f"only{place} here{place} once{place}" for place in range(ROWS)])
    with pytest.raises(InvalidInput, match="no word that occurs in 2 training rows"):
        fitted(frame, "dense", {"bio": "text"})


@pytest.mark.parametrize("words_kept", [1, 50_000])
def test_the_characters_of_a_text_are_those_that_scikit_learn_tells(
    words_kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "WORDS_KEPT", words_kept)
    texts = ["tea  and\ttea", "a", "", " \u2003Ångström\x1cno\xa0break\n", "tea " * 9, "don't-stop #now @you 12,5"]
    options: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (3, 4), "sublinear_tf": True}
    ours, theirs = Texts(**options), TfidfVectorizer(**options)
    assert (ours.fit_transform(texts) != theirs.fit_transform(texts)).nnz == 0
    assert ours.vocabulary_ == theirs.vocabulary_
    later = ["tea tea unseen", "and so on"]
    assert (ours.transform(later) != theirs.transform(later)).nnz == 0


def test_the_stages_own_tests_pass_on_a_fit_of_training_rows_and_fail_on_one_that_leaks() -> None:
    train, test = rows().head(80), rows().tail(40)
    made, _ = fitted(train, "sparse")
    assert {check.outcome for check in check_features(made, train, test, KINDS)} == {"pass"}

    class Centred:
        """Looks at all the rows that it is given at once, as a transform fitted on test rows does."""

        def transform(self, given: pd.DataFrame) -> Any:
            out = made.transform(given).toarray()
            return out - out.mean(axis=0)

    outcomes = {check.name: check.outcome for check in check_features(Centred(), train, test, KINDS)}
    assert outcomes == {"no NaN or infinity": "pass", "same output twice": "pass", "fitted on train only": "fail"}
