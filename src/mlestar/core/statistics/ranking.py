"""Rank statistics: AUC with its standard error, concordance of a regression."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def auc(is_positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve as the Mann-Whitney statistic with mid-ranks (Hanley and McNeil 1982). NaN: one class.

    Args:
        is_positive: (n,) bool.
        score: (n,) higher means more positive.
    """
    import numpy as np
    from scipy.stats import rankdata

    positive = np.asarray(is_positive, dtype=bool)
    n_1 = int(positive.sum())
    n_0 = len(positive) - n_1
    if not n_1 or not n_0:
        return math.nan
    return float((rankdata(score)[positive].sum() - n_1 * (n_1 + 1) / 2) / (n_1 * n_0))


def auc_standard_error(area: float, n_positive: int, n_negative: int) -> float:
    """Hanley and McNeil 1982 (Radiology 143:29), exponential approximation. Infinite without both classes."""
    if not n_positive or not n_negative:
        return math.inf
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    return math.sqrt(max(0.0, variance) / (n_positive * n_negative))


def macro_auc(codes: np.ndarray, scores: np.ndarray) -> float:
    """Mean one-against-rest AUC over the classes that occur (Provost and Domingos 2000, unweighted).

    Args:
        codes: (n,) class number.
        scores: (n, n_classes).
    """
    import numpy as np

    areas = [auc(codes == k, scores[:, k]) for k in range(scores.shape[1])]
    known = [area for area in areas if not math.isnan(area)]
    return float(np.mean(known)) if known else math.nan


def concordance(truth: np.ndarray, predicted: np.ndarray) -> float:
    """P(predicted orders two cases as the truth does), ties counted half: the AUC of a regression (Harrell 1982).

    Computed from Kendall's tau-b, whose numerator counts concordant minus discordant pairs.
    """
    import numpy as np
    from scipy.stats import kendalltau

    n = len(truth)
    pairs = n * (n - 1) / 2
    tied_truth = pairs - _tied(truth)
    tied_predicted = pairs - _tied(predicted)
    if tied_truth <= 0:
        return math.nan
    if tied_predicted <= 0:
        return 0.5
    result: Any = kendalltau(truth, predicted)
    tau = float(result.statistic)
    return 0.5 + tau * float(np.sqrt(tied_truth * tied_predicted)) / tied_truth / 2


def _tied(values: np.ndarray) -> float:
    import numpy as np

    _, counts = np.unique(values, return_counts=True)
    return float((counts * (counts - 1) / 2).sum())
