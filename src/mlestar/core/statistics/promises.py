"""Promised metrics held against predictions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlestar.core.claims.statements import stated_metrics
from mlestar.core.statistics.intervals import wilson
from mlestar.core.statistics.metrics import LOWER_IS_BETTER, canonical, recomputed

if TYPE_CHECKING:
    from mlestar.core.claims.text import Statement
    from mlestar.core.facts.data import Predictions

_DRAWS = 300
_METRIC = re.compile(
    r"\b(accuracy|balanced accuracy|precision|recall|sensitivity|specificity|f1(?:[- ]score)?|roc[- ]?auc|auc|auroc|"
    r"r2|rmse|mae|mse|log[- ]?loss|brier)\b[^.\d\n]{0,25}?"
    r"(?:>=|<=|≥|≤|>|<|of at least|at least|at most|above|below|under|reach(?:es)?|of|to|=|:)\s*"
    r"(\d+(?:\.\d+)?\s*%?)",
    re.IGNORECASE,
)
_PROMISE_KEY = re.compile(r"target|goal|success|criteri|objective|acceptance|threshold|require|must|minimum|metric")


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A metric and the value it was to reach."""

    metric: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How a promise stands: reached by the estimate, reached by the worse end of its interval."""

    reached: bool
    reached_with_confidence: bool
    n_needed: int
    text: str


def promised_metrics(statements: Iterable[Statement]) -> Iterator[Promise]:
    """Metrics with numbers, named under a key of goals or success."""
    seen: set[str] = set()
    for said in statements:
        if not _PROMISE_KEY.search(said.key):
            continue
        last = said.key.rpartition(" ")[2]
        pairs = (
            [(last, said.text)] if canonical(last) else [(match[1], match[2]) for match in _METRIC.finditer(said.text)]
        )
        for name, number in pairs:
            for found in stated_metrics({name: number.replace(" ", "")}):
                if found.metric not in seen:
                    seen.add(found.metric)
                    yield Promise(metric=found.metric, value=found.value)


def held_against(promise: Promise, predictions: Predictions, *, seed: int) -> Kept | None:
    """Compare with the metric of the predictions and its 95% interval; None when it cannot be computed."""
    values = recomputed(predictions).get(promise.metric)
    if not values:
        return None
    lower = promise.metric in LOWER_IS_BETTER
    value = min(values) if lower else max(values)
    position = values.index(value)
    n = predictions.n_read
    low, high = (
        wilson(value * n, n) if promise.metric == "accuracy" else _bootstrap(promise, predictions, position, seed)
    )
    worse_end = high if lower else low
    reached = value <= promise.value if lower else value >= promise.value
    certain = worse_end <= promise.value if lower else worse_end >= promise.value
    margin = abs(value - promise.value)
    needed = math.ceil(n * (abs(value - worse_end) / max(margin, 1e-3)) ** 2)
    text = f"{promise.metric} {value:.3f} [{low:.3f}, {high:.3f}] against {promise.value:g} promised, n = {n}"
    return Kept(reached=reached, reached_with_confidence=reached and certain, n_needed=needed, text=text)


def _bootstrap(promise: Promise, predictions: Predictions, position: int, seed: int) -> tuple[float, float]:
    """Percentile bootstrap over the rows (Efron 1979)."""
    import numpy as np

    random = np.random.default_rng(seed)
    n = predictions.n_read
    draws: list[float] = []
    for _ in range(_DRAWS):
        rows = random.integers(0, n, n)
        sample = replace(
            predictions,
            y_true=predictions.y_true[rows],
            y_pred=None if predictions.y_pred is None else predictions.y_pred[rows],
            y_score=None if predictions.y_score is None else predictions.y_score[rows],
        )
        found = recomputed(sample).get(promise.metric, ())
        if len(found) > position:
            draws.append(found[position])
    if not draws:
        return -math.inf, math.inf
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)
