"""Calibration: how far probabilities are from observed frequencies, and how far chance alone would put them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.statistics.metrics import class_codes

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.data import Predictions


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Expected calibration error (0 to 1) beside its quantile under perfect calibration."""

    ece: float
    null: float
    n: int


def calibration(
    is_event: np.ndarray, probability: np.ndarray, *, bins: int, draws: int, quantile: float, seed: int
) -> Calibration:
    """ECE over equal-mass bins, against draws in which every event has exactly its stated probability.

    Sources: Guo et al. 2017 (ECE); Broecker and Smith 2007 (consistency resampling).

    Args:
        is_event: (n,) bool, what happened.
        probability: (n,) stated chance of it, 0 to 1.
        bins: Bins of equal numbers of rows.
        draws: Resamples of the null.
        quantile: Of the null that is reported, e.g. 0.99.
        seed: Of the resamples.
    """
    import numpy as np

    order = np.argsort(probability, kind="stable")
    p = np.asarray(probability, dtype=float)[order]
    events = np.asarray(is_event, dtype=float)[order]
    starts = np.unique(np.linspace(0, len(p), min(bins, len(p)) + 1).astype(int)[:-1])
    simulated = (np.random.default_rng(seed).random((draws, len(p))) < p).astype(float)
    gaps = np.add.reduceat(np.vstack([events, simulated]) - p, starts, axis=1)
    errors = np.abs(gaps).sum(axis=1) / len(p)
    return Calibration(ece=float(errors[0]), null=float(np.quantile(errors[1:], quantile)), n=len(p))


def top_label(predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """(n,) whether the most probable class is right and (n,) its probability, for calibration of many classes."""
    import numpy as np

    score = np.asarray(predictions.y_score, dtype=float)
    return score.argmax(axis=1) == class_codes(predictions), score.max(axis=1)
