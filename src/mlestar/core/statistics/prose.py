"""Columns of free text: which they are, and the numbers that can be judged of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import blank_to_missing, features, identifies_rows, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

FEWEST_WORDS = 4  # mean words a value from which strings are prose rather than names [ours]
_SAMPLE = 2_000
_LARGEST_VOCABULARY = 5_000
_WORD = re.compile(r"\w+")


def is_prose(column: pd.Series[Any]) -> bool:
    """Whether the values are mostly different and have four words or more on average."""
    if kind_of(column) != "text":
        return False
    known = blank_to_missing(column).dropna()
    counts = word_counts(known.iloc[:: max(1, len(known) // _SAMPLE)])
    return bool(len(counts)) and float(counts.mean()) >= FEWEST_WORDS


def prose_columns(frame: pd.DataFrame, *, without: Sequence[str] = ()) -> list[str]:
    """The names of the columns of free text but the given ones."""
    return [name for name in features(frame, without=without) if is_prose(frame[name])]


def is_all_prose(frame: pd.DataFrame, *, without: Sequence[str] = ()) -> bool:
    """Whether free text is all there is to predict from: every other column only numbers or names the rows."""
    prose = prose_columns(frame, without=without)
    others = [name for name in features(frame, without=[*without, *prose]) if not identifies_rows(frame[name])]
    return bool(prose) and not others


def word_counts(column: pd.Series[Any]) -> np.ndarray:
    """(n,) words of each value; none in a missing one."""
    import numpy as np

    missing = blank_to_missing(column).isna()
    return np.array(
        [0 if gone else len(_WORD.findall(str(value))) for value, gone in zip(column, missing, strict=True)], float
    )


def unseen_shares(reference: pd.Series[Any], current: pd.Series[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Share of words not in the vocabulary: of every other reference value, and of the current ones.

    The vocabulary is that of the reference values between, so that both sides meet it alike.
    """
    import numpy as np

    vocabulary = {word for value in reference.iloc[::2] for word in _words(value)}

    def share(column: pd.Series[Any]) -> np.ndarray:
        found = [_words(value) for value in column]
        return np.array([sum(word not in vocabulary for word in words) / max(1, len(words)) for words in found])

    return share(reference.iloc[1::2]), share(current)


def _words(value: object) -> list[str]:
    return _WORD.findall(str(value).lower())


def bags_of_words(known: pd.Series[Any], asked: pd.Series[Any]) -> tuple[Any, Any]:
    """Sparse (n, words) TF-IDF weights of both, with the vocabulary of the first (Salton and Buckley 1988)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    weights = TfidfVectorizer(max_features=_LARGEST_VOCABULARY, sublinear_tf=True)
    texts = [[str(value) if value == value else "" for value in column] for column in (known, asked)]  # noqa: PLR0124 - NaN only differs from itself
    return weights.fit_transform(texts[0]), weights.transform(texts[1])
