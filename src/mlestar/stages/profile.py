"""The training rows in numbers: what later data is compared with to see drift."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlestar.stages import table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MOST_CATEGORIES = 50
"""Shares are kept of so many values of a column, the most frequent; the rest is one share."""
_DECILES = tuple(place / 10 for place in range(11))


def reference_profile(
    rows: pd.DataFrame, kinds: Mapping[str, str], *, answers: np.ndarray, data_sha256: str, at: float
) -> dict[str, Any]:
    """What a monitoring job needs to tell new rows from these.

    Args:
        rows: (n_rows, n_features) training rows in their forms.
        kinds: Feature -> kind (see `table`).
        answers: The model's held-out answers: (n_rows, n_classes) or (n_rows,).
        data_sha256: Of the data they come from.
        at: Seconds since 1970.

    Returns:
        rows, data_sha256, date, columns (name -> kind, missing share, and: deciles of a number, of the seconds since
        1970 of a date, or of the characters of a text; shares of a category), answers (deciles, a list a class).
    """
    import numpy as np

    said = answers.reshape(len(answers), -1)
    return {
        "rows": len(rows),
        "data_sha256": data_sha256,
        "date": datetime.fromtimestamp(at, UTC).date().isoformat(),
        "columns": {name: {"kind": kind, **_column(rows[name], kind)} for name, kind in kinds.items()},
        "answers": [[float(value) for value in np.quantile(part, _DECILES)] for part in said.T],
    }


def _column(values: pd.Series, kind: str) -> dict[str, Any]:
    known = values.dropna()
    missing = {"missing": float(values.isna().mean())}
    if kind == table.CATEGORICAL:
        shares = known.astype(str).value_counts(normalize=True)
        kept = {str(name): float(share) for name, share in shares.head(MOST_CATEGORIES).items()}
        return {**missing, "shares": kept, "others": float(shares.iloc[MOST_CATEGORIES:].sum())}
    if kind == table.DATE:
        import pandas as pd

        known = (pd.to_datetime(known, utc=True) - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    elif kind == table.TEXT:
        known = known.astype(str).str.len()
    deciles = known.astype(float).quantile(list(_DECILES)) if len(known) else []
    return {**missing, "deciles": [float(value) for value in deciles]}
