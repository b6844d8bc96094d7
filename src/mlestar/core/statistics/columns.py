"""What a column holds: numbers, categories, times or text; and which columns are features."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pandas as pd

    from mlestar.core.facts.data import Task

Kind = Literal["empty", "number", "flag", "category", "time", "text"]

MAX_CLASSES = 20  # rubric S1.1: integers with more distinct values are a quantity, not classes
_MISSING_MARKS = ("", "?")  # UCI files mark missing values with a question mark
_PARSED_SHARE = 0.9  # the other tenth is what the mixed-types check reports
_TEXT_WORDS = 4  # mean words a value from which strings are prose rather than labels
_QUARTILES = 4
_LARGEST = 1e140
_COUNTER_RANGE = 10
_ID_NAME = re.compile(r"(^|[_ .-])(id|uuid|guid|key|index|idx|row|no|nr)$|^unnamed|[a-z]id$")
_ID_VALUE = r"[A-Za-z_-]{0,8}\d+|[0-9a-fA-F-]{16,64}"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE = (
    r"\s*(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
    rf"|(?:[A-Z][a-z]{{2,8}},? )?(?:{_MONTH} \d{{1,2}},? \d{{4}}|\d{{1,2}}\.?[ -]{_MONTH},?[ -]\d{{2,4}}))"
)
_DAY_AND_MONTH = r"^\s*(\d{1,2})([-/.])(\d{1,2})[-/.]\d{2,4}"
_MONTHS = 12
_CATEGORY_SHARE = 0.5  # strings more distinct than this identify rows instead of grouping them


def per_value(column: pd.Series[Any], answer: Callable[[np.ndarray], np.ndarray], missing: object) -> np.ndarray:
    """(n,) the answer for each row, worked out once for each distinct value; `missing` where there is none."""
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(column)
    answers = np.asarray(answer(np.asarray(values)))
    return np.append(answers, np.array([missing], dtype=answers.dtype))[codes]


def blank_to_missing(column: pd.Series[Any]) -> pd.Series[Any]:
    """Blank strings and lone question marks as missing; other values as they are."""
    import numpy as np

    if column.dtype.kind in "biufcmM":
        return column
    blank = per_value(column, lambda values: np.array([is_blank(str(value)) for value in values], bool), 1)
    return column.where(~blank)


def is_blank(text: str) -> bool:
    """Whether a text stands for no value: nothing but blanks, or a lone question mark."""
    return text.strip() in _MISSING_MARKS


def numbers(column: pd.Series[Any]) -> np.ndarray:
    """(n,) float64; what is not a number is NaN, and so are infinities; clipped to where squares can be summed."""
    import numpy as np
    import pandas as pd

    if column.dtype.kind in "biuf" and isinstance(column.dtype, np.dtype):
        values = np.asarray(column, dtype=float)
    else:
        values = per_value(column, lambda values: np.asarray(pd.to_numeric(values, errors="coerce"), float), np.nan)
    return np.clip(np.where(np.isfinite(values), values, np.nan), -_LARGEST, _LARGEST)


def times(column: pd.Series[Any]) -> np.ndarray:
    """(n,) seconds since 1970 as float64, NaN where a value is no date. Numbers are taken as they are.

    In `03/04/2024` the day is first when some first number of the column is above 12, or when points divide them.
    """
    import numpy as np
    import pandas as pd

    if column.dtype.kind in "biuf":
        return numbers(column)
    parsed = pd.to_datetime(column, errors="coerce", utc=True, format="mixed", dayfirst=_day_first(column))
    nanoseconds = parsed.astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    return np.where(parsed.isna(), np.nan, nanoseconds / 1e9)


def _day_first(column: pd.Series[Any]) -> bool:
    """Whether dates that begin with neither a year nor a month in words begin with the day."""
    import pandas as pd

    if column.dtype.kind in "mM":
        return False
    parts = column.dropna().astype(str).str.extract(_DAY_AND_MONTH).dropna()
    if parts.empty:
        return False
    first, second = (pd.to_numeric(parts[place]) for place in (0, 2))
    if bool((second > _MONTHS).any()):
        return False
    return bool((first > _MONTHS).any()) or bool((parts[1] == ".").all())


def kind_of(column: pd.Series[Any]) -> Kind:
    """The kind that at least nine tenths of the values have."""
    values = blank_to_missing(column).dropna()
    if values.empty:
        return "empty"
    if values.dtype.kind == "b":
        return "flag"
    if values.dtype.kind in "iufc":
        return "number"
    if values.dtype.kind in "mM":
        return "time"
    sample = values.iloc[:: max(1, len(values) // 2000)]
    return _kind_of_strings(sample)


def _kind_of_strings(sample: pd.Series[Any]) -> Kind:
    import numpy as np

    text = sample.astype(str)
    if text.isin(("True", "False")).all():
        return "flag"
    if np.isfinite(numbers(sample)).mean() >= _PARSED_SHARE:
        return "number"
    if text.str.match(_DATE).mean() >= _PARSED_SHARE:
        return "time"
    distinct = text.nunique() / len(text)
    wordy = text.str.count(r"\s+").mean() + 1 >= _TEXT_WORDS
    return "text" if distinct > _CATEGORY_SHARE and (wordy or text.nunique() > MAX_CLASSES) else "category"


def task_of(target: pd.Series[Any]) -> Task:
    """Binary, multiclass or regression, from the values: regression is numeric with more than 20 distinct values.

    Fractional numbers are a quantity at any number of distinct values but two.
    """
    import numpy as np

    values = blank_to_missing(target).dropna()
    distinct = values.nunique()
    if distinct <= len(("no", "yes")):
        return "binary"
    if kind_of(values) != "number":
        return "multiclass"
    whole = bool(np.all(np.mod(numbers(values), 1) == 0))
    return "multiclass" if whole and distinct <= MAX_CLASSES else "regression"


def features(frame: pd.DataFrame, *, without: Sequence[str] = ()) -> list[str]:
    """The names of all columns but the given ones (target, time, groups)."""
    left_out = set(without)
    return [str(column) for column in frame.columns if str(column) not in left_out]


def identifies_rows(column: pd.Series[Any]) -> bool:
    """Whether the column numbers or names the rows: a counter, an id, a key; never a measured quantity or prose.

    Whole numbers without a repeat count as a counter when their range is at most ten times their number (measured
    quantities so dense would repeat), or when the column is named an id.
    """
    import numpy as np

    if len(column) <= MAX_CLASSES or column.isna().any() or not column.is_unique or column.dtype.kind in "bcmM":
        return False
    named = bool(_ID_NAME.search(str(column.name).lower()))
    if column.dtype.kind in "iuf":
        values = numbers(column)
        whole = bool(np.all(np.mod(values, 1) == 0))
        return whole and (named or float(np.ptp(values)) <= _COUNTER_RANGE * len(values))
    return named or bool(column.astype(str).str.fullmatch(_ID_VALUE).all())


def numbers_both(before: pd.Series[Any], after: pd.Series[Any]) -> bool:
    """Whether a column numbers the rows of two tables: then it differs between them by design."""
    return identifies_rows(before) and bool(after.is_unique)


def labels(column: pd.Series[Any]) -> np.ndarray:
    """(n,) class labels as text, alike for 1, 1.0 and True read from different files."""
    import numpy as np

    kind = column.dtype.kind
    if kind == "b":
        return np.array(["1" if value else "0" for value in column], dtype=object)
    if kind in "iuf":
        return np.array([f"{value:.15g}" for value in column], dtype=object)
    return per_value(column, lambda values: np.array([str(value).strip() for value in values], dtype=object), "nan")


def binned(column: pd.Series[Any]) -> np.ndarray:
    """(n,) group labels: categories as they are, numbers of many values by quartile; missing is a group of its own."""
    import numpy as np

    if kind_of(column) == "number" and column.nunique() > MAX_CLASSES:
        values = numbers(column)
        edges = np.unique(np.nanquantile(values, np.linspace(0, 1, _QUARTILES + 1)))
        names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
        place = np.clip(np.searchsorted(edges, values) - 1, 0, len(names) - 1)
        return np.array([*names, "missing"], dtype=object)[np.where(np.isnan(values), len(names), place)]
    missing = blank_to_missing(column).isna().to_numpy()
    return np.where(missing, "missing", labels(column))
