"""Quick models of the checks' own: what the data can tell, on at most 3,000 seeded rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import blank_to_missing, kind_of, labels, numbers, per_value, task_of, times
from mlestar.core.statistics.ranking import concordance, macro_auc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

    from mlestar.core.facts.data import Task

ROW_CAP = 3000  # rubric section 3: all data checks then take seconds on one thread
MIN_CLASS_ROWS = 6  # a class needs two rows in each of three folds
_DEPTH = 4
_SHRINKAGE = 0.1  # [ours] without any, the leaves of a rare class may grow out of bounds (AUC 0.55 for 0.998 seen)
_ROUNDS, _FEWEST_ROUNDS, _TREES = 60, 15, 200
_LARGEST = 1e37  # trees hold features in single precision
_MAX_CATEGORIES = 200  # histogram boosting takes at most 255 bins


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Features as numbers.

    Attributes:
        values: (n_rows, n_features) float64; categories as codes by falling frequency, missing as NaN.
        categorical: (n_features,) bool, which columns hold codes.
        names: Column names, in order.
    """

    values: np.ndarray
    categorical: np.ndarray
    names: tuple[str, ...]

    def without(self, *columns: int) -> Matrix:
        """The same rows without some columns, by position."""
        import numpy as np

        keep = [j for j in range(len(self.names)) if j not in columns]
        return Matrix(
            values=self.values[:, keep],
            categorical=np.asarray(self.categorical)[keep],
            names=tuple(self.names[j] for j in keep),
        )


def encode(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> list[Matrix]:
    """Turn the columns of one or more frames into numbers alike; the first frame fixes the categories."""
    import numpy as np

    parts: list[list[np.ndarray]] = [[] for _ in frames]
    categorical: list[bool] = []
    for name in columns:
        encoded, is_category = _encode_column([frame[name] for frame in frames])
        categorical.append(is_category)
        for rows, part in zip(parts, encoded, strict=True):
            rows.append(part)
    return [
        Matrix(
            values=np.column_stack(rows) if rows else np.zeros((len(frame), 0)),
            categorical=np.array(categorical, dtype=bool),
            names=tuple(columns),
        )
        for frame, rows in zip(frames, parts, strict=True)
    ]


def _encode_column(columns: list[pd.Series[Any]]) -> tuple[list[np.ndarray], bool]:
    import numpy as np

    kind = kind_of(columns[0])
    if kind in {"number", "flag", "empty"}:
        return [np.clip(numbers(column), -_LARGEST, _LARGEST) for column in columns], False
    if kind == "time":
        return [times(column) for column in columns], False
    texts = [_texts(column) for column in columns]
    names, counts = np.unique(texts[0][texts[0] != ""].astype(str), return_counts=True)
    frequent = names[np.lexsort((names, -counts))][:_MAX_CATEGORIES]
    codes = {str(value): float(code) for code, value in enumerate(frequent)} | {"": np.nan}
    other = float(len(frequent))
    return [per_value(_series(text), partial(_codes, codes, other), np.nan) for text in texts], True


def _codes(codes: dict[str, float], other: float, values: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.array([codes.get(str(value), other) for value in values], dtype=float)


def _texts(column: pd.Series[Any]) -> np.ndarray:
    """(n,) values as `labels` writes them, missing ones as empty text."""
    import numpy as np

    return np.where(blank_to_missing(column).isna().to_numpy(), "", labels(column))


def _series(values: np.ndarray) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(values, dtype=object)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target ready to be learnt.

    Attributes:
        truth: (n_kept,) class numbers as int, or the quantity with mean 0 and standard deviation 1.
        classes: Labels in the order of the class numbers; empty for a regression.
        rows: (n_kept,) positions of the rows that have a usable target.
        centre: Mean that was subtracted from a quantity; `scale` is what it was divided by.
    """

    task: Task
    truth: np.ndarray
    classes: tuple[str, ...]
    rows: np.ndarray
    centre: float = 0.0
    scale: float = 1.0


def target_of(column: pd.Series[Any], task: Task | None = None) -> Target:
    """Read a target: rows without one are left out, and so are classes too rare to be seen in every fold."""
    import numpy as np

    task = task or task_of(column)
    if task == "regression":
        values = numbers(column)
        kept = np.flatnonzero(~np.isnan(values))
        known = values[kept]
        centre = float(known.mean()) if len(known) else 0.0
        scale = (float(known.std()) if len(known) else 0.0) or 1.0
        return Target(task=task, truth=(known - centre) / scale, classes=(), rows=kept, centre=centre, scale=scale)
    texts = _texts(column)
    names, counts = np.unique(texts[texts != ""].astype(str), return_counts=True)
    classes = [str(name) for name, count in zip(names, counts, strict=True) if count >= MIN_CLASS_ROWS]
    numbered = class_numbers(column, classes)
    kept = np.flatnonzero(numbered >= 0)
    return Target(task=task, truth=numbered[kept], classes=tuple(classes), rows=kept)


def class_numbers(column: pd.Series[Any], classes: Sequence[str]) -> np.ndarray:
    """(n,) position of each row's class in `classes`, -1 for another or none."""
    code = {name: float(number) for number, name in enumerate(classes)}
    return per_value(_series(_texts(column)), partial(_codes, code, -1.0), -1.0).astype(int)


def sampled(n_rows: int, seed: int, cap: int = ROW_CAP) -> np.ndarray:
    """Positions of at most `cap` rows, drawn with the seed, in ascending order."""
    import numpy as np

    if n_rows <= cap:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, cap, replace=False))


def boosted(target: Target, categorical: np.ndarray, seed: int) -> Any:
    """A small histogram gradient boosting: strong enough to bound what the features can tell.

    Each round grows one tree a class, so many classes get fewer rounds.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind: Any = HistGradientBoostingRegressor if target.task == "regression" else HistGradientBoostingClassifier
    return kind(
        max_iter=max(_FEWEST_ROUNDS, min(_ROUNDS, _TREES // max(1, len(target.classes)))),
        learning_rate=0.15,
        max_leaf_nodes=15,
        min_samples_leaf=5,
        l2_regularization=_SHRINKAGE,
        early_stopping=False,
        categorical_features=categorical if categorical.any() else None,
        random_state=seed,
    )


def shallow_tree(target: Target, seed: int) -> Any:
    """A tree of depth 4, the rubric's single-feature model (T2.1).

    Classes in a row are cut off one by one, so many of them need a deeper tree, of two leaves a class at most.
    """
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind: Any = DecisionTreeRegressor if target.task == "regression" else DecisionTreeClassifier
    depth = max(_DEPTH, len(target.classes))
    leaves = max(2**_DEPTH, 2 * len(target.classes))
    return kind(max_depth=depth, max_leaf_nodes=leaves, min_samples_leaf=3, random_state=seed)


def fitted(model: Any, values: np.ndarray, truth: np.ndarray) -> Any:
    """Fit, with columns that have no value in these rows set to 0: boosting cannot bin them."""
    import numpy as np

    empty = np.isnan(values).all(axis=0)
    return model.fit(np.where(empty, 0.0, values) if empty.any() else values, truth)


def out_of_fold(make: Any, values: np.ndarray, target: Target, seed: int, folds: int = 3) -> np.ndarray:
    """Predictions of each row by a model that did not see it.

    Args:
        make: Called without arguments for each fold: an unfitted estimator.
        values: (n_rows, n_features), the rows of `target`.
        target: What to learn.
        seed: Of the division into folds.
        folds: How many.

    Returns:
        (n_rows, n_classes) probabilities, or (n_rows,) values for a regression.
    """
    import numpy as np
    from sklearn.model_selection import KFold, StratifiedKFold

    is_regression = target.task == "regression"
    splitter: Any = (KFold if is_regression else StratifiedKFold)(folds, shuffle=True, random_state=seed)
    n = len(target.truth)
    result = np.zeros(n) if is_regression else np.zeros((n, len(target.classes)))
    for train, test in splitter.split(values, target.truth):
        model = fitted(make(), values[train], target.truth[train])
        result[test] = model.predict(values[test]) if is_regression else model.predict_proba(values[test])
    return result


def discrimination(target: Target, predicted: np.ndarray) -> float:
    """Macro one-against-rest AUC of class probabilities, concordance of a regression: 0.5 is no information."""
    if target.task == "regression":
        return concordance(target.truth, predicted)
    return macro_auc(target.truth, predicted)
