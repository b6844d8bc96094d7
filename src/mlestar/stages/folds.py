"""Cross-validation on training rows, features fitted anew in every fold and shared by all members of a view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlestar.stages.features import View, build_transformer
from mlestar.stages.fits import Fit, answers_of
from mlestar.stages.metrics import Scored, score_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlestar.stages.algorithms import Algorithm
    from mlestar.stages.budget import Budget

FOLDS, FOLDS_LARGE = 5, 3
LARGE_ROWS = 5_000
"""From so many rows on, three folds tell members apart as well as five do, in 60% of the time."""
KEEP_ROWS = 50_000
"""Up to so many rows the fitted features of every fold are kept for the next candidate."""


@dataclass(frozen=True, kw_only=True)
class Folds:
    """Training rows with their folds.

    Attributes:
        rows: (n_rows, n_features) raw features in their forms.
        truth: (n_rows,) class indices or values.
        parts: (train indices, held-out indices) of each fold.
        n_classes: 0 for regression.
        without: Preprocessing steps that are left out (see `features.build_transformer`).
    """

    rows: pd.DataFrame
    truth: np.ndarray
    parts: tuple[tuple[np.ndarray, np.ndarray], ...]
    kinds: dict[str, str]
    task: str
    n_classes: int
    seed: int
    without: frozenset[str] = frozenset()
    _views: dict[tuple[int, str], tuple[Any, Any]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def count(self) -> int:
        """Number of folds."""
        return len(self.parts)

    @property
    def predicted(self) -> np.ndarray:
        """The rows that some fold held out, in the order of `in_order`."""
        import numpy as np

        return np.sort(np.concatenate([held for _, held in self.parts]))

    @property
    def fold_of(self) -> np.ndarray:
        """(n_predicted,) the fold that held out each row of `predicted`."""
        import numpy as np

        numbers = np.repeat(np.arange(self.count), [len(held) for _, held in self.parts])
        return numbers[np.argsort(np.concatenate([held for _, held in self.parts]), kind="stable")]

    def fresh(self) -> Folds:
        """The same without what was fitted so far."""
        return replace(self, _views={})

    def only_last(self) -> Folds:
        """The last fold alone."""
        return replace(self, parts=self.parts[-1:], _views={})

    def screen(self, n: int) -> Folds:
        """One fold over `n` of the rows: two thirds learnt from, one third held out."""
        import numpy as np

        random = np.random.default_rng(self.seed)
        train, held = self.parts[-1]
        few = random.permutation(train)[: 2 * n // 3], np.sort(random.permutation(held)[: n // 3])
        return replace(self, parts=(few,), _views={})

    def fit_of(self, fold: int, algorithm: Algorithm, params: Mapping[str, Any]) -> Fit:
        """What is to be fitted and answered in one fold."""
        train, _ = self.parts[fold]
        learn_from, answer_for = self._view(fold, algorithm.view)
        return Fit(
            estimator=algorithm.build(self.task, params, self.seed), learn_from=learn_from, truth=self.truth[train],
            answer_for=answer_for, n_classes=self.n_classes,
        )  # fmt: skip

    def answers(self, algorithm: Algorithm, params: Mapping[str, Any], budget: Budget) -> list[np.ndarray]:
        """Held-out answers of every fold."""
        found: list[np.ndarray] = []
        for answer, elsewhere_s in answers_of(self.fit_of(fold, algorithm, params) for fold in range(self.count)):
            budget.charge(elsewhere_s)
            found.append(answer)
        return found

    def fit_all(self, algorithm: Algorithm, params: Mapping[str, Any]) -> Any:
        """One pipeline from raw columns to an answer, fitted on every training row."""
        from sklearn.pipeline import Pipeline

        features = build_transformer(self.kinds, algorithm.view, n_rows=len(self.rows), seed=self.seed)
        model = Pipeline([("features", features), ("model", algorithm.build(self.task, params, self.seed))])
        return model.fit(self.rows, self.truth)

    def in_order(self, answers: list[np.ndarray]) -> np.ndarray:
        """Answers of all folds in the order of `predicted`."""
        import numpy as np

        places = np.concatenate([held for _, held in self.parts])
        return np.concatenate(answers)[np.argsort(places, kind="stable")]

    def scored(self, answers: np.ndarray) -> Scored:
        """Out-of-fold answers beside their truth."""
        return as_scored(answers, self.truth[self.predicted])

    def dummy(self) -> np.ndarray:
        """What a model that sees no feature answers: class shares, or the mean."""
        import numpy as np

        if not self.n_classes:
            return np.full(len(self.predicted), self.truth.mean())
        shares = np.bincount(self.truth, minlength=self.n_classes) / len(self.truth)
        return np.tile(shares, (len(self.predicted), 1))

    def _view(self, fold: int, view: View) -> tuple[Any, Any]:
        if (fold, view) not in self._views:
            if len(self.rows) > KEEP_ROWS:
                for stale in [key for key in self._views if key[0] != fold]:
                    del self._views[stale]  # folds are walked in order: only the current one is worth its memory
            train, held = self.parts[fold]
            features = build_transformer(self.kinds, view, n_rows=len(train), seed=self.seed, without=self.without)
            learn_from = features.fit_transform(self.rows.iloc[train], self.truth[train])
            self._views[fold, view] = learn_from, features.transform(self.rows.iloc[held])
        return self._views[fold, view]


def as_scored(answers: np.ndarray, truth: np.ndarray) -> Scored:
    """Answers of either task beside their truth."""
    return score_of(answers, truth) if answers.ndim == 2 else Scored(truth=truth, predicted=answers)  # noqa: PLR2004 - probabilities


def make_folds(
    rows: pd.DataFrame, truth: np.ndarray, *, kinds: dict[str, str], task: str, n_classes: int, seed: int,
    groups: np.ndarray | None = None, forward_in_time: bool = False, count: int = 0,
) -> Folds:  # fmt: skip
    """Folds that respect how the rows were split: groups stay whole, later rows are never learnt from."""
    import numpy as np
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

    count = count or (FOLDS_LARGE if len(rows) > LARGE_ROWS else FOLDS)
    if forward_in_time:
        parts = TimeSeriesSplit(n_splits=count).split(rows)
    elif groups is not None:
        parts = GroupKFold(n_splits=min(count, len(np.unique(groups)))).split(rows, truth, groups)
    elif n_classes:
        count = max(2, min(count, int(np.bincount(truth).min())))
        parts = StratifiedKFold(n_splits=count, shuffle=True, random_state=seed).split(rows, truth)
    else:
        parts = KFold(n_splits=count, shuffle=True, random_state=seed).split(rows)
    return Folds(rows=rows, truth=truth, parts=tuple(parts), kinds=kinds, task=task, n_classes=n_classes, seed=seed)
