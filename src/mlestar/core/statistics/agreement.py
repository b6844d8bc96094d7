"""Agreement of two raters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import blank_to_missing, labels
from mlestar.core.statistics.metrics import Confusion

if TYPE_CHECKING:
    import pandas as pd

_RATER = re.compile(r"rater|annotator|reviewer|labell?er|coder|relabel|audit|label_?(a|b|1|2)$", re.IGNORECASE)

_ROW_ID = re.compile(r"^(row|sample|item|record|case|example|instance)?_?(id|idx|index|row|number|no)$", re.IGNORECASE)


def rater_columns(frame: pd.DataFrame) -> tuple[str, str] | None:
    """The first two columns that are named after raters, or None."""
    named = [str(name) for name in frame.columns if _RATER.search(str(name))]
    return (named[0], named[1]) if len(named) > 1 else None


def is_one_label(frame: pd.DataFrame, raters: tuple[str, str]) -> bool:
    """Whether both raters give one and the same label to all rows that both rated: kappa is then 0 of 0."""
    both = frame[list(raters)].apply(blank_to_missing).dropna()
    given = {*labels(both[raters[0]]), *labels(both[raters[1]])}
    return len(given) == 1


def distinct_rows(frame: pd.DataFrame) -> int:
    """Rows, those that an id column names more than once counted once."""
    name = next((str(name) for name in frame.columns if _ROW_ID.search(str(name))), "")
    return int(frame[name].nunique()) if name else len(frame)


def cohen_kappa(first: pd.Series[Any], second: pd.Series[Any]) -> tuple[float, int]:
    """Cohen 1960 over the rows that both rated, and how many those are. 1 when all labels are one and the same."""
    import numpy as np

    both = (blank_to_missing(first).notna() & blank_to_missing(second).notna()).to_numpy()
    a, b = labels(first[both]), labels(second[both])
    if not len(a):
        return 0.0, 0
    classes = np.unique(np.concatenate([a, b]))
    if len(classes) == 1:
        return 1.0, len(a)
    table = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(table, (np.searchsorted(classes, a), np.searchsorted(classes, b)), 1)
    return Confusion(table=table, classes=tuple(map(str, classes)), positive=None).kappa, len(a)
