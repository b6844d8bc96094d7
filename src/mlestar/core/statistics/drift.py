"""Drift of a column between a reference and the current data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import blank_to_missing, kind_of, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

_SMOOTHING = 0.5  # counts added to each bin: an empty bin is rare, not impossible
_MAX_CATEGORIES = 20
_POWER = 0.8
_COMMON = 5  # rows from which a category is a bin of its own (Cochran 1954)
_LEAST = 1e-6  # keeps the normal quantile finite when the columns do not overlap
_DETECTABLE_SHIFT = 0.5  # a shift of a normal column by half a standard deviation has PSI d^2 = 0.25
_ROWS_PER_BIN = 10  # [ours] fewer bins on few rows: each is expected to hold this many current rows


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One column's population stability index.

    Attributes:
        psi: As observed.
        excess: The effect size: observed minus what sampling alone adds on average, (B - 1)(1/n + 1/m), or the index
            of a normal column moved as far as the ranks did, if that is larger.
        critical: Above it the shift is significant.
        significant: By the index or, for numbers, by a rank test.
    """

    column: str
    psi: float
    excess: float
    critical: float
    significant: bool


def drift(reference: pd.Series[Any], current: pd.Series[Any], *, column: str, bins: int, alpha: float) -> Drift:
    """PSI over reference deciles (categories as they are) with its sampling distribution.

    Under no drift PSI / (1/n + 1/m) follows chi-square with B - 1 degrees of freedom (Yurdakul and Naranjo 2020,
    Journal of Risk Model Validation 14:4); bands 0.1 and 0.25 are Siddiqi's. Mann-Whitney adds power to small shifts of
    location; each of the two tests gets half of `alpha`, which should already be divided by the number of columns.
    """
    import numpy as np
    from scipy.stats import chi2

    is_number = kind_of(reference) == "number" and reference.nunique() > bins
    expected, observed = (_numeric if is_number else _categories)(reference, current, bins)
    n, m = len(reference), len(current)
    filled = expected + observed > 0
    p = (expected[filled] + _SMOOTHING) / (n + _SMOOTHING * filled.sum())
    q = (observed[filled] + _SMOOTHING) / (m + _SMOOTHING * filled.sum())
    psi = float(((q - p) * np.log(q / p)).sum())
    freedom = max(1, int(filled.sum()) - 1)
    scale = 1 / n + 1 / m
    critical = scale * float(chi2.isf(alpha / 2, freedom))
    significant = psi > critical
    excess = psi - freedom * scale
    if is_number:
        moved, p_value = _location(numbers(reference), numbers(current))
        if p_value < alpha / 2:
            significant, excess = True, max(excess, moved)
    return Drift(column=column, psi=psi, excess=excess, critical=critical, significant=significant)


def _location(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Mann-Whitney: the squared shift in standard deviations of a normal column, which is its PSI, and the p-value."""
    import numpy as np
    from scipy.special import ndtri
    from scipy.stats import mannwhitneyu

    before, after = before[~np.isnan(before)], after[~np.isnan(after)]
    if not len(before) or not len(after):
        return 0.0, 1.0
    result: Any = mannwhitneyu(before, after)
    above = float(np.clip(result.statistic / (len(before) * len(after)), _LEAST, 1 - _LEAST))
    return 2 * float(ndtri(above)) ** 2, float(result.pvalue)


def _numeric(reference: pd.Series[Any], current: pd.Series[Any], bins: int) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    before, after = numbers(reference), numbers(current)
    known = before[~np.isnan(before)]
    wanted = int(np.clip(min(len(known), len(after)) // _ROWS_PER_BIN, 2, bins))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, wanted + 1)[1:-1]))
    return _counts(before, edges), _counts(after, edges)


def _counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Rows in each bin, missing values in a bin of their own."""
    import numpy as np

    missing = np.isnan(values)
    placed = np.searchsorted(edges, values[~missing], side="right")
    return np.append(np.bincount(placed, minlength=len(edges) + 1), missing.sum()).astype(float)


def _categories(reference: pd.Series[Any], current: pd.Series[Any], bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of each of the commonest reference categories, of the others, of new ones, and of missing values.

    A reference row whose category stands nowhere else counts as new, for it would be new to the other rows: among names
    and addresses some of the current values are always new (Good 1953 after Turing; the share of values seen once
    estimates the share not seen yet).
    """
    import numpy as np

    del bins  # categories are their own bins
    before, after = _texts(reference), _texts(current)
    counts = before.value_counts()
    common: Sequence[str] = [str(name) for name in counts.index[:_MAX_CATEGORIES] if counts[name] >= _COMMON]
    repeated, known = counts[counts > 1].index, counts.index
    rows: list[np.ndarray] = []
    for values, seen in ((before, repeated), (after, known)):
        present = values.dropna()
        per_name = present.value_counts().reindex(common, fill_value=0).to_numpy(dtype=float)
        new = float((~present.isin(seen)).sum())
        rows.append(np.array([*per_name, len(present) - per_name.sum() - new, new, len(values) - len(present)]))
    return rows[0], rows[1]


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    if column.dtype.kind in "iuf":
        return column.astype(float).astype("string")
    return blank_to_missing(column).astype("string")


def rows_to_detect(n_columns: int, *, alpha: float) -> int:
    """Rows on each side from which a shift of half a standard deviation (PSI 0.25) is found with power 0.8.

    Two-sample normal approximation with the efficiency 3/pi of Mann-Whitney (Noether 1987); `alpha` over all columns.
    """
    from scipy.special import ndtri

    quantiles = float(ndtri(1 - alpha / n_columns / 4) + ndtri(_POWER))
    return math.ceil(2 * (quantiles / _DETECTABLE_SHIFT) ** 2 * math.pi / 3)
