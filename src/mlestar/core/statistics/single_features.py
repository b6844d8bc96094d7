"""How much one feature alone tells about the target, against all the others together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.modelling import Matrix, Target, boosted, discrimination, out_of_fold, shallow_tree

if TYPE_CHECKING:
    import numpy as np

_COMPARED = 6  # a weaker feature cannot beat the rest, which holds a stronger one
_DRAWS = 100
_CERTAIN = 0.95
_SETTLED = 0.25  # [ours] honest strong features leave 0.45 or more on the development sets, leaks below 0.05
_SETTLED_ERRORS = 2.0  # standard errors
_TWIN_AGREEMENT = 0.85  # [ours] kappa of a recoded copy with 7% of a balanced binary target flipped
_TWIN_RANK = 0.99  # [ours] rank correlation of a rescaled copy of a numeric target
_TWIN_LINE, _TWIN_BULK, _TAIL = 0.98, 0.90, 0.01  # [ours] correlation with all rows, and without the farthest of them


@dataclass(frozen=True, kw_only=True)
class SingleFeature:
    """One feature's strength: `alone` and `others` are AUC or concordance (0.5 to 1), `others` None if not needed.

    `lead_is_certain`: it beats the others in 95% of the bootstrap samples.
    `settles`: it leaves at most a quarter of the squared error that all the others leave, by two standard errors. Where
    the others are nearly perfect too, no lead in AUC is possible, and this tells a leak from an honest feature.
    `lead_on_next`: its strength minus that of the next strongest single feature.
    `is_twin`: its values are the target's under other names (agreement by kappa, or by rank for a quantity).
    """

    name: str
    alone: float
    others: float | None
    lead_is_certain: bool
    settles: bool
    lead_on_next: float
    is_twin: bool


def single_features(matrix: Matrix, target: Target, *, threshold: float, seed: int) -> list[SingleFeature]:
    """Each feature's strength alone; for the strongest above `threshold` also that of all the others.

    A depth-4 tree on [value, is missing] against histogram gradient boosting on the rest, three folds each.
    Source: rubric T2.1 after the predictive power score of deepchecks; bands are this project's own.
    """
    import numpy as np

    predicted = [_predict_alone(column, target, seed) for column in matrix.values.T]
    alone = [discrimination(target, answer) for answer in predicted]
    order = [int(j) for j in np.argsort(alone)[::-1] if alone[j] >= threshold]
    others = {j: _predict_from_others(matrix, j, target, seed) for j in order[:_COMPARED]}
    rest = {j: discrimination(target, answer) for j, answer in others.items()}
    return [
        SingleFeature(
            name=name,
            alone=alone[j],
            others=rest.get(j),
            lead_is_certain=j in rest and rest[j] < alone[j] and _leads(target, predicted[j], others[j], seed),
            settles=j in others and _settles(target, predicted[j], others[j]),
            lead_on_next=alone[j] - max((alone[k] for k in range(len(alone)) if k != j), default=alone[j]),
            is_twin=_is_twin(matrix.values[:, j], target),
        )
        for j, name in enumerate(matrix.names)
    ]


def strength_of_all(matrix: Matrix, target: Target, *, seed: int) -> float:
    """AUC or concordance of histogram gradient boosting on all features, three folds."""
    model = partial(boosted, target, matrix.categorical, seed)
    return discrimination(target, out_of_fold(model, matrix.values, target, seed))


def _predict_alone(column: np.ndarray, target: Target, seed: int) -> np.ndarray:
    import numpy as np

    missing = np.isnan(column)
    values = np.column_stack([np.where(missing, 0.0, column), missing])
    return out_of_fold(partial(shallow_tree, target, seed), values, target, seed)


def _predict_from_others(matrix: Matrix, left_out: int, target: Target, seed: int) -> np.ndarray:
    import numpy as np

    rest = matrix.without(left_out)
    if not rest.names:
        n = len(target.truth)
        return np.zeros(n) if target.task == "regression" else np.zeros((n, len(target.classes)))
    return out_of_fold(partial(boosted, target, rest.categorical, seed), rest.values, target, seed)


def _leads(target: Target, mine: np.ndarray, theirs: np.ndarray, seed: int) -> bool:
    """Paired bootstrap of the lead over the rows (Efron and Tibshirani 1993, chapter 16)."""
    import numpy as np

    random = np.random.default_rng(seed)
    n = len(target.truth)
    wins = 0
    for _ in range(_DRAWS):
        rows = random.integers(0, n, n)
        sample = replace(target, truth=target.truth[rows])
        wins += discrimination(sample, mine[rows]) > discrimination(sample, theirs[rows])
    return wins >= _CERTAIN * _DRAWS


def _settles(target: Target, mine: np.ndarray, theirs: np.ndarray) -> bool:
    """Paired comparison of the squared errors (Brier 1950 for classes) of two sets of out-of-fold predictions."""
    import numpy as np

    errors = [_squared_error(target, predicted) for predicted in (mine, theirs)]
    if errors[0].mean() > _SETTLED * errors[1].mean():
        return False
    saved = errors[1] - errors[0]
    return bool(saved.mean() > _SETTLED_ERRORS * saved.std() / np.sqrt(len(saved)))


def _squared_error(target: Target, predicted: np.ndarray) -> np.ndarray:
    import numpy as np

    if target.task == "regression":
        return (target.truth - predicted) ** 2
    truth = np.eye(len(target.classes))[target.truth]
    return ((truth - predicted) ** 2).sum(axis=1)


def _is_rescaled(column: np.ndarray, truth: np.ndarray) -> bool:
    """Whether a column orders the rows as a quantity does, or lies on a straight line with it, its tail aside.

    Noise that is small beside a heavy tail hides the order of the many small values, not the line.
    """
    import numpy as np
    from scipy.stats import spearmanr

    if len(np.unique(column)) <= 1 or len(np.unique(truth)) <= 1:
        return False
    result: Any = spearmanr(column, truth)
    if abs(float(result.statistic)) >= _TWIN_RANK:
        return True
    if abs(float(np.corrcoef(column, truth)[0, 1])) < _TWIN_LINE:
        return False
    distance = np.abs(truth - np.median(truth))
    bulk = distance <= np.quantile(distance, 1 - _TAIL)
    if min(np.ptp(column[bulk]), np.ptp(truth[bulk])) == 0:
        return False
    return abs(float(np.corrcoef(column[bulk], truth[bulk])[0, 1])) >= _TWIN_BULK


def _is_twin(column: np.ndarray, target: Target) -> bool:
    import numpy as np

    known = ~np.isnan(column)
    if known.mean() < 1 / 2:
        return False
    if target.task == "regression":
        return _is_rescaled(column[known], target.truth[known])
    n_classes = len(target.classes)
    values, codes = np.unique(column[known], return_inverse=True)
    if not n_classes or len(values) > n_classes + 1 or len(values) < n_classes:
        return False
    table = np.zeros((len(values), n_classes))
    np.add.at(table, (codes, target.truth[known]), 1)
    share = table / table.sum()
    observed = share.max(axis=1).sum()
    named = np.zeros(n_classes)
    np.add.at(named, table.argmax(axis=1), share.sum(axis=1))
    expected = float((named * share.sum(axis=0)).sum())
    return bool(expected < 1 and (observed - expected) / (1 - expected) >= _TWIN_AGREEMENT)
