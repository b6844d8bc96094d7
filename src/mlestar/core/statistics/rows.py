"""Equal rows: copies told apart from coincidences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import is_blank, numbers, per_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

_SIGNIFICANT_DIGITS = 9  # a value survives one trip through a text file
_INFORMATIVE = 1e-3  # rubric T1.3: expected coincidental twins of a row, below which an equal row is a copy
_COARSE, _NEAR_TWINS, _MOST_COARSE = 0.3, 3, 50  # [ours] columns whose near twins are looked for in informative rows
_COPY_RATIO = 0.1  # [ours] near twins seen / near twins that coincidence would bring along, below which rows are copies


@dataclass(frozen=True, kw_only=True)
class RowKeys:
    """Rows as hashes.

    Attributes:
        parts: (n_rows, n_columns) uint64, one hash a cell; equal cells of a column have equal hashes.
        whole: (n_rows,) uint64, the sum of a row's parts modulo 2**64, so that one column can be taken out again.
    """

    parts: np.ndarray
    whole: np.ndarray

    def without(self, position: int) -> RowKeys:
        """The same rows told apart by all columns but one."""
        import numpy as np

        with np.errstate(over="ignore"):
            whole = self.whole - self.parts[:, position]
        return RowKeys(parts=np.delete(self.parts, position, axis=1), whole=whole)


def row_keys(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> list[RowKeys]:
    """Hash the rows of one or more frames alike, so that rows of different frames can be compared.

    Numbers count as equal when they agree to nine significant digits; missing equals missing.
    """
    import numpy as np

    cells: list[list[np.ndarray]] = [[] for _ in frames]
    for position, name in enumerate(columns):
        hashed = _hash_column([frame[name] for frame in frames], np.uint64(position + 1))
        for rows, part in zip(cells, hashed, strict=True):
            rows.append(part)
    keys: list[RowKeys] = []
    for frame, rows in zip(frames, cells, strict=True):
        parts = np.column_stack(rows) if rows else np.zeros((len(frame), 0), dtype=np.uint64)
        keys.append(RowKeys(parts=parts, whole=parts.sum(axis=1, dtype=np.uint64)))
    return keys


def _hash_column(columns: Sequence[pd.Series[Any]], salt: np.uint64) -> list[np.ndarray]:
    import numpy as np

    if all(column.dtype.kind in "biuf" for column in columns):
        raw = [_rounded(numbers(column)).view(np.uint64) for column in columns]
    else:
        raw = [per_value(column, _hash_texts, _hash_texts(np.array([""], dtype=object))[0]) for column in columns]
    return [_mixed(values, salt) for values in raw]


def _hash_texts(values: np.ndarray) -> np.ndarray:
    """SipHash of each value as text; blank marks hash as missing."""
    import numpy as np
    import pandas as pd

    known = pd.Series(values, dtype=object).fillna("")
    texts = ["" if is_blank(text) else text for text in map(str, known)]
    return pd.util.hash_array(np.array(texts, dtype=object), categorize=False)  # they are distinct as they come


def _rounded(values: np.ndarray) -> np.ndarray:
    import numpy as np

    missing = np.isnan(values)
    filled = np.where(missing, 1.0, values)
    size = np.floor(np.log10(np.abs(np.where(filled == 0, 1.0, filled))))
    factor = np.power(10.0, np.clip(_SIGNIFICANT_DIGITS - 1 - size, -300, 300))
    result = np.round(filled * factor) / factor + 0.0  # adding zero turns -0.0 into 0.0
    return np.where(missing, np.nan, result)


def _mixed(values: np.ndarray, salt: np.uint64) -> np.ndarray:
    """splitmix64 (Steele, Lea and Flood 2014): spreads every bit, so that sums of hashes do not collide."""
    import numpy as np

    with np.errstate(over="ignore"):
        x = values + salt * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def group_numbers(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the group of each key and (n_groups,) the size of each group."""
    import numpy as np

    _, groups, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return groups, counts


def equal_pairs(keys: np.ndarray) -> int:
    """How many unordered pairs of rows are equal."""
    _, counts = group_numbers(keys)
    return int((counts * (counts - 1) // 2).sum())


def are_informative(keys: RowKeys) -> bool:
    """Whether two different cases could hardly have equal rows by chance, were the columns independent.

    Expected twins of a row = n * product over columns of sum p^2 (the collision probability of a column's values).
    Source: rubric T1.3, after the birthday bound.
    """
    import numpy as np

    n = len(keys.whole)
    return n > 0 and float(np.exp(np.log(collision_probabilities(keys)).sum()) * n) < _INFORMATIVE


def collision_probabilities(keys: RowKeys) -> np.ndarray:
    """(n_columns,) the chance that two rows drawn at random agree in a column: sum p^2."""
    import numpy as np

    n = max(1, len(keys.whole))
    shares = [np.unique(column, return_counts=True)[1] / n for column in keys.parts.T]
    return np.array([float((share**2).sum()) for share in shares])


def are_copies(keys: RowKeys) -> bool | None:
    """Whether the equal rows are copies (True), coincidences (False), or cannot be told apart (None).

    Coincidences never come alone: where rows agree in all columns by chance, more pairs agree in all but one, namely
    (1 - s) / s as many for a column of collision probability s. Copies bring no such near twins. Where the columns were
    independent no coincidence could be expected at all, near twins in a coarse column still show one: rows of one
    design, whose columns repeat together. Own method [ours].
    """
    import numpy as np

    equal = equal_pairs(keys.whole)
    agree = collision_probabilities(keys)
    expected = equal * (1 - agree) / agree
    if are_informative(keys):
        coarse = np.flatnonzero((agree >= _COARSE) & (expected >= _NEAR_TWINS))[:_MOST_COARSE].tolist()
        return not any(_near_twins(keys, column, equal) > expected[column] / 2 for column in coarse)
    varied = np.flatnonzero(agree < 1).tolist()
    if not equal or not varied:
        return None
    ratio = max(_near_twins(keys, column, equal) / expected[column] for column in varied)
    if ratio < _COPY_RATIO:
        return True
    return False if ratio > 1 / 2 else None


def _near_twins(keys: RowKeys, column: int, equal: int) -> int:
    """How many pairs of rows agree in all columns but this one."""
    import numpy as np

    with np.errstate(over="ignore"):
        return equal_pairs(keys.whole - keys.parts[:, column]) - equal
