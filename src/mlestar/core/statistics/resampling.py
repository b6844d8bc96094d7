"""Bootstrap estimates that stay small in memory on many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_CELLS = 4_000_000  # rows x draws held at once: 32 MB


def bootstrap_means(values: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws, n_columns) means of resampled rows (Efron 1979).

    Args:
        values: (n_rows, n_columns).
        draws: Resamples.
        seed: Of the resamples.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    n = len(values)
    block = max(1, _CELLS // max(1, n))
    parts: list[np.ndarray] = []
    for start in range(0, draws, block):
        rows = random.integers(0, n, (min(block, draws - start), n))
        parts.append(values[rows].mean(axis=1))
    return np.concatenate(parts)
