"""Slices of held-out rows on which the model does worse than on the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import binned, features, kind_of
from mlestar.core.statistics.intervals import holm
from mlestar.core.statistics.metrics import predicted_classes
from mlestar.core.statistics.prose import is_prose, word_counts
from mlestar.core.statistics.simple_models import aligned

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.data import DataFacts, Predictions


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One slice: `ratio` of its score to the overall score, Holm-adjusted one-sided `p_value` against the rest."""

    column: str
    value: str
    n: int
    score: float
    overall: float
    ratio: float
    p_value: float


def slice_labels(data: DataFacts) -> dict[str, np.ndarray]:
    """Column -> (n_rows,) slice labels: the groups of the predictions and, if its rows align, the test table's.

    Free text is sliced by its number of words.
    """
    predictions = data.predictions
    if predictions is None:
        return {}
    import pandas as pd

    found = dict(predictions.groups)
    if data.test is not None and aligned(predictions, data.test, data.target):
        frame = data.test.frame
        for name in features(frame, without=[data.target, data.time_column, *found]):
            if kind_of(frame[name]) in {"number", "flag", "category"}:
                found[name] = binned(frame[name])
            elif is_prose(frame[name]):
                found[f"words of {name}"] = binned(pd.Series(word_counts(frame[name])))
    return found


def slices(
    predictions: Predictions, labels: Mapping[str, np.ndarray], *, min_rows: float, min_share: float
) -> list[Slice]:
    """Each slice that is large enough, weakest first.

    The score of a row is right or wrong; for a quantity it is the negative absolute error, and the ratio is that of the
    overall to the slice's mean error. Test: hypergeometric (Fisher's exact) or Welch's t, one-sided, Holm-adjusted.
    Source: rubric A2.1 after deepchecks WeakSegmentsPerformance (0.8).
    """
    right = _row_scores(predictions)
    found = [*_candidates(labels, len(right), min_rows, min_share)]
    p_values = [_p_value(right, mask, is_rate=predictions.task != "regression") for _, _, mask in found]
    overall = float(right.mean())
    result: list[Slice] = []
    for (column, value, mask), p_value in zip(found, holm(p_values), strict=True):
        score = float(right[mask].mean())
        result.append(
            Slice(
                column=column,
                value=value,
                n=int(mask.sum()),
                score=score,
                overall=overall,
                ratio=_ratio(score, overall),
                p_value=p_value,
            )
        )
    return sorted(result, key=lambda one: (one.p_value, one.ratio))


def _row_scores(predictions: Predictions) -> np.ndarray:
    import numpy as np

    if predictions.task == "regression":
        return -np.abs(np.asarray(predictions.y_true, float) - np.asarray(predictions.y_pred, float))
    return (predictions.y_true.astype(str) == predicted_classes(predictions).astype(str)).astype(float)


def _ratio(score: float, overall: float) -> float:
    if overall == 0:
        return 1.0
    return score / overall if overall > 0 else overall / min(score, -1e-300)


def _candidates(
    labels: Mapping[str, np.ndarray], n: int, min_rows: float, min_share: float
) -> Iterator[tuple[str, str, np.ndarray]]:
    import numpy as np

    for column, values in labels.items():
        names, codes, sizes = np.unique(values.astype(str), return_inverse=True, return_counts=True)
        for code, (name, size) in enumerate(zip(names, sizes, strict=True)):
            if size >= min_rows and size >= min_share * n and size < n:
                yield column, str(name), codes == code


def _p_value(right: np.ndarray, mask: np.ndarray, *, is_rate: bool) -> float:
    from scipy.stats import hypergeom, ttest_ind

    inside, outside = right[mask], right[~mask]
    if is_rate:
        return float(hypergeom.cdf(inside.sum(), len(right), right.sum(), len(inside)))
    if inside.std() == 0 and outside.std() == 0:
        return 1.0
    result: Any = ttest_ind(inside, outside, equal_var=False, alternative="less")
    return float(result.pvalue)
