"""A schema worked out from training rows, and where held-out rows break it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_FEW = 20
_TOLERATED = 0.05
_MARGIN = 0.5


def violations(train: pd.DataFrame, test: pd.DataFrame, target: str = "") -> list[str]:
    """Columns of `test` (n_rows, n_columns) that break what `train` suggests.

    Expected: every feature there; numbers stay numbers; no missing values where there were none (5% tolerated); at most
    5% unseen values in a column of up to 20 texts; at most 5% of numbers beyond the training range by half of its
    width. The tolerances are this project's own.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    found: list[str] = []
    for name in train.columns:
        if name not in test.columns:
            if name != target:
                found.append(f"{name} is missing")
            continue
        before, after = train[name], test[name]
        numeric = is_numeric_dtype(before) and not is_bool_dtype(before)
        if numeric != (is_numeric_dtype(after) and not is_bool_dtype(after)):
            found.append(f"{name} changes type from {before.dtype} to {after.dtype}")
        elif not before.isna().any() and float(after.isna().mean()) > _TOLERATED:
            found.append(f"{name} has {100 * float(after.isna().mean()):.0f}% missing, none in training")
        elif numeric:
            low, high = float(before.min()), float(before.max())
            slack = _MARGIN * (high - low)
            beyond = float(((after < low - slack) | (after > high + slack)).mean())
            if beyond > _TOLERATED:
                found.append(f"{name} has {100 * beyond:.0f}% far outside its training range")
        elif before.nunique() <= _FEW:
            known = set(before.dropna().astype(str))
            unseen = float((~after.dropna().astype(str).isin(known)).mean()) if after.notna().any() else 0.0
            if unseen > _TOLERATED:
                found.append(f"{name} has {100 * unseen:.0f}% unseen values")
    return found
