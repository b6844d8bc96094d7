"""Metrics with confidence intervals, each defined once, over row weights.

A bootstrap draw is a vector of row counts, so one definition gives the point estimate (all weights 1) and all draws
at once. To add a metric: one function in `_CLASSIFICATION` or `_REGRESSION`, and its name in `core.pipeline.METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.facts.run import Estimate
from mlestar.core.pipeline import CLASSIFICATION_METRICS, LOWER_IS_BETTER, REGRESSION_METRICS

if TYPE_CHECKING:
    import numpy as np

DRAWS = 300
"""Bootstrap draws: the 2.5% point is then the 8th smallest."""
CELLS_AT_ONCE = 3_000_000
SELECTION = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "r2"}
"""Task -> the metric that candidates are compared by unless the config names one."""
DEFAULTS = {
    "binary": ("accuracy", "f1", "precision", "recall", "roc_auc", "log_loss"),
    "multiclass": ("accuracy", "f1", "roc_auc", "log_loss"),
    "regression": REGRESSION_METRICS,
}
_TINY = 1e-15


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Answers on rows whose truth is known.

    Attributes:
        truth: (n_rows,) class indices, or values.
        predicted: (n_rows,) class indices, or values.
        scores: (n_rows, n_classes) probabilities; None for regression.
    """

    truth: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray | None = None


def score_of(probabilities: np.ndarray, truth: np.ndarray) -> Scored:
    """Class probabilities with the truth, the most probable class predicted."""
    return Scored(truth=truth, predicted=probabilities.argmax(axis=1), scores=probabilities)


def names_for(task: str) -> tuple[str, ...]:
    """The metrics that exist for a task."""
    return REGRESSION_METRICS if task == "regression" else CLASSIFICATION_METRICS


def gain(name: str, value: float) -> float:
    """The value with its sign turned so that more is better."""
    return -value if name in LOWER_IS_BETTER else value


def weighted(name: str, scored: Scored, weights: np.ndarray) -> np.ndarray:
    """(draws,) values of one metric, each row counted as often as `weights` (draws, n_rows) says."""
    return _METRICS[name](scored, weights)


def value_of(name: str, scored: Scored) -> float:
    """One metric on all rows."""
    import numpy as np

    return float(weighted(name, scored, np.ones((1, len(scored.truth))))[0])


def draw_values(name: str, scored: Scored, *, seed: int, draws: int = DRAWS) -> np.ndarray:
    """(draws,) values on bootstrap samples; equal seeds and row counts give the same samples (paired)."""
    import numpy as np

    random = np.random.default_rng(seed)
    n = len(scored.truth)
    at_once = max(1, CELLS_AT_ONCE // n)
    values = []
    for start in range(0, draws, at_once):
        weights = random.multinomial(n, np.full(n, 1 / n), size=min(at_once, draws - start)).astype(float)
        values.append(weighted(name, scored, weights))
    return np.concatenate(values)


def gain_draws(name: str, scored: Scored, seed: int) -> np.ndarray:
    """(draws,) bootstrap values with the sign turned so that more is better."""
    return gain(name, 1.0) * draw_values(name, scored, seed=seed)


def estimate(name: str, scored: Scored, *, seed: int) -> Estimate:
    """The value with its 95% percentile bootstrap interval."""
    import numpy as np

    values = draw_values(name, scored, seed=seed)
    low, high = np.nanquantile(values, [0.025, 0.975])
    return Estimate(value=value_of(name, scored), low=float(low), high=float(high), n=len(scored.truth))


def _counts(scored: Scored, weights: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True positives, predicted, actual: (draws,) weighted counts of one class."""
    said, real = scored.predicted == label, scored.truth == label
    return weights @ (said & real), weights @ said.astype(float), weights @ real.astype(float)


def _labels(scored: Scored) -> list[int]:
    assert scored.scores is not None  # noqa: S101 - classification answers always carry scores
    return [1] if scored.scores.shape[1] == 2 else list(range(scored.scores.shape[1]))  # noqa: PLR2004 - binary


def _share(part: Any, whole: Any) -> np.ndarray:
    import numpy as np

    return np.divide(part, whole, out=np.zeros_like(np.asarray(part, dtype=float)), where=np.asarray(whole) > 0)


def _accuracy(scored: Scored, weights: np.ndarray) -> np.ndarray:
    return weights @ (scored.predicted == scored.truth) / weights.sum(axis=1)


def _balanced_accuracy(scored: Scored, weights: np.ndarray) -> np.ndarray:
    import numpy as np

    assert scored.scores is not None  # noqa: S101 - classification answers always carry scores
    parts = [_counts(scored, weights, label) for label in range(scored.scores.shape[1])]
    recalls = np.array([np.where(real > 0, _share(hit, real), np.nan) for hit, _, real in parts])
    return np.nanmean(recalls, axis=0)


def _macro(scored: Scored, weights: np.ndarray, of: Callable[[Any, Any, Any], np.ndarray]) -> np.ndarray:
    import numpy as np

    return np.mean([of(*_counts(scored, weights, label)) for label in _labels(scored)], axis=0)


def _roc_auc(scored: Scored, weights: np.ndarray) -> np.ndarray:
    import numpy as np

    assert scored.scores is not None  # noqa: S101 - classification answers always carry scores
    parts = [_auc_of(scored.scores[:, k], scored.truth == k, weights) for k in _labels(scored)]
    return np.nanmean(parts, axis=0) if len(parts) > 1 else parts[0]


def _auc_of(score: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted Mann-Whitney statistic, ties counted half."""
    import numpy as np

    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) > 0])
    ordered = weights[:, order]
    up = np.add.reduceat(ordered * positive[order], starts, axis=1)
    down = np.add.reduceat(ordered * ~positive[order], starts, axis=1)
    below = np.cumsum(down, axis=1) - down
    pairs = up.sum(axis=1) * down.sum(axis=1)
    hits = (up * (below + down / 2)).sum(axis=1)
    return np.divide(hits, pairs, out=np.full(len(hits), np.nan), where=pairs > 0)


def _average_precision(scored: Scored, weights: np.ndarray) -> np.ndarray:
    import numpy as np

    assert scored.scores is not None  # noqa: S101 - classification answers always carry scores
    parts = []
    for k in _labels(scored):
        order = np.argsort(-scored.scores[:, k], kind="stable")
        score, positive = scored.scores[order, k], (scored.truth == k)[order]
        ends = np.flatnonzero(np.r_[np.diff(score) < 0, True])
        hits = np.cumsum(weights[:, order] * positive, axis=1)[:, ends]
        said = np.cumsum(weights[:, order], axis=1)[:, ends]
        recall_steps = np.diff(hits, axis=1, prepend=0.0)
        parts.append(_share((recall_steps * _share(hits, said)).sum(axis=1), hits[:, -1]))
    return np.mean(parts, axis=0)


def _log_loss(scored: Scored, weights: np.ndarray) -> np.ndarray:
    import numpy as np

    assert scored.scores is not None  # noqa: S101 - classification answers always carry scores
    given = scored.scores[np.arange(len(scored.truth)), scored.truth]
    return weights @ -np.log(np.clip(given, _TINY, 1)) / weights.sum(axis=1)


def _brier(scored: Scored, weights: np.ndarray) -> np.ndarray:
    import numpy as np

    assert scored.scores is not None  # noqa: S101 - classification answers always carry scores
    hot = np.eye(scored.scores.shape[1])[scored.truth]
    halves = 2.0 if scored.scores.shape[1] == 2 else 1.0  # noqa: PLR2004 - binary: one class is counted
    return weights @ ((scored.scores - hot) ** 2).sum(axis=1) / weights.sum(axis=1) / halves


def _r2(scored: Scored, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1)
    centred = scored.truth - scored.truth.mean()  # keeps the difference of squares exact for large values
    spread = weights @ centred**2 / total - (weights @ centred / total) ** 2
    return 1 - weights @ (scored.truth - scored.predicted) ** 2 / total / spread


def _mae(scored: Scored, weights: np.ndarray) -> np.ndarray:
    return weights @ abs(scored.truth - scored.predicted) / weights.sum(axis=1)


def _rmse(scored: Scored, weights: np.ndarray) -> np.ndarray:
    return (weights @ (scored.truth - scored.predicted) ** 2 / weights.sum(axis=1)) ** 0.5


_METRICS: dict[str, Callable[[Scored, np.ndarray], np.ndarray]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": lambda scored, weights: _macro(scored, weights, lambda hit, said, _: _share(hit, said)),
    "recall": lambda scored, weights: _macro(scored, weights, lambda hit, _, real: _share(hit, real)),
    "f1": lambda scored, weights: _macro(scored, weights, lambda hit, said, real: _share(2 * hit, said + real)),
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    "brier": _brier,
    "r2": _r2,
    "mae": _mae,
    "rmse": _rmse,
}
