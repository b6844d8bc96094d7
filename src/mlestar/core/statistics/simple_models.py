"""A linear model as the rival of given predictions, and the per-row scores they are compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.baselines import Comparison, compare
from mlestar.core.statistics.columns import features, labels, numbers
from mlestar.core.statistics.metrics import predicted_classes
from mlestar.core.statistics.modelling import encode, sampled, target_of
from mlestar.core.statistics.prose import bags_of_words, prose_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from mlestar.core.facts.data import DataFacts, Predictions, Table, Task
    from mlestar.core.statistics.modelling import Matrix, Target


def linear(task: Task, categorical: np.ndarray, seed: int) -> Any:
    """Logistic or ridge regression on standardised numbers and one-hot categories, medians for gaps.

    Free text comes to it as words weighted by TF-IDF.
    """
    import numpy as np
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    prepared = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
            np.flatnonzero(~categorical),
        ),
        (OneHotEncoder(handle_unknown="ignore", max_categories=20), np.flatnonzero(categorical)),
    )
    model: Any = Ridge() if task == "regression" else LogisticRegression(max_iter=500, random_state=seed)
    return make_pipeline(prepared, model)


def against_linear(data: DataFacts, *, alpha: float) -> Comparison | None:
    """The given predictions against a linear model trained on `data.train`, on the rows of `data.test`.

    None when rows are not aligned, the target is absent, or fewer than two classes can be learnt.
    """
    predictions, train, test = data.predictions, data.train, data.test
    if predictions is None or train is None or test is None or data.target not in train.frame.columns:
        return None
    if not aligned(predictions, test, data.target):
        return None
    frame = train.frame.iloc[sampled(len(train.frame), data.seed)].reset_index(drop=True)
    target = target_of(frame[data.target], predictions.task)
    names = [name for name in features(frame, without=[data.target]) if name in test.frame.columns]
    prose = prose_columns(frame[names])
    if not names or (target.task != "regression" and len(target.classes) <= 1):
        return None
    tables = (frame.iloc[target.rows], test.frame)
    known, asked = encode(tables, [name for name in names if name not in prose])
    texts = [bags_of_words(*(table[name] for table in tables)) for name in prose]
    answers = _answers((known, asked), texts, target, data.seed)
    if target.task == "regression":
        answers = answers * target.scale + target.centre
        truth = numbers(test.frame[data.target]) if data.target in test.frame.columns else predictions.y_true
        ours = -((predictions.y_true - predictions.y_pred) ** 2)
        return compare(ours, -((truth - answers) ** 2), alpha=alpha, seed=data.seed)
    import numpy as np

    named = np.array(target.classes, dtype=object)[answers.astype(int)]
    truth = predictions.y_true.astype(str)
    right = named.astype(str) == truth
    return compare(predicted_classes(predictions).astype(str) == truth, right, alpha=alpha, seed=data.seed)


def aligned(predictions: Predictions, test: Table, target: str) -> bool:
    """Whether row i of the predictions is row i of the test table: equal targets, or as many rows if it has none."""
    if len(test.frame) != predictions.n_read:
        return False
    if target not in test.frame.columns:
        return True
    if predictions.task == "regression":
        import numpy as np

        return bool(np.allclose(numbers(test.frame[target]), predictions.y_true, equal_nan=True))
    return bool((labels(test.frame[target]) == predictions.y_true).all())


def _answers(
    matrices: tuple[Matrix, Matrix], texts: Sequence[tuple[Any, Any]], target: Target, seed: int
) -> np.ndarray:
    known, asked = matrices
    model = linear(target.task, known.categorical, seed)
    if not texts:
        return model.fit(known.values, target.truth).predict(asked.values)
    from scipy.sparse import csr_array, hstack

    prepared, last = model[0], model[-1]
    parts = [*texts]
    if known.names:
        rows = (prepared.fit_transform(known.values), prepared.transform(asked.values))
        parts.append((csr_array(rows[0]), csr_array(rows[1])))
    learnt, held_out = (hstack([part[side] for part in parts], format="csr") for side in (0, 1))
    return last.fit(learnt, target.truth).predict(held_out)
