"""Whether a table has rows enough for a model of its columns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.statistics.columns import blank_to_missing, features, identifies_rows, kind_of, task_of

if TYPE_CHECKING:
    import pandas as pd

    from mlestar.core.facts.data import Task

_MOST_CATEGORIES = 50  # beyond this a category is hashed or embedded, not one-hot encoded
_ROWS = re.compile(r"^\s*~?\s*(\d[\d,_ ]*)\s*(k|m|thousand|million)?\b", re.IGNORECASE)
_ROW_WORDS = re.compile(r"rows|samples|records|examples|posts|instances|observations|images|documents", re.IGNORECASE)
_UNITS = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000}
_ROW_KEYS = frozenset({"rows", "nrows", "samples", "nsamples", "records", "datasize", "volume", "size", "examples"})


@dataclass(frozen=True, kw_only=True)
class Size:
    """Events of a table and candidate parameters of a linear model on it."""

    events: int
    parameters: int
    unit: str

    @property
    def ratio(self) -> float:
        """Events per parameter."""
        return self.events / self.parameters


def events_per_parameter(frame: pd.DataFrame, target: str, task: Task | None = None) -> Size:
    """Cases of the rarest class (rows, of a regression) and the width of the features, one-hot encoded.

    Source: Peduzzi et al. 1996, J Clin Epidemiol 49:1373: ten events per variable.
    """
    wanted = blank_to_missing(frame[target]).dropna()
    is_regression = (task or task_of(wanted)) == "regression"
    events = len(wanted) if is_regression else int(wanted.value_counts().min()) if len(wanted) else 0
    parameters = 0
    for name in features(frame, without=[target]):
        column = frame[name]
        kind = kind_of(column)
        if kind in {"empty", "text", "time"} or identifies_rows(column) or len(column.dropna().unique()) <= 1:
            continue
        parameters += min(column.nunique() - 1, _MOST_CATEGORIES) if kind == "category" else 1
    return Size(events=events, parameters=parameters, unit="row" if is_regression else "case")


def stated_rows(claim: Mapping[str, Any]) -> int:
    """The number of rows that was stated (`"10000 posts"`, `{"rows": 500}`), or 0."""
    for key, value in claim.items():
        name = "".join(letter for letter in str(key).lower() if letter.isalnum())
        if isinstance(value, Mapping):
            found = stated_rows(value)
            if found:
                return found
        elif isinstance(value, int) and not isinstance(value, bool) and name in _ROW_KEYS:
            return value
        elif isinstance(value, str) and (name in _ROW_KEYS or (name.startswith("data") and _ROW_WORDS.search(value))):
            match = _ROWS.match(value)
            if match:
                return int(re.sub(r"[,_ ]", "", match[1])) * _UNITS.get((match[2] or "").lower(), 1)
    return 0


def rows_for_correlation(correlation: float, *, alpha: float, power: float) -> int:
    """Rows from which a correlation is found with this power, two-sided: Fisher's z (1921), variance 1 / (n - 3)."""
    from scipy.special import ndtri

    return math.ceil((float(ndtri(1 - alpha / 2) + ndtri(power)) / math.atanh(correlation)) ** 2) + 3
