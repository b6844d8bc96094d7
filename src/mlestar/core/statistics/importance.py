"""Permutation importance of features, of a quick model of our own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import features, numbers
from mlestar.core.statistics.modelling import (
    MIN_CLASS_ROWS,
    Matrix,
    Target,
    boosted,
    class_numbers,
    discrimination,
    encode,
    fitted,
    sampled,
    target_of,
)
from mlestar.core.statistics.prose import prose_columns

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.data import DataFacts

_REPEATS = 5
_TEST_ROWS = 1000
_FEWEST_TEST_ROWS = 200
_ANSWERS = 150_000  # permuted rows answered for one seed: about a second on one thread
_MIN_ROWS = 20
_FEW_CLASSES = 3  # more classes cost as many times more trees; their rows average enough
_STANDS_OUT = 2.0  # standard errors
_HALF = 0.5
_NOTABLE = 0.05  # [ours] of the largest importance
_ALIKE = 0.7  # [ours] rank correlation from which two features tell the same


@dataclass(frozen=True, kw_only=True)
class Importances:
    """Loss (log loss or squared error) that permuting adds on held-out rows.

    Attributes:
        names: (n_features,) feature names.
        single: (n_features,) permuting one feature at a time.
        group: (n_features,) number of the group of features that tell the same (rank correlation above 0.7).
        grouped: (2, n_groups) permuting a group at a time, for two seeds of model and permutation; what is within two
            standard errors of nothing in both is 0 in both.
        p_values: (n_features,) of no association of the feature alone with the target.
        n_learnt: Training rows they come from.
        skill: AUC or concordance of the model on the held-out rows.
        without_top: The same of a model that never saw the most important feature; None where that has at most half of
            the importance, or is the only one.
        unread: Columns of free text, which the quick model cannot read.
    """

    names: tuple[str, ...]
    single: np.ndarray
    group: np.ndarray
    grouped: np.ndarray
    p_values: np.ndarray
    n_learnt: int
    skill: float
    without_top: float | None = None
    unread: tuple[str, ...] = ()

    @property
    def stability(self) -> float | None:
        """Spearman correlation of the two seeds' grouped importances; None when none of them stands out.

        Those below a twentieth of the largest count as none: among many features that hardly matter, the order is
        chance.
        """
        import numpy as np
        from scipy.stats import spearmanr

        if not self.grouped.any():
            return None
        if self.grouped.shape[1] == 1:
            return 1.0
        notable = (self.grouped >= _NOTABLE * self.grouped.max(axis=1, keepdims=True)).any(axis=0)
        result: Any = spearmanr(*np.where(notable, self.grouped, 0.0))
        return float(result.statistic)

    @property
    def top(self) -> tuple[str, float]:
        """The most important feature and its share of all importance that stands out, the mean of both seeds.

        Features that tell the same are weighed together, or each would hide behind the others; one of a group has its
        share of what permuting them one at a time adds.
        """
        import numpy as np

        positive = np.clip(self.single, 0, None)
        weights = np.clip(self.grouped.mean(axis=0), 0, None)
        if not weights.any():
            return self.names[int(positive.argmax())], 0.0
        totals = np.bincount(self.group, weights=positive, minlength=len(weights))
        even = 1 / np.bincount(self.group, minlength=len(weights))[self.group]
        total = totals[self.group]
        within = np.where(total > 0, positive / np.where(total > 0, total, 1), even)
        shares = within * (weights / weights.sum())[self.group]
        best = int(shares.argmax())
        return self.names[best], float(shares[best])

    def idle(self, alpha: float) -> list[str]:
        """Features that neither stand out, alone or with those that tell the same, nor vary with the target."""
        import numpy as np

        stands_out = np.asarray(np.any(self.grouped, axis=0))[self.group]
        return [
            name
            for name, useful, p_value in zip(self.names, stands_out, self.p_values, strict=True)
            if not useful and p_value > alpha
        ]


def importances(data: DataFacts) -> Importances | None:
    """Permutation importances of a quick model on these tables: computed once, for all checks that ask."""
    return data.derived("importances", _importances)


def too_few_rows(data: DataFacts) -> str:
    """Why both tables with the target gave no importances; empty when one of them is not there."""
    if data.train is None or data.test is None:
        return ""
    if data.target not in data.train.frame.columns or data.target not in data.test.frame.columns:
        return ""
    return (
        f"{len(data.train.frame)} training and {len(data.test.frame)} test rows are too few to tell what the features "
        f"are worth; {_MIN_ROWS} in each, and {MIN_CLASS_ROWS} of each of two classes of {data.target}, would settle it"
    )


def _importances(data: DataFacts) -> Importances | None:
    """Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019) on the test table.

    Histogram gradient boosting on at most 3,000 training rows, five permutations, at most 1,000 test rows (fewer with
    many features). Free text is left out: the quick model cannot read it.
    None without both tables, the target in both, or enough usable rows.
    """
    import numpy as np

    if data.train is None or data.test is None:
        return None
    train, test = data.train.frame, data.test.frame
    if data.target not in train.columns or data.target not in test.columns:
        return None
    known = train.iloc[sampled(len(train), data.seed)].reset_index(drop=True)
    rows = int(np.clip(_ANSWERS // (train.shape[1] * _REPEATS), _FEWEST_TEST_ROWS, _TEST_ROWS))
    asked = test.iloc[sampled(len(test), data.seed, rows)].reset_index(drop=True)
    prose = prose_columns(train, without=[data.target])
    names = [name for name in features(train, without=[data.target, *prose]) if name in test.columns]
    target = target_of(known[data.target], data.task)
    usable, truth = _truth(target, asked[data.target])
    if len(target.rows) < _MIN_ROWS or len(usable) < _MIN_ROWS or not names:
        return None
    if target.task != "regression" and len(target.classes) <= 1:
        return None
    learnt, held_out = encode([known.iloc[target.rows], asked.iloc[usable]], names)
    group = alike(np.vstack([learnt.values, held_out.values]))
    answers = (target, truth)
    alone = np.arange(len(names))
    seeds = (data.seed, data.seed + 1)
    models = [_model(target, learnt, seed) for seed in seeds]
    means, errors = zip(
        *(_permuted(model, held_out, answers, group, seed) for model, seed in zip(models, seeds, strict=True)),
        strict=True,
    )
    apart = np.array_equal(group, alone)  # then the first seed has permuted just this already
    single = means[0] if apart else _permuted(models[0], held_out, answers, alone, data.seed)[0]
    grouped = np.array(means)
    stands_out = (grouped > _STANDS_OUT * np.array(errors)).any(axis=0)
    asked_of = replace(target, truth=truth, rows=usable)
    result = Importances(
        names=tuple(names),
        single=single,
        group=group,
        grouped=np.where(stands_out, grouped, 0.0),
        p_values=np.array([association(learnt, column, target) for column in range(len(names))]),
        n_learnt=len(target.rows),
        skill=_skill(models[0], held_out, asked_of),
        unread=tuple(prose),
    )
    name, share = result.top
    if share <= _HALF or len(names) == 1:
        return result
    left_out = names.index(name)
    rest = _model(target, learnt.without(left_out), data.seed)
    return replace(result, without_top=_skill(rest, held_out.without(left_out), asked_of))


def alike(values: np.ndarray) -> np.ndarray:
    """(n_features,) groups by average-linkage clustering of the rank correlations, cut at 0.7, numbered from 0.

    Permuting one of several features that tell the same shows none of them to matter (Strobl et al. 2008).
    """
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform
    from scipy.stats import rankdata

    n_features = values.shape[1]
    if n_features == 1:
        return np.zeros(1, dtype=int)
    ranks = rankdata(np.where(np.isnan(values), -np.inf, values), axis=0)
    centred = ranks - ranks.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    distance = np.clip(1 - np.abs(unit.T @ unit), 0, None)
    np.fill_diagonal(distance, 0)
    groups = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - _ALIKE, "distance")
    return np.unique(groups, return_inverse=True)[1]


def association(matrix: Matrix, column: int, target: Target) -> float:
    """p-value of independence of one feature and the target: chi-square, Kruskal-Wallis or Spearman by their kinds."""
    import numpy as np
    from scipy.stats import chi2_contingency, kruskal, spearmanr

    values, truth = matrix.values[:, column], target.truth
    known = ~np.isnan(values)
    values, truth = values[known], truth[known]
    if len(np.unique(values)) <= 1 or len(np.unique(truth)) <= 1:
        return 1.0
    if target.task == "regression":
        if matrix.categorical[column]:
            return _of(kruskal(*(truth[values == value] for value in np.unique(values))))
        return _of(spearmanr(values, truth))
    if matrix.categorical[column]:
        table = np.zeros((int(values.max()) + 1, len(target.classes)))
        np.add.at(table, (values.astype(int), truth), 1)
        return _of(chi2_contingency(table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]))
    return _of(kruskal(*(values[truth == code] for code in np.unique(truth))))


def _of(result: Any) -> float:
    return float(result.pvalue)


def _truth(target: Target, column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the test table with a target that the training table knows, and its number."""
    import numpy as np

    if target.task == "regression":
        values = numbers(column)
        rows = np.flatnonzero(~np.isnan(values))
        return rows, (values[rows] - target.centre) / target.scale
    numbered = class_numbers(column, target.classes)
    rows = np.flatnonzero(numbered >= 0)
    return rows, numbered[rows]


def _model(target: Target, learnt: Matrix, seed: int) -> Any:
    return fitted(boosted(target, learnt.categorical, seed).set_params(max_features=0.8), learnt.values, target.truth)


def _skill(model: Any, held_out: Matrix, target: Target) -> float:
    is_regression = target.task == "regression"
    return discrimination(target, (model.predict if is_regression else model.predict_proba)(held_out.values))


def _permuted(
    model: Any, held_out: Matrix, answers: tuple[Target, np.ndarray], group: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(n_groups,) mean added loss and its standard error over the rows."""
    import numpy as np

    target, truth = answers
    random = np.random.default_rng(seed)
    base = _loss(model, held_out.values, target, truth)
    repeats = _REPEATS if len(target.classes) <= _FEW_CLASSES else 1
    n = len(truth)
    mean: list[float] = []
    error: list[float] = []
    for number in range(int(group.max()) + 1):
        shuffled = np.tile(held_out.values, (repeats, 1))
        columns = np.flatnonzero(group == number)
        order = np.concatenate([random.permutation(n) for _ in range(repeats)])
        shuffled[:, columns] = held_out.values[order][:, columns]
        added = _loss(model, shuffled, target, np.tile(truth, repeats)).reshape(repeats, n).mean(axis=0) - base
        mean.append(float(added.mean()))
        error.append(float(added.std() / np.sqrt(n)))
    return np.array(mean), np.array(error)


def _loss(model: Any, values: np.ndarray, target: Target, truth: np.ndarray) -> np.ndarray:
    import numpy as np

    if target.task == "regression":
        return (model.predict(values) - truth) ** 2
    share = np.clip(model.predict_proba(values), 1e-6, 1)
    return -np.log(share[np.arange(len(truth)), truth])
