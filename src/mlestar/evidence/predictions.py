"""A table of held-out answers as predictions: columns are known by the names people give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from mlestar.core.facts.data import Predictions, Table
from mlestar.core.statistics.columns import MAX_CLASSES, binned, blank_to_missing, kind_of, labels, numbers, task_of
from mlestar.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlestar.core.facts.data import Task

TRUTH = ("y_true", "true", "truth", "actual", "actuals", "target", "label", "labels", "ground_truth", "observed", "y")
ANSWER = ("y_pred", "pred", "prediction", "predictions", "predicted", "y_hat", "yhat", "predicted_label", "forecast")
SCORE = ("y_score", "score", "y_prob", "y_proba", "prob", "proba", "probability", "p", "predicted_probability")
SPLIT = ("split", "subset", "partition", "dataset_split")
_TRAIN_WORDS = ("train", "training", "fit")
_CLASS_SCORE = re.compile(r"^(?:y_)?(?:score|prob|proba|probability|p)[_: ](.+)$")
_POSITIVE_WORDS = frozenset({"1", "1.0", "true", "yes", "y", "t", "positive", "pos"})


def read_predictions(
    table: Table, *, target: str = "", groups: Sequence[str] = (), task: Task | None = None
) -> Predictions:
    """Find truth, answers and scores in a table; every other column of few values becomes a slice.

    A `split` column that marks training rows keeps them apart (`on_train`): the held-out rows are what is judged.

    Args:
        table: As read by `read_table`.
        target: Name of the truth column, tried before the usual names.
        groups: Columns that must become groups; numbers of many values are cut at their quartiles.
        task: Known task; inferred from the truth otherwise.

    Raises:
        InvalidInput: No truth, neither answers nor scores, a missing truth, or answers that are not comparable.
        NotFound: A group column that does not exist.
    """
    frame = table.frame
    truth_name = _named(frame, (target, *TRUTH) if target else TRUTH)
    if not truth_name:
        _refuse(table, "no column of the observed target", TRUTH)
    truth = blank_to_missing(frame[truth_name])
    parts = _split(frame)
    if parts is not None:
        on_train, held_out = (
            read_predictions(replace(table, frame=part), target=target, groups=groups, task=task or task_of(truth))
            for part in parts
        )
        return replace(held_out, on_train=on_train)
    if truth.isna().any():
        first = int(truth.isna().to_numpy().argmax())
        _refuse(table, f"{int(truth.isna().sum())} rows without {truth_name} (the first is row {first})", ())
    task = task or task_of(truth)
    columns = _columns(frame, truth, task)
    if not columns.answer and not columns.score and not columns.per_class:
        _refuse(table, "neither predicted classes or values nor scores", (*ANSWER, *SCORE))
    answer = blank_to_missing(frame[columns.answer]) if columns.answer else None
    if answer is not None and answer.isna().any():
        _refuse(table, f"{int(answer.isna().sum())} rows without {columns.answer}", ())
    sliced = _groups(table, groups, columns)
    if task != "regression":
        return _classes(table, task=task, truth=truth, answer=answer, columns=columns, groups=sliced)
    if answer is None:
        _refuse(table, "no predicted values", ANSWER)
    values, answers = numbers(truth), numbers(answer)
    if (values != values).any() or (answers != answers).any():  # noqa: PLR0124 - NaN is what differs from itself
        _refuse(table, f"values of {truth_name} or {columns.answer} that are not finite numbers", ())
    return Predictions(path=table.path, sha256=table.sha256, y_true=values, y_pred=answers, groups=sliced)


def _split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Training rows and the others, when a column says which are which."""
    name = _named(frame, SPLIT)
    if not name:
        return None
    is_train = frame[name].astype(str).str.lower().isin(_TRAIN_WORDS)
    if not is_train.any() or is_train.all():
        return None
    rest = frame.drop(columns=name)
    return rest[is_train].reset_index(drop=True), rest[~is_train].reset_index(drop=True)


@dataclass(frozen=True, kw_only=True)
class _Columns:
    truth: str
    answer: str
    score: str
    per_class: dict[str, str]

    @property
    def used(self) -> set[str]:
        return {self.truth, self.answer, self.score, *self.per_class.values()}


def _columns(frame: pd.DataFrame, truth: pd.Series[Any], task: Task) -> _Columns:
    answer, score = _named(frame, ANSWER), _named(frame, SCORE)
    per_class = {} if task == "regression" else _class_scores(frame, {str(truth.name), answer, score})
    if answer and not score and task == "binary" and _is_probability(frame[answer], truth):
        answer, score = "", answer
    return _Columns(truth=str(truth.name), answer=answer, score=score, per_class=per_class)


def _classes(
    table: Table,
    *,
    task: Task,
    truth: pd.Series[Any],
    answer: pd.Series[Any] | None,
    columns: _Columns,
    groups: dict[str, np.ndarray],
) -> Predictions:
    y_true = labels(truth)
    y_pred = None if answer is None else labels(answer)
    known = sorted({*y_true, *(() if y_pred is None else y_pred)})
    score, classes = _score(table, columns.score, columns.per_class, known)
    if y_pred is None and score is None:
        _refuse(table, f"one score for {len(known)} classes", [f"proba_{name}" for name in known[:5]])
    return Predictions(
        path=table.path,
        sha256=table.sha256,
        y_true=y_true,
        y_pred=y_pred,
        y_score=score,
        classes=classes,
        positive=_binary_classes(known)[-1] if task == "binary" else None,
        groups=groups,
    )


def _score(
    table: Table, score_name: str, per_class: dict[str, str], known: list[str]
) -> tuple[np.ndarray | None, tuple[object, ...]]:
    import numpy as np

    if per_class:
        names = list(per_class)
        score = np.column_stack([numbers(table.frame[per_class[name]]) for name in names])
        classes: tuple[object, ...] = tuple(names)
        if len(names) == len(("negative", "positive")):
            positive = _positive(sorted(names))
            score, classes = score[:, names.index(positive)], _binary_classes(sorted(names))
        elif len(names) == 1:
            score, classes = score[:, 0], _binary_classes(known)
    elif score_name and len(known) <= len(("negative", "positive")):
        score, classes = numbers(table.frame[score_name]), _binary_classes(known)
    else:
        return None, tuple(known)
    if np.isnan(score).any():
        _refuse(table, "scores that are missing or not finite numbers", ())
    return score, classes


def _binary_classes(known: list[str]) -> tuple[object, ...]:
    """Negative, then positive; where only one class occurs, the other is its opposite."""
    if len(known) == 1:
        known = sorted({known[0], {"0": "1", "1": "0"}.get(known[0], f"not {known[0]}")})
    positive = _positive(known)
    return tuple(sorted(known, key=lambda name: name == positive))


def _positive(known: list[str]) -> str:
    """The class that a binary score speaks for: the affirmative word, else the last in order, as in scikit-learn."""
    return next((name for name in known if name.lower() in _POSITIVE_WORDS), known[-1])


def _class_scores(frame: pd.DataFrame, used: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in map(str, frame.columns):
        match = _CLASS_SCORE.match(name.lower())
        if match and name not in used and kind_of(frame[name]) == "number":
            found[name[match.start(1) :]] = name
    return found


def _is_probability(answer: pd.Series[Any], truth: pd.Series[Any]) -> bool:
    """A column called prediction may hold probabilities: fractions between 0 and 1 that are no class of the truth."""
    if kind_of(answer) != "number":
        return False
    values = numbers(answer)
    return bool(((values >= 0) & (values <= 1)).all() and not set(labels(answer)) <= set(labels(truth)))


def _groups(table: Table, declared: Sequence[str], columns: _Columns) -> dict[str, np.ndarray]:
    frame = table.frame
    absent = [name for name in declared if name not in frame.columns]
    if absent and len(absent) == len(declared):
        raise NotFound(f"{table.path} has no column {absent[0]!r}", valid=list(map(str, frame.columns))[:30])
    groups: dict[str, np.ndarray] = {}
    for name in map(str, frame.columns):
        if name not in columns.used and (name in declared or 1 < frame[name].nunique() <= MAX_CLASSES):
            groups[name] = binned(frame[name])
    return groups


def _named(frame: pd.DataFrame, names: Sequence[str]) -> str:
    by_name = {str(name).lower().strip().replace(" ", "_").replace("-", "_"): str(name) for name in frame.columns}
    return next((by_name[name.lower()] for name in names if name.lower() in by_name), "")


def _refuse(table: Table, why: str, valid: Sequence[str]) -> NoReturn:
    columns = ", ".join(map(str, list(table.frame.columns)[:12]))
    raise InvalidInput(
        f"{table.path} cannot be read as predictions: it has {why}; its columns are {columns}",
        valid=valid,
        do="write the columns y_true and y_pred or y_score, one row a prediction",
    )
