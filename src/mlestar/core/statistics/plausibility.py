"""Whether a file of predictions can be what a model answered on the test rows, from what else is at hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.baselines import gain_over_dummy
from mlestar.core.statistics.columns import blank_to_missing, features, labels, numbers
from mlestar.core.statistics.intervals import wilson
from mlestar.core.statistics.metrics import predicted_classes
from mlestar.core.statistics.modelling import boosted, class_numbers, discrimination, encode, fitted, sampled, target_of
from mlestar.core.statistics.prose import prose_columns
from mlestar.core.statistics.ranking import auc_standard_error

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlestar.core.facts.data import DataFacts, Predictions, Table

_NO_ERROR_ROWS = 300
"""Rows from which an answer without any error is held against a model of our own. With no error in n rows the rate is
below 3 / n at 95% (Hanley and Lippman-Hand 1983): below 1% from here on, which is this project's own bound."""
_RULE_OF_THREE = 3.0
_ALPHA = 0.01
_GAIN = 0.05  # the practical gain of T3.1
_FEWER_ERRORS = 20.0
"""How many times fewer errors than gradient boosting a model of the same rows and columns may make. On tables boosted
trees are hardly beaten (Grinsztajn et al. 2022); the most seen here is 7, of a kernel machine on the pixels of digits.
This project's own bound."""
_FAR_BETTER = 4.0  # times the practical gain: an AUC of 0.70, the model that T3.1 calls plausible
_ENOUGH_ROWS = 200  # [ours] the standard error of an AUC without signal is then 0.04
_Z = 2.33  # one-sided, at _ALPHA
_MIN_ROWS = 20


def doubt(data: DataFacts) -> str:
    """Why the predictions cannot be taken for a model's answers on the test rows; empty when nothing speaks against it.

    Contradictions are looked for: the truth written beside the answers is not the test file's (other rows, or other
    values); not one answer in 300 rows or more is wrong, while gradient boosting on the same tables errs, or twenty
    times fewer are wrong than it gets wrong having seen every training row; the answers are far better than a guess
    (AUC 0.70 or its like) although gradient boosting tells the test rows apart no better than chance or an AUC of 0.55.
    All but the first take training and test tables without free text, which the quick model cannot read.
    """
    return data.derived("doubt", _doubt)


def _doubt(data: DataFacts) -> str:
    predictions = data.predictions
    if predictions is None:
        return ""
    if data.test is not None and (other := _other_rows(predictions, data.test, data.target)):
        return other
    ours = _quick_answers(data)
    if ours is None:
        return ""
    if predictions.n_read >= _NO_ERROR_ROWS and _errors(predictions) == 0:
        return _too_good(predictions, ours)
    return _far_fewer_errors(predictions, ours) or _beyond_the_columns(predictions, ours, data.seed)


def _other_rows(predictions: Predictions, test: Table, target: str) -> str:
    """How the truth beside the answers differs from the test table's, whatever the order of the rows."""
    if target not in test.frame.columns or test.n_rows > test.n_read:
        return ""
    column = blank_to_missing(test.frame[target]).dropna()
    if len(column) != predictions.n_read:
        return f"{predictions.path} has {predictions.n_read} rows, {test.path} has {len(column)} with a {target}"
    if not _same_values(predictions, column):
        return f"the truth in {predictions.path} is not the {target} of {test.path}"
    return ""


def _same_values(predictions: Predictions, column: pd.Series[Any]) -> bool:
    """Classes may be written otherwise, but must be as frequent; quantities must be equal but for rounding."""
    import numpy as np

    if predictions.task == "regression":
        return bool(np.allclose(np.sort(numbers(column)), np.sort(predictions.y_true), rtol=1e-3, atol=1e-6))
    here, there = Counter(map(str, predictions.y_true)), Counter(map(str, labels(column)))
    return here == there if here.keys() == there.keys() else sorted(here.values()) == sorted(there.values())


def _errors(predictions: Predictions) -> int:
    import numpy as np

    if predictions.task == "regression":
        return int((~np.isclose(predictions.y_true, np.asarray(predictions.y_pred, dtype=float))).sum())
    return int((predicted_classes(predictions).astype(str) != predictions.y_true.astype(str)).sum())


def _too_good(predictions: Predictions, ours: _Quick) -> str:
    said = f"not one of {predictions.n_read} answers in {predictions.path} is wrong"
    wrong = int((~ours.right).sum())
    if wilson(wrong, len(ours.right))[0] > _RULE_OF_THREE / predictions.n_read:
        return f"{said}, but gradient boosting on the same tables errs on {wrong} of {len(ours.right)}"
    return ""


def _far_fewer_errors(predictions: Predictions, ours: _Quick) -> str:
    if predictions.task == "regression" or not ours.saw_all or predictions.n_read < _NO_ERROR_ROWS:
        return ""
    theirs, wrong = _errors(predictions), int((~ours.right).sum())
    if wilson(wrong, len(ours.right))[0] <= _FEWER_ERRORS * theirs / predictions.n_read:
        return ""
    return (
        f"{theirs} of {predictions.n_read} answers in {predictions.path} are wrong, but gradient boosting on the same "
        f"tables errs on {wrong} of {len(ours.right)}: no model of these columns is that much better"
    )


def _beyond_the_columns(predictions: Predictions, ours: _Quick, seed: int) -> str:
    if len(ours.right) < _ENOUGH_ROWS or not ours.is_blind:
        return ""
    found = gain_over_dummy(predictions, gain=_GAIN, alpha=_ALPHA, seed=seed)
    if found.p_value > _ALPHA or found.value < _FAR_BETTER * found.needed:
        return ""
    return (
        f"the answers of {predictions.path} are far better than a guess ({found.measure} {found.value:.3f}), but "
        f"gradient boosting on the same tables has an AUC of {ours.auc:.3f} on {len(ours.right)} test rows"
    )


@dataclass(frozen=True, kw_only=True)
class _Quick:
    """A quick model on the test rows.

    Attributes:
        right: (n_rows,) whether its answer is right.
        auc: How well it tells the rows apart.
        saw_all: It was trained on every training row there is, not on a part.
    """

    right: np.ndarray
    auc: float
    saw_all: bool

    @property
    def is_blind(self) -> bool:
        """Whether the AUC is below T3.1's practical gain, or within what chance gives (Hanley and McNeil 1982)."""
        half = max(1, len(self.right) // 2)
        return self.auc < 0.5 + max(_GAIN, _Z * auc_standard_error(0.5, half, half))


def _quick_answers(data: DataFacts) -> _Quick | None:
    """Gradient boosting on at most 3,000 training rows, asked about at most 3,000 test rows; None without both."""
    import numpy as np

    if data.predictions is None or data.train is None or data.test is None:
        return None
    train, test = data.train.frame, data.test.frame
    if data.target not in train.columns or data.target not in test.columns:
        return None
    known = train.iloc[sampled(len(train), data.seed)].reset_index(drop=True)
    asked = test.iloc[sampled(len(test), data.seed)].reset_index(drop=True)
    names = [name for name in features(known, without=[data.target]) if name in test.columns]
    target = target_of(known[data.target], data.predictions.task)
    is_regression = target.task == "regression"
    if prose_columns(known[names]) or not names or len(target.rows) < _MIN_ROWS:
        return None
    if not is_regression and len(target.classes) <= 1:
        return None
    if is_regression:
        truth = (numbers(asked[data.target]) - target.centre) / target.scale
        rows = np.flatnonzero(~np.isnan(truth))
    else:
        truth = class_numbers(asked[data.target], target.classes)
        rows = np.flatnonzero(truth >= 0)
    if len(rows) < _MIN_ROWS or len(np.unique(truth[rows])) <= 1:
        return None
    learnt, held_out = encode([known.iloc[target.rows], asked.iloc[rows]], names)
    model = fitted(boosted(target, learnt.categorical, data.seed), learnt.values, target.truth)
    answers = model.predict(held_out.values) if is_regression else model.predict_proba(held_out.values)
    right = np.isclose(answers, truth[rows]) if is_regression else answers.argmax(axis=1) == truth[rows]
    auc = discrimination(replace(target, truth=truth[rows], rows=rows), answers)
    return _Quick(right=right, auc=auc, saw_all=len(known) == data.train.n_rows)
