"""What a model leans on, and where it is weak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlestar.stages import metrics, table
from mlestar.stages.folds import as_scored
from mlestar.stages.metrics import Scored
from mlestar.stages.training import answer_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PERMUTED_ROWS = 500
"""Held-out rows that importance is measured on."""
BACKGROUND_ROWS, MOST_REPLACED = 25, 5_000
"""Training rows that stand in for a feature of the explained row, and rows that are answered for it in all."""
MOST_TOLD = 20
LEAST_ROWS, LEAST_SHARE = 30, 0.05
"""Smaller slices say nothing (rubric A2.1)."""
MOST_SLICES = 60
DRAWS = 200


def importances(
    model: Any, rows: pd.DataFrame, truth: np.ndarray, task: str, metric: str, *, seed: int
) -> dict[str, tuple[float, float]]:
    """Raw feature -> drop of the metric when its values are shuffled, for two seeds.

    All features are shuffled in one pass of stacked copies, so the model is called twice in all.
    """
    import numpy as np
    import pandas as pd

    chosen = np.random.default_rng(seed).permutation(len(rows))[:PERMUTED_ROWS]
    base, real = rows.iloc[chosen].reset_index(drop=True), truth[chosen]
    whole = metrics.gain(metric, metrics.value_of(metric, as_scored(answer_of(model, base, task), real)))
    found: dict[str, list[float]] = {name: [] for name in rows.columns}
    for repeat in (0, 1):
        order = np.random.default_rng((seed, repeat)).permutation(len(base))
        copies = [base.assign(**{name: base[name].to_numpy()[order]}) for name in rows.columns]
        answers = answer_of(model, pd.concat(copies, ignore_index=True).astype(base.dtypes), task)
        for place, name in enumerate(rows.columns):
            part = answers[place * len(base) : (place + 1) * len(base)]
            worth = whole - metrics.gain(metric, metrics.value_of(metric, as_scored(part, real)))
            found[name].append(float(worth) if np.isfinite(worth) else 0.0)
    return {name: (first, second) for name, (first, second) in found.items()}


def explain_row(model: Any, rows: pd.DataFrame, place: int, background: pd.DataFrame, task: str) -> dict[str, Any]:
    """How much each feature moves the answer of one row, against what training rows have in its place.

    Each feature alone is replaced by the values of training rows; the mean fall of the answer is its contribution
    (of the predicted class's probability, or of the value). Contributions of features that work together overlap.

    Returns:
        row, answer, contributions (a list of feature and difference, the largest first).
    """
    import numpy as np
    import pandas as pd

    names = list(rows.columns)
    n = max(1, min(BACKGROUND_ROWS, MOST_REPLACED // len(names), len(background)))
    others = background[names].iloc[np.linspace(0, len(background) - 1, n).astype(int)]
    row = rows.iloc[[place]]
    copies = pd.concat([row] * n, ignore_index=True)
    replaced = [copies.assign(**{name: others[name].to_numpy()}) for name in names]
    answers = answer_of(model, pd.concat([row, *replaced], ignore_index=True).astype(rows.dtypes), task)
    said = answers if answers.ndim == 1 else answers[:, answers[0].argmax()]
    means = said[1:].reshape(len(names), n).mean(axis=1)
    moved = {name: float(said[0] - mean) for name, mean in zip(names, means, strict=True)}
    return {
        "row": place, "answer": float(said[0]),
        "contributions": [
            {"feature": name, "difference": moved[name]} for name in sorted(moved, key=lambda name: -abs(moved[name]))
        ][:MOST_TOLD],
    }  # fmt: skip


def slices(
    rows: pd.DataFrame, scored: Scored, kinds: Mapping[str, str], groups: Mapping[str, np.ndarray], metric: str, *,
    seed: int,
) -> tuple[Mapping[str, Any], ...]:  # fmt: skip
    """Parts of the held-out rows with their metric, its interval and the rest's; the worst first."""
    parts = [(f"{name} = {value}", labels == value) for name, labels in groups.items() for value in sorted(set(labels))]
    for name, kind in kinds.items():
        if kind in {table.CATEGORICAL, table.NUMERIC}:
            parts.extend(_parts(rows[name], name, kind))
    found = [
        _slice(label, inside, scored, metric, seed)
        for label, inside in parts[:MOST_SLICES]
        if inside.sum() >= max(LEAST_ROWS, LEAST_SHARE * len(inside)) and (~inside).sum() >= LEAST_ROWS
    ]
    told = [part for part in found if part is not None]
    return tuple(sorted(told, key=lambda part: metrics.gain(metric, part["value"])))


def _parts(column: pd.Series, name: str, kind: str) -> list[tuple[str, np.ndarray]]:
    import pandas as pd

    if kind == table.CATEGORICAL:
        return [(f"{name} = {value}", (column == value).to_numpy()) for value in sorted(column.dropna().unique())]
    if column.nunique() < 4:  # noqa: PLR2004 - quartiles need four values
        return []
    bins = pd.qcut(column, 4, duplicates="drop")
    return [(f"{name} in {interval}", (bins == interval).to_numpy()) for interval in bins.cat.categories]


def _slice(label: str, inside: np.ndarray, scored: Scored, metric: str, seed: int) -> dict[str, Any] | None:
    import numpy as np

    part, rest = (_only(scored, where) for where in (inside, ~inside))
    value, others = metrics.value_of(metric, part), metrics.value_of(metric, rest)
    if not (np.isfinite(value) and np.isfinite(others)):
        return None
    draws = metrics.draw_values(metric, part, seed=seed, draws=DRAWS)
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return {
        "slice": label, "n": int(inside.sum()), "metric": metric, "value": value, "low": float(low),
        "high": float(high), "rest": others,
    }  # fmt: skip


def _only(scored: Scored, where: np.ndarray) -> Scored:
    return Scored(
        truth=scored.truth[where],
        predicted=scored.predicted[where],
        scores=None if scored.scores is None else scored.scores[where],
    )
