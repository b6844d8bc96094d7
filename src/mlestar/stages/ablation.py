"""What each part of a pipeline is worth: variants on the same splits and seeds, each effect with a paired interval.

The idea of MLE-STAR (arXiv 2506.15692), made statistically honest: one split names the wrong sign for small effects
about as often as the right one, so five paired splits are compared, with the variance correction of Nadeau and Bengio
(2003) for training rows that the splits share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlestar.stages import metrics, table
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.budget import Budget
from mlestar.stages.folds import Folds, as_scored

if TYPE_CHECKING:
    import numpy as np

Report = Callable[[float, float | None, str], None]

MOST_FEATURES = 8
"""Up to so many features each one is dropped alone; above, only blocks of one kind are."""
CONFIDENCE = 0.95
LEAST_COST_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The pipeline with one thing changed."""

    name: str
    folds: Folds
    algorithm: str
    params: Mapping[str, Any]


def ablate(
    folds: Folds, algorithm: str, params: Mapping[str, Any], metric: str, report: Report
) -> list[dict[str, Any]]:
    """Each variant's effect, the most per second of work first.

    Returns:
        variant, effect (how much the metric's gain falls without the part, or with the other model), low, high,
        within_noise, cost_s (seconds of its own folds), splits, metric.
    """
    base = Variant(name="base", folds=folds, algorithm=algorithm, params=params)
    variants = _variants(base)
    reached, _ = _gains(base, metric)
    found: list[dict[str, Any]] = []
    for place, variant in enumerate(variants):
        report(place, len(variants), f"ablation: {variant.name}")
        gains, cost = _gains(variant, metric)
        effect, low, high = paired_interval(reached - gains, folds)
        found.append({
            "variant": variant.name, "effect": effect, "low": low, "high": high, "within_noise": low <= 0 <= high,
            "cost_s": round(cost, 3), "splits": folds.count, "metric": metric,
        })  # fmt: skip
    return sorted(found, key=lambda one: (one["within_noise"], -abs(one["effect"]) / max(one["cost_s"], LEAST_COST_S)))


def paired_interval(differences: np.ndarray, folds: Folds) -> tuple[float, float, float]:
    """Mean difference over splits with its corrected 95% t-interval."""
    from scipy.stats import t

    count = len(differences)
    train, held = folds.parts[0]
    mean = float(differences.mean())
    spread = float(differences.std(ddof=1)) * math.sqrt(1 / count + len(held) / len(train))
    half = float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * spread
    return mean, mean - half, mean + half


def _variants(base: Variant) -> list[Variant]:
    kinds = base.folds.kinds
    blocks = {kind: [name for name, own in kinds.items() if own == kind] for kind in dict.fromkeys(kinds.values())}
    found: list[Variant] = []
    if len(blocks) > 1:
        found += [_without_columns(base, f"without {kind} features", names) for kind, names in blocks.items()]
    if 1 < len(kinds) <= MOST_FEATURES:
        found += [_without_columns(base, f"without {name!r}", [name]) for name in kinds]
    if ALGORITHMS[base.algorithm].view == "sparse":
        steps = {table.NUMERIC: "scaling", table.TEXT: "characters"}
        found += [
            replace(base, name=f"without {step}", folds=replace(base.folds, without=frozenset({step})).fresh())
            for kind, step in steps.items()
            if kind in blocks
        ]
    found += [
        replace(base, name=f"with {other} instead", algorithm=other, params={})
        for other in ("linear", "hist_gradient_boosting", "extra_trees", "lightgbm")
        if other != base.algorithm
    ]
    return found


def _without_columns(base: Variant, name: str, dropped: list[str]) -> Variant:
    kinds = {column: kind for column, kind in base.folds.kinds.items() if column not in dropped}
    return replace(base, name=name, folds=replace(base.folds, kinds=kinds).fresh())


def _gains(variant: Variant, metric: str) -> tuple[np.ndarray, float]:
    """(n_splits,) gains of the metric, and the seconds they took."""
    import numpy as np

    spent, folds = Budget(math.inf), variant.folds
    gains = [
        metrics.gain(metric, metrics.value_of(metric, as_scored(answer, folds.truth[held])))
        for answer, (_, held) in zip(
            folds.answers(ALGORITHMS[variant.algorithm], variant.params, spent), folds.parts, strict=True
        )
    ]
    return np.array(gains), spent.used
