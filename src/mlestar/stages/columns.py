"""Column transformers of our own: texts whose vocabulary saves quickly, and the parts of a date.

They are what a packaged model consists of beside scikit-learn's own, so their saved form must stay readable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

_SEPARATOR = "\x00"
_DAY_S = 86_400.0
WORDS_KEPT = 50_000
"""Different words whose n-grams are remembered; about 50 MB of words of ten letters (ours)."""


class Columns(ColumnTransformer):
    """A ColumnTransformer that records which rows it was fitted on.

    Attributes:
        rows_seen_: How many.
        rows_sha256_: Of their content and order (see `rows_digest`).
    """

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **params: Any) -> Any:  # noqa: N803 - scikit-learn's interface
        """Fit every part and answer its (n_rows, n_outputs) matrix. `fit` comes here too."""
        self.rows_seen_ = len(X)
        self.rows_sha256_ = rows_digest(X)
        return super().fit_transform(X, y, **params)


def rows_digest(rows: pd.DataFrame) -> str:
    """SHA-256 of the rows' content and order, whatever their index."""
    import pandas as pd

    hashes = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    return hashlib.sha256(hashes.tobytes()).hexdigest()


class Texts(TfidfVectorizer):
    """TF-IDF over one text column; a missing text is an empty one.

    Saved as one string of terms and one array of weights: a dictionary of 40,000 terms takes skops seconds.
    """

    def fit(self, raw_documents: Iterable[str | None], y: Any = None) -> Texts:
        """Learn terms and weights. `raw_documents` (n_rows,)."""
        self.fit_transform(raw_documents, y)
        return self

    def fit_transform(self, raw_documents: Iterable[str | None], y: Any = None) -> Any:
        """Learn and answer the sparse (n_rows, n_terms) matrix."""
        try:
            return super().fit_transform(_filled(raw_documents), y)
        except ValueError as error:
            if "vocabulary" not in str(error) and "no terms" not in str(error):
                raise
            raise InvalidInput(
                f"a text column has no word that occurs in {self.min_df} training rows",
                do="list it under features.exclude, or add rows",
            ) from error

    def transform(self, raw_documents: Iterable[str | None]) -> Any:
        """The sparse (n_rows, n_terms) matrix."""
        return super().transform(_filled(raw_documents))

    def _char_wb_ngrams(self, text_document: str) -> list[str]:
        """scikit-learn's own, which goes through every word letter by letter, once for each different word."""
        alone = super()._char_wb_ngrams
        known = self._terms_of_words
        terms: list[str] = []
        for word in text_document.split():
            if (found := known.get(word)) is None:
                if len(known) >= WORDS_KEPT:
                    known.clear()
                found = known[word] = tuple(alone(word))
            terms += found
        return terms

    @cached_property
    def _terms_of_words(self) -> dict[str, tuple[str, ...]]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Parameters, and the terms in the order of their columns."""
        state = {name: getattr(self, name) for name in self.get_params(deep=False)}
        state["dtype"] = np.dtype(self.dtype).str
        state["ngram_range"] = list(self.ngram_range)
        if hasattr(self, "vocabulary_"):
            order = sorted(self.vocabulary_, key=self.vocabulary_.__getitem__)
            state |= {"terms": _SEPARATOR.join(order), "idf": np.asarray(self.idf_)}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the vocabulary from the terms."""
        state = dict(state)
        terms, idf = state.pop("terms", None), state.pop("idf", None)
        parameters: Any = {"dtype": np.dtype(state["dtype"]).type, "ngram_range": tuple(state["ngram_range"])}
        self.__init__(**{**state, **parameters})
        if terms is not None:
            self.vocabulary_ = {term: place for place, term in enumerate(terms.split(_SEPARATOR))}
            self.fixed_vocabulary_ = False
            self.idf_ = idf  # its setter builds the weighting


class Components(TruncatedSVD):
    """Truncated SVD that asks for no more components than there are terms."""

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:  # noqa: N803 - scikit-learn's interface
        """(n_rows, at most n_components) dense numbers. `fit` comes here too."""
        self.n_components = min(self.n_components, X.shape[1])
        with np.errstate(invalid="ignore"):  # shares of a variance that is zero: one word, the same in every row
            return super().fit_transform(X, y)


class DateParts(TransformerMixin, BaseEstimator):
    """Days since 1970, hour, weekday and month of date columns; missing stays missing."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> DateParts:  # noqa: ARG002, N803 - scikit-learn's interface
        """Nothing is learnt but the names."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:  # noqa: N803 - scikit-learn's interface
        """(n_rows, 4 * n_columns) numbers."""
        return np.column_stack([part for name in X.columns for part in _parts(X[name])])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:  # noqa: ARG002 - scikit-learn's interface
        """`column_day`, `column_hour`, `column_weekday`, `column_month`, for each column."""
        parts = ("day", "hour", "weekday", "month")
        return np.asarray([f"{name}_{part}" for name in self.feature_names_in_ for part in parts], dtype=object)


def _parts(dates: pd.Series) -> list[np.ndarray]:
    import pandas as pd

    known = pd.to_datetime(dates, utc=True)
    days = (known - pd.Timestamp(0, tz="UTC")).dt.total_seconds() / _DAY_S
    return [np.asarray(part, dtype=float) for part in (days, known.dt.hour, known.dt.day_of_week, known.dt.month)]


def _filled(texts: Iterable[str | None]) -> list[str]:
    return [text if isinstance(text, str) else "" for text in texts]
