"""What a packaged model is made of, by looking at the fitted object itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlestar.stages.blend import Blend
from mlestar.stages.columns import Columns, rows_digest
from mlestar.stages.transformer import TextEncoder

if TYPE_CHECKING:
    import pandas as pd


def is_one_pipeline(model: Any) -> bool:
    """Whether one fitted object leads from raw columns to an answer, features included.

    That is a fitted scikit-learn Pipeline that begins with its features, a weighted mean of such, or a text encoder
    that reads the raw columns itself.
    """
    if isinstance(model, TextEncoder):
        return hasattr(model, "words_")
    members = _members(model)
    return bool(members) and all(_is_whole(member) for member in members)


def fitted_on(model: Any, rows: pd.DataFrame) -> bool:
    """Whether every learnt transform saw exactly these rows: their number, content and order.

    A text encoder keeps no record of its rows: False.
    """
    members = _members(model)
    if not members or not all(_is_whole(member) for member in members):
        return False
    digest = rows_digest(rows)
    return all(
        features.rows_seen_ == len(rows) and features.rows_sha256_ == digest and most_seen(features) <= len(rows)
        for features in (member.steps[0][1] for member in members)
    )


def most_seen(features: Columns) -> int:
    """The largest row count that any scaler inside has kept of its own fit; 0 when there is none."""
    import numpy as np

    parts = [part for _, part, _ in features.transformers_]
    steps = [*parts, *(step for part in parts for _, step in getattr(part, "steps", ()))]
    return max((int(np.max(getattr(step, "n_samples_seen_", 0))) for step in steps), default=0)


def _members(model: Any) -> list[Any]:
    return list(model.members) if isinstance(model, Blend) else [model]


def _is_whole(model: Any) -> bool:
    from sklearn.exceptions import NotFittedError
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(model, Pipeline) or not isinstance(model.steps[0][1], Columns):
        return False
    try:
        for _, step in model.steps:
            check_is_fitted(step)
    except NotFittedError:
        return False
    return hasattr(model.steps[-1][1], "predict")
