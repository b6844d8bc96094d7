"""Held-out metrics recomputed from predictions, under the names that people claim them by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.statistics.ranking import auc, macro_auc

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.data import Predictions

_NAMES = {
    "accuracy": ("accuracy", "acc", "testaccuracy", "accuracyscore"),
    "balanced_accuracy": ("balancedaccuracy", "balancedacc", "bacc"),
    "precision": ("precision", "ppv", "precisionmacro", "precisionweighted"),
    "recall": ("recall", "sensitivity", "tpr", "recallmacro", "recallweighted"),
    "specificity": ("specificity", "tnr"),
    "f1": ("f1", "f1score", "fscore", "fmeasure", "f1macro", "macrof1", "f1weighted", "weightedf1"),
    "roc_auc": ("rocauc", "auc", "auroc", "aucroc", "rocaucscore"),
    "log_loss": ("logloss", "crossentropy"),
    "brier": ("brier", "brierscore"),
    "mcc": ("mcc", "matthews", "matthewscorrcoef"),
    "kappa": ("kappa", "cohenkappa"),
    "r2": ("r2", "rsquared", "r2score"),
    "mae": ("mae", "meanabsoluteerror"),
    "mse": ("mse", "meansquarederror"),
    "rmse": ("rmse", "rootmeansquarederror"),
}
_CANONICAL = {alias: name for name, aliases in _NAMES.items() for alias in aliases}
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "mae", "mse", "rmse"})
_EPSILON = 1e-15  # scikit-learn's clip of probabilities before version 1.5; a claim cannot tell the difference


def canonical(name: str) -> str:
    """The metric that a claim's key names (`f1Score`, `ROC-AUC`), or an empty string."""
    return _CANONICAL.get("".join(letter for letter in name.lower() if letter.isalnum()), "")


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts of true class (rows) against predicted class (columns).

    Attributes:
        table: (n_classes, n_classes) int.
        classes: Labels in the order of rows and columns.
        positive: Position of the positive class of a binary task, else None.
    """

    table: np.ndarray
    classes: tuple[str, ...]
    positive: int | None

    @property
    def recalls(self) -> np.ndarray:
        """(n_classes,) share of each true class that was predicted as such; NaN for a class without rows."""
        import numpy as np

        rows = self.table.sum(axis=1)
        return np.divide(np.diag(self.table), rows, out=np.full(len(rows), np.nan), where=rows > 0)

    @property
    def precisions(self) -> np.ndarray:
        """(n_classes,) share of each predicted class that is right; 0 for a class never predicted."""
        import numpy as np

        columns = self.table.sum(axis=0)
        return np.divide(np.diag(self.table), columns, out=np.zeros(len(columns)), where=columns > 0)

    @property
    def accuracy(self) -> float:
        """Share of rows that are right."""
        return float(self.table.trace() / self.table.sum())

    @property
    def kappa(self) -> float:
        """Cohen 1960: agreement beyond what the two sets of marginals give by chance, 0 when they give all of it."""
        share = self.table / self.table.sum()
        expected = float(share.sum(axis=1) @ share.sum(axis=0))
        return 0.0 if expected >= 1 else (float(share.trace()) - expected) / (1 - expected)

    def kappa_null_error(self) -> float:
        """Standard error of kappa when truth and prediction are independent (Fleiss, Cohen and Everitt 1969)."""
        total = self.table.sum()
        share = self.table / total
        rows, columns = share.sum(axis=1), share.sum(axis=0)
        expected = float(rows @ columns)
        if expected >= 1:
            return math.inf
        spread = expected + expected**2 - float((rows * columns * (rows + columns)).sum())
        return math.sqrt(max(0.0, spread) / float(total)) / (1 - expected)


def confusion(predictions: Predictions) -> Confusion:
    """Cross-tabulate; a class that only one side knows gets a row and a column too."""
    import numpy as np

    truth = predictions.y_true.astype(str)
    answer = predicted_classes(predictions).astype(str)
    classes = np.unique(np.concatenate([truth, answer]))
    table = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(table, (np.searchsorted(classes, truth), np.searchsorted(classes, answer)), 1)
    names = tuple(str(name) for name in classes)
    positive = str(predictions.positive)
    return Confusion(table=table, classes=names, positive=names.index(positive) if positive in names else None)


def predicted_classes(predictions: Predictions) -> np.ndarray:
    """(n,) the given classes, or those the scores imply: at least one half, or the largest."""
    import numpy as np

    if predictions.y_pred is not None:
        return predictions.y_pred
    score = predictions.y_score
    if score is None:
        raise ValueError("predictions have neither classes nor scores")
    labels = np.array([str(label) for label in predictions.classes], dtype=object)
    return labels[(score >= 1 / 2).astype(int)] if score.ndim == 1 else labels[score.argmax(axis=1)]


def recomputed(predictions: Predictions) -> dict[str, tuple[float, ...]]:
    """Metric -> its value; precision, recall and F1 have one value for each average (binary, macro, weighted)."""
    if predictions.task == "regression":
        return {name: (value,) for name, value in _regression(predictions).items()}
    counts = confusion(predictions)
    found: dict[str, tuple[float, ...]] = _classification(counts)
    if predictions.y_score is not None:
        found |= {name: (value,) for name, value in _scores(predictions).items() if not math.isnan(value)}
    return found


def _classification(counts: Confusion) -> dict[str, tuple[float, ...]]:
    import numpy as np

    recalls, precisions, support = np.nan_to_num(counts.recalls), counts.precisions, counts.table.sum(axis=1)
    total = recalls + precisions
    f1 = np.divide(2 * recalls * precisions, total, out=np.zeros(len(total)), where=total > 0)
    found: dict[str, tuple[float, ...]] = {
        "accuracy": (counts.accuracy,),
        "balanced_accuracy": (float(np.nanmean(counts.recalls)),),
        "kappa": (counts.kappa,),
        "mcc": (_matthews(counts.table),),
    }
    for name, per_class in {"precision": precisions, "recall": recalls, "f1": f1}.items():
        averages = [float(per_class.mean()), float(np.average(per_class, weights=support))]
        binary = [] if counts.positive is None else [float(per_class[counts.positive])]
        found[name] = (*binary, *averages)
    if counts.positive is not None and len(counts.classes) == len(("negative", "positive")):
        found["specificity"] = (float(recalls[1 - counts.positive]),)
    return found


def _matthews(table: np.ndarray) -> float:
    """Gorodkin 2004, the multiclass form of Matthews 1975."""
    total, right = float(table.sum()), float(table.trace())
    truth, answer = table.sum(axis=1).astype(float), table.sum(axis=0).astype(float)
    spread = (total**2 - float(truth @ truth)) * (total**2 - float(answer @ answer))
    return (right * total - float(truth @ answer)) / math.sqrt(spread) if spread > 0 else 0.0


def _scores(predictions: Predictions) -> dict[str, float]:
    import numpy as np

    score = np.asarray(predictions.y_score, dtype=float)
    truth = predictions.y_true.astype(str)
    is_probability = float(score.min()) >= 0 and float(score.max()) <= 1
    if score.ndim == 1:
        positive = truth == str(predictions.positive)
        found = {"roc_auc": auc(positive, score)}
        if is_probability:
            clipped = np.clip(score, _EPSILON, 1 - _EPSILON)
            found["log_loss"] = float(-np.where(positive, np.log(clipped), np.log1p(-clipped)).mean())
            found["brier"] = float(((score - positive) ** 2).mean())
        return found
    codes = class_codes(predictions)
    found = {"roc_auc": macro_auc(codes, score)}
    if is_probability and (codes >= 0).all():
        share = np.clip(score / score.sum(axis=1, keepdims=True), _EPSILON, 1)
        found["log_loss"] = float(-np.log(share[np.arange(len(codes)), codes]).mean())
    return found


def class_codes(predictions: Predictions) -> np.ndarray:
    """(n,) position of the true class among the score columns, -1 where it has none."""
    import numpy as np

    position = {str(label): code for code, label in enumerate(predictions.classes)}
    return np.array([position.get(label, -1) for label in predictions.y_true.astype(str)], dtype=int)


def _regression(predictions: Predictions) -> dict[str, float]:
    import numpy as np

    if predictions.y_pred is None:
        raise ValueError("a regression needs predicted values")
    truth = np.asarray(predictions.y_true, dtype=float)
    error = truth - np.asarray(predictions.y_pred, dtype=float)
    spread = float(((truth - truth.mean()) ** 2).mean())
    mse = float((error**2).mean())
    return {
        "r2": 1 - mse / spread if spread > 0 else 0.0,
        "mae": float(np.abs(error).mean()),
        "mse": mse,
        "rmse": math.sqrt(mse),
    }
