"""Whether train and test are apart: shared rows, shared groups, and the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import MAX_CLASSES, kind_of, numbers, numbers_both, times
from mlestar.core.statistics.rows import group_numbers, row_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

_ROWS_SHOWN = 20
_NATURAL_TWINS = 10  # [ours] groups of equal rows in train from which their rate is known at all
_ROWS_PER_GROUP = 50  # [ours] more rows a value than this is a category, not an entity that may leak
_FEW_ROWS_PER_GROUP = 5  # [ours] so few rows a value are entities in a short table too
_SOUGHT = 0.10  # [ours] share of copied test rows that must show before their absence is told
_POWER = 0.8
_PAIR = 2
_LEAST = 1e-9  # keeps the growth finite where every row of train has a twin


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Test rows that stand in train too.

    Attributes:
        count: How many of the test rows.
        share: Their share of the test rows, 0 to 1.
        expected: The share that coincidence explains: how often a train row has a twin in train.
        growth: How many times as long both tables must be for copies of a tenth of the test rows to show; at most 1
            when they would have shown (power 0.8).
        p_value: Of at least `count` by coincidence: binomial, and where train has twins of its own the larger of this
            and that of the difference of two shares.
        rows: Positions in test of the first of them.
    """

    count: int
    share: float
    expected: float
    p_value: float
    growth: float
    rows: tuple[int, ...]


def overlap(train: pd.DataFrame, test: pd.DataFrame, columns: Sequence[str], *, alpha: float) -> Overlap:
    """Compare the rows on the columns that both have, numbering columns left out.

    The expected share is the leave-one-out twin rate of train, with half a row added (Krichevsky and Trofimov 1981),
    so that data without a single twin still has a finite rate. Where train has natural twins that rate is itself an
    estimate: the share must also exceed it as one of two proportions. Source: rubric T1.5, Kapoor and Narayanan 2023
    L1.4. `alpha` is the p-value that is asked for.
    """
    import numpy as np
    from scipy.stats import binom, norm

    kept = [name for name in columns if not numbers_both(train[name], test[name])]
    if not kept:
        return Overlap(count=0, share=0.0, expected=0.0, p_value=1.0, growth=1.0, rows=())
    in_train, in_test = row_keys([train, test], kept)
    matches = np.flatnonzero(np.isin(in_test.whole, in_train.whole))
    _, sizes = group_numbers(in_train.whole)
    twins = sizes[sizes > 1]
    expected = (float(twins.sum()) + 0.5) / (len(train) + 1)
    chance = float(binom.sf(len(matches) - 1, len(test), expected))
    variance = expected * (1 - expected) / len(test) + _variance_of_rate(sizes, expected)
    if len(twins) >= _NATURAL_TWINS and expected < 1:
        chance = max(chance, float(norm.sf((len(matches) / len(test) - expected) / variance**0.5)))
    return Overlap(
        count=len(matches),
        share=len(matches) / len(test),
        expected=expected,
        p_value=chance,
        growth=variance * (float(norm.isf(alpha) + norm.ppf(_POWER)) / (_SOUGHT * max(1 - expected, _LEAST))) ** 2,
        rows=tuple(int(row) for row in matches[:_ROWS_SHOWN]),
    )


def _variance_of_rate(sizes: np.ndarray, rate: float) -> float:
    """Of the twin rate of train: binomial, or jackknife if that is larger (Efron and Stein 1981).

    Taking one row away takes two twins away where it stood in a pair, one in a larger group, none else.
    """
    n = float(sizes.sum())
    pairs, larger = float(sizes[sizes == _PAIR].sum()) / n, float(sizes[sizes > _PAIR].sum()) / n
    jackknife = _PAIR**2 * pairs + larger - (_PAIR * pairs + larger) ** 2
    return max(rate * (1 - rate), jackknife) / n


def shared_groups(train: pd.Series[Any], test: pd.Series[Any]) -> tuple[float, tuple[str, ...]]:
    """Share of the test rows whose group also stands in train, and the first such groups."""
    known = set(train.dropna().astype(str))
    labels = test.dropna().astype(str)
    shared = labels[labels.isin(known)]
    return len(shared) / len(test), tuple(sorted(set(shared))[:5])


def is_entity(column: pd.Series[Any]) -> bool:
    """Whether values stand for entities (patients, users): many values, or in a short table some, a few rows each."""
    distinct = column.nunique()
    known = int(column.notna().sum())
    few = distinct <= MAX_CLASSES and known > _FEW_ROWS_PER_GROUP * distinct
    if distinct <= 1 or few or distinct == known or kind_of(column) == "time":
        return False
    fractional = kind_of(column) == "number" and bool(((numbers(column) % 1) > 0).any())
    return not fractional and known / distinct <= _ROWS_PER_GROUP


def future_rows(train: pd.Series[Any], test: pd.Series[Any]) -> tuple[int, tuple[int, ...]]:
    """How many train rows lie after the first test row, and the positions in train of the first of them.

    Source: rubric T1.5; Rules of ML 33: test on data gathered after the training data.
    """
    import numpy as np
    import pandas as pd

    both = times(pd.concat([train, test], ignore_index=True))  # together, so that days and months are told apart alike
    known = both[len(train) :]
    known = known[~np.isnan(known)]
    if not len(known):
        return 0, ()
    late = np.flatnonzero(both[: len(train)] > known.min())
    return len(late), tuple(int(row) for row in late[:_ROWS_SHOWN])
