"""Selection rates and true positive rates of groups, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.statistics.intervals import newcombe, ratio_interval
from mlestar.core.statistics.metrics import predicted_classes

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.data import Predictions

_FAMILY_ALPHA = 0.05  # of each bound: a group is shown fair or unfair by one of them (Schuirmann 1987)
_MIN_ROWS = 30


@dataclass(frozen=True, kw_only=True)
class GroupGap:
    """One group against the group that is selected most.

    Attributes:
        impact: Ratio of selection rates with its interval.
        opportunity: True positive rate of the reference minus the group's, with its interval; NaN without enough
            positives on either side.
    """

    group: str
    reference: str
    n: int
    positives: int
    impact: tuple[float, float, float]
    opportunity: tuple[float, float, float]


def group_gaps(predictions: Predictions, labels: np.ndarray, *, min_positives: float) -> list[GroupGap]:
    """Every group of at least 30 rows against the reference; intervals hold for all groups together (Bonferroni).

    Each bound has an error of 5% over all groups: two of them make an interval of 90% for two groups.

    Sources: 29 CFR 1607.4(D), the four-fifths rule; Hardt, Price and Srebro 2016 (equal opportunity); Newcombe 1998.
    """
    import numpy as np

    selected = predicted_classes(predictions).astype(str) == str(predictions.positive)
    positive = predictions.y_true.astype(str) == str(predictions.positive)
    names, sizes = np.unique(labels.astype(str), return_counts=True)
    groups = {str(name): labels.astype(str) == name for name, n in zip(names, sizes, strict=True) if n >= _MIN_ROWS}
    if len(groups) <= 1:
        return []
    reference = max(groups, key=lambda name: float(selected[groups[name]].mean()))
    confidence = 1 - 2 * _FAMILY_ALPHA / (len(groups) - 1)
    base = groups[reference]
    gaps: list[GroupGap] = []
    for name, rows in groups.items():
        if name == reference:
            continue
        chosen, n = int(selected[rows].sum()), int(rows.sum())
        chosen_base, n_base = int(selected[base].sum()), int(base.sum())
        ratio = (chosen / n) / (chosen_base / n_base) if chosen_base else 1.0
        low, high = ratio_interval(chosen, n, chosen_base, n_base, confidence)
        gaps.append(
            GroupGap(
                group=name,
                reference=reference,
                n=n,
                positives=int(positive[rows].sum()),
                impact=(ratio, low, high),
                opportunity=_opportunity(selected, positive & base, positive & rows, confidence, min_positives),
            )
        )
    return sorted(gaps, key=lambda gap: gap.impact[0])


def _opportunity(
    selected: np.ndarray, base: np.ndarray, group: np.ndarray, confidence: float, min_positives: float
) -> tuple[float, float, float]:
    n_base, n = int(base.sum()), int(group.sum())
    if min(n_base, n) < min_positives:
        return math.nan, -1.0, 1.0
    hit_base, hit = int(selected[base].sum()), int(selected[group].sum())
    low, high = newcombe(hit_base, n_base, hit, n, confidence)
    return hit_base / n_base - hit / n, low, high
