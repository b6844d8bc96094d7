"""A schema worked out from training rows, and where held-out rows break it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.core.statistics.intervals import wilson

if TYPE_CHECKING:
    import pandas as pd

_FEW = 20
_TOLERATED = 0.05
_MARGIN = 0.5


def violations(train: pd.DataFrame, test: pd.DataFrame, target: str = "") -> list[str]:
    """Columns of `test` (n_rows, n_columns) that break what `train` suggests.

    Expected: every feature there; numbers stay numbers; no missing values where there were none (5% tolerated); at most
    5% unseen values in a column of up to 20 texts; at most 5% of numbers beyond the training range by half of its
    width. The tolerances are this project's own; a share breaks one when the lower end of its Wilson interval does.
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
        elif not before.isna().any() and _over(after.isna()):
            found.append(f"{name} has {100 * float(after.isna().mean()):.0f}% missing, none in training")
        elif numeric:
            low, high = float(before.min()), float(before.max())
            slack = _MARGIN * (high - low)
            beyond = (after < low - slack) | (after > high + slack)
            if _over(beyond):
                found.append(f"{name} has {100 * float(beyond.mean()):.0f}% far outside its training range")
        elif before.nunique() <= _FEW:
            known = set(before.dropna().astype(str))
            unseen = ~after.dropna().astype(str).isin(known)
            if _over(unseen):
                found.append(f"{name} has {100 * float(unseen.mean()):.0f}% unseen values")
    return found


def _over(breaking: pd.Series[bool]) -> bool:
    """Whether more rows break an expectation than are tolerated, beyond chance: one of five rows does not."""
    return len(breaking) > 0 and wilson(int(breaking.sum()), len(breaking))[0] > _TOLERATED
