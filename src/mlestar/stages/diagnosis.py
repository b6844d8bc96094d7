"""What the held-out answers say beyond their metrics: calibration, errors, groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlestar.stages import metrics

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlestar.stages.metrics import Scored

BINS = 10
"""Equal-mass bins of the calibration error (rubric A1.5)."""
WORST_ROWS = 10
LEAST_POSITIVES = 10
"""A group with fewer positives says nothing of its true positive rate (rubric A3.1)."""
SHOWN_CHARACTERS = 120


def calibration(scored: Scored) -> dict[str, Any]:
    """Expected calibration error of the predicted class's probability, with the bins it comes from."""
    import numpy as np

    if scored.scores is None:
        return {}
    sure = scored.scores.max(axis=1)
    right = (scored.predicted == scored.truth).astype(float)
    binary = scored.scores.shape[1] == 2  # noqa: PLR2004 - two classes: the positive one is looked at
    said = scored.scores[:, 1] if binary else sure
    real = scored.truth.astype(float) if binary else right
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    bins = [{"said": float(said[part].mean()), "was": float(real[part].mean()), "n": len(part)} for part in parts]
    error = sum(abs(one["said"] - one["was"]) * one["n"] for one in bins) / len(said)
    return {"ece": float(error), "bins": bins}


def errors(rows: pd.DataFrame, scored: Scored, classes: tuple[str, ...]) -> dict[str, Any]:
    """How the answers go wrong: confusion counts or residual quantiles, and the rows that are most wrong."""
    import numpy as np

    if scored.scores is None:
        residual = scored.predicted - scored.truth
        worst = np.argsort(-abs(residual), kind="stable")[:WORST_ROWS]
        quantiles = np.quantile(residual, [0.05, 0.25, 0.5, 0.75, 0.95])
        return {
            "residual_quantiles": [float(value) for value in quantiles],
            "worst": [_row(rows, place, scored.truth[place], scored.predicted[place]) for place in worst],
        }
    labels = list(classes)
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(counts, (scored.truth, scored.predicted), 1)
    wrong = np.flatnonzero(scored.predicted != scored.truth)
    given = scored.scores[wrong, scored.truth[wrong]]
    worst = wrong[np.argsort(given, kind="stable")][:WORST_ROWS]
    return {
        "confusion": {"classes": labels, "counts": counts.tolist()},
        "wrong": len(wrong),
        "worst": [_row(rows, place, labels[scored.truth[place]], labels[scored.predicted[place]]) for place in worst],
    }


def fairness(scored: Scored, groups: Mapping[str, np.ndarray], seed: int) -> dict[str, Any]:
    """For each named group column: size, selection and true positive rate of each group, with intervals.

    Only for two classes: selection means the positive class was predicted. Groups with fewer than 10 positives are
    listed as undecidable.
    """
    if scored.scores is None or scored.scores.shape[1] != 2:  # noqa: PLR2004 - two classes
        return {}
    return {name: _by_group(scored, labels, seed) for name, labels in groups.items()}


def _by_group(scored: Scored, labels: np.ndarray, seed: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for label in sorted(set(labels)):
        inside = labels == label
        part = metrics.Scored(
            truth=scored.truth[inside],
            predicted=scored.predicted[inside],
            scores=None if scored.scores is None else scored.scores[inside],
        )
        positives = int(part.truth.sum())
        entry: dict[str, Any] = {
            "group": str(label),
            "n": len(part.truth),
            "positives": positives,
            "selection_rate": float(part.predicted.mean()),
        }
        if positives >= LEAST_POSITIVES:
            entry["true_positive_rate"] = asdict(metrics.estimate("recall", part, seed=seed))
        else:
            entry["undecidable"] = f"fewer than {LEAST_POSITIVES} positives"
        found.append(entry)
    return found


def _row(rows: pd.DataFrame, place: int, truth: object, predicted: object) -> dict[str, Any]:
    shown = {str(name): str(value)[:SHOWN_CHARACTERS] for name, value in rows.iloc[int(place)].items()}
    return {"row": int(place), "truth": str(truth), "predicted": str(predicted), "values": shown}
