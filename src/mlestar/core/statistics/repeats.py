"""Whether two trainings of one seed differ by more than chance would move their metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.data import Predictions


def metric_difference(
    first: Predictions, second: Predictions, *, draws: int, seed: int
) -> tuple[str, float | None, float | None]:
    """(name, second minus first, bootstrap standard error of the first) of the accuracy, or of the mean absolute error.

    Both are means over rows, so a resample of the rows is a resample of their terms (Efron 1979). An empty name means
    that the two cannot be compared: other rows, or no predictions.
    """
    from mlestar.core.statistics.resampling import bootstrap_means

    if len(first.y_true) != len(second.y_true) or list(map(str, first.y_true)) != list(map(str, second.y_true)):
        return "", None, None
    terms = [_terms(predictions) for predictions in (first, second)]
    if terms[0] is None or terms[1] is None:
        return "", None, None
    draw = bootstrap_means(terms[0].reshape(-1, 1), draws=draws, seed=seed)
    name = "mean absolute error" if first.task == "regression" else "accuracy"
    change = float(terms[1].mean() - terms[0].mean())
    error = float(draw.std(ddof=1))
    return (name, change, error) if math.isfinite(change) and math.isfinite(error) else ("", None, None)


def _terms(predictions: Predictions) -> np.ndarray | None:
    """(n_rows,) what each row adds to the metric."""
    import numpy as np

    from mlestar.core.statistics.metrics import predicted_classes

    if predictions.task == "regression":
        if predictions.y_pred is None:
            return None
        return np.abs(np.asarray(predictions.y_true, dtype=float) - np.asarray(predictions.y_pred, dtype=float))
    if predictions.y_pred is None and predictions.y_score is None:
        return None
    return np.asarray(predicted_classes(predictions) == np.asarray(predictions.y_true).astype(str), dtype=float)
