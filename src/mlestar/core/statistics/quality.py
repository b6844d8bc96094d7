"""Defects of a table: missing values, constants, mixed types, repeated and contradictory rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import blank_to_missing, features, identifies_rows, kind_of, numbers
from mlestar.core.statistics.rows import RowKeys, are_copies, group_numbers, row_keys

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_MOSTLY_PRESENT = 0.95  # one value or nothing is a flag, one value and hardly a gap is a constant
_ROWS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Rows that repeat others.

    Attributes:
        share: Of all rows, 0 to 1.
        rows: Positions of the first of them.
        copies: True when they cannot be coincidence, False when they are, None when the columns cannot tell.
    """

    share: float
    count: int
    rows: tuple[int, ...]
    copies: bool | None


def missing_rates(frame: pd.DataFrame) -> dict[str, float]:
    """Column -> share of values that are missing, blank or a lone question mark."""
    return {str(name): float(blank_to_missing(frame[name]).isna().mean()) for name in frame.columns}


def constants(frame: pd.DataFrame) -> list[str]:
    """Columns with one value in every row (a few gaps aside)."""
    found: list[str] = []
    for name in frame.columns:
        column = blank_to_missing(frame[name])
        present = column.dropna()
        if len(present) and len(present.unique()) == 1 and len(present) >= _MOSTLY_PRESENT * len(column):
            found.append(str(name))
    return found


def mixed_types(frame: pd.DataFrame, low: float, high: float) -> dict[str, tuple[float, tuple[int, ...]]]:
    """Column -> share and rows of the rarer type, where numbers and words share a column between `low` and `high`.

    Prose is left out: a title may well be a number. Source: deepchecks MixedDataTypes, whose band is 1 to 10%.
    """
    import numpy as np

    found: dict[str, tuple[float, tuple[int, ...]]] = {}
    for name in frame.columns:
        column: pd.Series[Any] = frame[name]
        if column.dtype.kind in "biufcmM":
            continue
        present = np.asarray(blank_to_missing(column).notna(), dtype=bool) | np.asarray(column == "?", dtype=bool)
        if not present.any():
            continue
        is_number = np.isfinite(numbers(column)) & present
        share = float(is_number.sum() / present.sum())
        rarer = is_number if share < 1 / 2 else present & ~is_number
        rate = min(share, 1 - share)
        if low <= rate <= high and (share > 1 / 2 or kind_of(column) == "category"):
            found[str(name)] = (rate, _first(np.flatnonzero(rarer)))
    return found


@dataclass(frozen=True, kw_only=True)
class ToldApart:
    """The rows of a table by the columns that do not merely number them.

    Attributes:
        names: (n_columns,) of those columns.
        keys: Their hashes, in that order.
    """

    names: tuple[str, ...]
    keys: RowKeys


def told_apart(frame: pd.DataFrame) -> ToldApart:
    """Hash the rows of a table."""
    names = [name for name in features(frame) if not identifies_rows(frame[name])]
    (keys,) = row_keys([frame], names)
    return ToldApart(names=tuple(names), keys=keys)


def duplicates(rows: ToldApart) -> Repeats:
    """Rows equal to an earlier row in every column that does not merely number the rows."""
    import numpy as np

    keys, n_rows = rows.keys, len(rows.keys.whole)
    if not keys.parts.shape[1]:
        return Repeats(share=0.0, count=0, rows=(), copies=None)
    _, first = np.unique(keys.whole, return_index=True)
    later = np.setdiff1d(np.arange(n_rows), first)
    copies = are_copies(keys) if len(later) else None
    return Repeats(share=len(later) / n_rows, count=len(later), rows=_first(later), copies=copies)


def conflicts(rows: ToldApart, target: pd.Series[Any]) -> Repeats:
    """Rows whose features, which are all columns but the target, equal another row's while the label differs."""
    import numpy as np

    name = str(target.name)
    (labels,) = row_keys([target.to_frame()], [name])
    keys = rows.keys.without(rows.names.index(name)) if name in rows.names else rows.keys
    n_rows = len(keys.whole)
    if not keys.parts.shape[1]:
        return Repeats(share=0.0, count=0, rows=(), copies=None)
    groups, sizes = group_numbers(keys.whole)
    pairs = np.unique(np.column_stack([groups.astype(np.uint64), labels.whole]), axis=0)
    labels_of = np.bincount(pairs[:, 0].astype(int), minlength=len(sizes))
    found = np.flatnonzero(labels_of[groups] > 1)
    copies = are_copies(keys) if len(found) else None
    return Repeats(share=len(found) / n_rows, count=len(found), rows=_first(found), copies=copies)


def _first(rows: np.ndarray) -> tuple[int, ...]:
    return tuple(int(row) for row in rows[:_ROWS_SHOWN])
