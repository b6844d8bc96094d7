"""Fits that joblib may spread: over a cluster where one is set, else one after another in this process.

Which it is does not change an answer: a fit is a function of its estimator and its rows, on one thread everywhere.
"""

from __future__ import annotations

import os
import pickle
import platform
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Place = tuple[str, int]
"""A process: its machine and its number."""
_spread_by: ContextVar[Mapping[str, Any]] = ContextVar("spread_by", default={})  # noqa: B039 - never changed in place


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One fit and what is asked of it.

    Attributes:
        estimator: Unfitted.
        learn_from: (n_train, n_columns) features.
        truth: (n_train,) class indices or values.
        answer_for: (n_held, n_columns) features.
        n_classes: 0 for regression.
    """

    estimator: Any
    learn_from: Any
    truth: np.ndarray
    answer_for: Any
    n_classes: int

    def __reduce__(self) -> Any:
        """Cross to another process as one piece of bytes, whose arrays are then laid out as here.

        Sent by itself an array may come to lie at any address (Dask cuts it out of a message), and one that is not
        aligned is summed in another order: the last bits of a linear model differ.
        """
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return _fit_from, (pickle.dumps(parts, protocol=pickle.HIGHEST_PROTOCOL),)


def _fit_from(data: bytes) -> Fit:
    return Fit(**pickle.loads(data))  # noqa: S301 - what `__reduce__` wrote, inside a pickle already


@contextmanager
def spread_by(backend: Mapping[str, Any]) -> Generator[None]:
    """Have `answers_of` use this backend (arguments of `joblib.parallel_config`) while the block runs.

    Only that: libraries that call joblib themselves, as scikit-learn's column transformers do, stay in this process.
    """
    token = _spread_by.set(backend)
    try:
        yield
    finally:
        _spread_by.reset(token)


def answers_of(fits: Iterable[Fit]) -> Iterator[tuple[np.ndarray, float]]:
    """Answers in the order of `fits`, each with the processor seconds that another process spent on it (0.0: this one).

    Without a cluster a fit is taken from `fits` only when the answer before it has been.
    """
    from joblib import Parallel, delayed, parallel_config

    here = _place()
    backend = _spread_by.get()
    with parallel_config(**backend or {"backend": "sequential"}):
        spread: Any = Parallel(return_as="list" if backend else "generator")  # Ray's knows no generators
    for answer, elsewhere_s in spread(delayed(answer_from)(fit, here) for fit in fits):
        yield (answer.copy() if elsewhere_s else answer), elsewhere_s  # aligned, as above


def answer_from(fit: Fit, asked_by: Place) -> tuple[np.ndarray, float]:
    """(n_held, n_classes) probabilities or (n_held,) values; and the processor seconds, if `asked_by` is elsewhere."""
    if _place() == asked_by:
        return _answer(fit), 0.0
    import joblib
    import threadpoolctl

    begun = time.thread_time()
    with joblib.parallel_config(backend="sequential"), threadpoolctl.threadpool_limits(1):
        answer = _answer(fit)
    return answer, time.thread_time() - begun


def _place() -> Place:
    return platform.node(), os.getpid()


def _answer(fit: Fit) -> np.ndarray:
    import numpy as np

    fit.estimator.fit(fit.learn_from, fit.truth)
    if not fit.n_classes:
        return np.asarray(fit.estimator.predict(fit.answer_for), dtype=float)
    answers = np.zeros((fit.answer_for.shape[0], fit.n_classes))
    answers[:, np.asarray(fit.estimator.classes_, dtype=int)] = fit.estimator.predict_proba(fit.answer_for)
    return answers
