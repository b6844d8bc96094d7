"""How precisely the headline metric of some predictions is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.core.statistics.intervals import wilson_half_width
from mlestar.core.statistics.metrics import confusion, predicted_classes
from mlestar.core.statistics.ranking import auc, auc_standard_error
from mlestar.core.statistics.resampling import bootstrap_means

if TYPE_CHECKING:
    from mlestar.core.facts.data import Predictions

_DRAWS = 1000
_Z = 1.959963984540054  # standard normal quantile of 0.975


def headline_interval(predictions: Predictions, *, seed: int) -> tuple[str, float, float]:
    """Name, value and half-width of the 95% interval of accuracy, AUC (binary scores without classes) or R2."""
    import numpy as np

    if predictions.task == "regression":
        truth = np.asarray(predictions.y_true, dtype=float)
        errors = np.column_stack([(truth - truth.mean()) ** 2, (truth - np.asarray(predictions.y_pred)) ** 2])
        if errors[:, 0].mean() <= 0:
            return "r2", 0.0, 1.0
        means = bootstrap_means(errors, draws=_DRAWS, seed=seed)
        low, high = np.quantile(1 - means[:, 1] / means[:, 0].clip(min=1e-300), [0.025, 0.975])
        return "r2", float(1 - errors[:, 1].mean() / errors[:, 0].mean()), float(high - low) / 2
    if predictions.y_pred is None and predictions.y_score is not None and predictions.y_score.ndim == 1:
        positive = predictions.y_true.astype(str) == str(predictions.positive)
        if positive.any() and not positive.all():
            area = auc(positive, predictions.y_score)
            error = auc_standard_error(area, int(positive.sum()), int((~positive).sum()))
            return "roc_auc", area, _Z * error
    accuracy = confusion(predictions).accuracy
    return "accuracy", accuracy, wilson_half_width(accuracy, len(predicted_classes(predictions)))
