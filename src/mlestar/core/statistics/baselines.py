"""Whether a model is better than a guess, and better than another model on the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.statistics.metrics import class_codes, confusion
from mlestar.core.statistics.ranking import auc, auc_standard_error
from mlestar.core.statistics.resampling import bootstrap_means

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.data import Predictions

_DRAWS = 1000
_PLAUSIBLE_AUC = 0.70  # [ours] a model this good must be detectable before a miss may count as a fail
_PLAUSIBLE_GAIN = 0.40  # the same for kappa and R2: the gain that an AUC of 0.70 is above a coin
_POWER = 0.80


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What a model adds over a dummy that always gives the same answer.

    Attributes:
        measure: AUC - 0.5, kappa or R2.
        value: The gain; 0 is a dummy.
        needed: The gain from which it matters in practice.
        p_value: Of this gain or more from a model that knows nothing, one-sided.
        decidable: Enough rows that a plausible model would have shown, or a gain whose upper bound does not matter.
        n_needed: Rows at which it would be decidable.
    """

    measure: str
    value: float
    needed: float
    p_value: float
    decidable: bool
    n_needed: int


def gain_over_dummy(predictions: Predictions, *, gain: float, alpha: float, seed: int) -> Gain:
    """AUC for scores, kappa for classes, R2 for values, each with the error it has under no information.

    Sources: Hanley and McNeil 1982 (AUC); Fleiss, Cohen and Everitt 1969 (kappa); bootstrap for R2. For kappa and R2
    the practical gain is twice `gain`: deepchecks asks for 0.1 of the way from the dummy to perfection, which is
    where an AUC of 0.55 stands.
    """
    if predictions.task == "regression":
        return _regression(predictions, gain=2 * gain, alpha=alpha, seed=seed)
    if predictions.y_score is not None and predictions.y_score.ndim == 1:
        positive = predictions.y_true.astype(str) == str(predictions.positive)
        n_1, n_0 = int(positive.sum()), int((~positive).sum())
        error = auc_standard_error(0.5, n_1, n_0)
        value = auc(positive, predictions.y_score) - 0.5 if n_1 and n_0 else 0.0
        return _gain("AUC above 0.5", value, gain, error, (_PLAUSIBLE_AUC - 0.5, alpha, len(positive)))
    if predictions.y_score is not None:
        value, error = _weighted_auc(predictions)
        return _gain("AUC above 0.5", value - 0.5, gain, error, (_PLAUSIBLE_AUC - 0.5, alpha, len(predictions.y_true)))
    table = confusion(predictions)
    return _gain(
        "kappa", table.kappa, 2 * gain, table.kappa_null_error(), (_PLAUSIBLE_GAIN, alpha, int(table.table.sum()))
    )


def _weighted_auc(predictions: Predictions) -> tuple[float, float]:
    """One-against-rest AUC of each class weighted by its rows (Provost and Domingos 2000), and its error at 0.5.

    The errors are added as if they went together, which they do for two classes and less for more.
    """
    import numpy as np

    codes, scores = class_codes(predictions), np.asarray(predictions.y_score, dtype=float)
    value = error = 0.0
    for code in range(scores.shape[1]):
        n_1 = int((codes == code).sum())
        if 0 < n_1 < len(codes):
            weight = n_1 / int((codes >= 0).sum())
            value += weight * auc(codes == code, scores[:, code])
            error += weight * auc_standard_error(0.5, n_1, len(codes) - n_1)
    return (value, error) if error else (0.5, math.inf)


def _gain(
    measure: str,
    value: float,
    needed: float,
    error: float,
    design: tuple[float, float, int],
    *,
    upper: float | None = None,
) -> Gain:
    """`design`: gain of a plausible model, alpha, rows. `upper`: one-sided bound of the gain, if it is not normal."""
    from scipy.special import ndtr, ndtri

    plausible, alpha, n = design
    wanted = float(ndtri(1 - alpha) + ndtri(_POWER))
    finite = 0 < error < math.inf
    upper = value + float(ndtri(1 - alpha)) * error if upper is None else upper
    return Gain(
        measure=measure,
        value=value,
        needed=needed,
        p_value=float(ndtr(-value / error)) if finite else 1.0,
        decidable=finite and (plausible / error >= wanted or upper < needed),
        n_needed=math.ceil(n * (wanted * error / plausible) ** 2) if finite else 2 * n,
    )


def _regression(predictions: Predictions, *, gain: float, alpha: float, seed: int) -> Gain:
    import numpy as np

    truth = np.asarray(predictions.y_true, dtype=float)
    answer = np.asarray(predictions.y_pred, dtype=float)
    errors = np.column_stack([(truth - truth.mean()) ** 2, (truth - answer) ** 2])
    total = float(errors[:, 0].mean())
    if total <= 0:
        return _gain("R2", 0.0, gain, math.inf, (_PLAUSIBLE_GAIN, alpha, len(truth)))
    means = bootstrap_means(errors, draws=_DRAWS, seed=seed)
    r2 = 1 - means[:, 1] / means[:, 0]
    value = 1 - float(errors[:, 1].mean()) / total
    upper = float(np.quantile(r2, 1 - alpha))
    return _gain("R2", value, gain, float(r2.std()), (_PLAUSIBLE_GAIN, alpha, len(truth)), upper=upper)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Candidate against simple model on the same rows: share of right rows, or squared error (negated)."""

    difference: float
    low: float
    high: float


def compare(candidate: np.ndarray, simple: np.ndarray, *, alpha: float, seed: int) -> Comparison:
    """Paired bootstrap of the mean difference of per-row scores, higher is better (Efron and Tibshirani 1993, ch. 16).

    Where so few rows differ that a sign test could not tell, the interval holds 0: resamples of them all point one way.

    Args:
        candidate: (n,) score of each row.
        simple: (n,) score of the same rows.
        alpha: Of the two-sided interval.
        seed: Of the resamples.
    """
    import numpy as np

    difference = np.asarray(candidate, dtype=float) - np.asarray(simple, dtype=float)
    means = bootstrap_means(difference[:, None], draws=_DRAWS, seed=seed)[:, 0]
    low, high = (float(bound) for bound in np.quantile(means, [alpha / 2, 1 - alpha / 2]))
    if 2 * 0.5 ** np.count_nonzero(difference) > alpha:  # even if all of them pointed one way
        low, high = min(low, 0.0), max(high, 0.0)
    return Comparison(difference=float(difference.mean()), low=low, high=high)
