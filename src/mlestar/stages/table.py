"""Columns of a raw table: what kind each is, and the one form in which later stages see it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NUMERIC, CATEGORICAL, TEXT, DATE, IDENTIFIER, CONSTANT = (
    "numeric",
    "categorical",
    "text",
    "date",
    "identifier",
    "constant",
)
PARSED_SHARE = 0.98
"""A text column is numbers or dates when this share of its values reads as such (the rest become missing)."""
TEXT_WORDS = 3.0
"""Mean words of a value from which a column of mostly distinct values is prose."""
SAMPLE_ROWS = 5_000
_DATE_LIKE = re.compile(r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


def kind_of(column: pd.Series) -> str:
    """The kind of one raw column.

    An identifier is a column of texts that are nearly all different and are no prose: nothing to learn from.
    """
    import pandas as pd

    known = column.dropna()
    if len(known.drop_duplicates()) <= 1:
        return CONSTANT
    types = pd.api.types
    for is_of, kind in (
        (types.is_bool_dtype, CATEGORICAL),
        (types.is_numeric_dtype, NUMERIC),
        (types.is_datetime64_any_dtype, DATE),
    ):
        if is_of(column):
            return kind
    texts = known.astype(str).head(SAMPLE_ROWS)
    if pd.to_numeric(texts, errors="coerce").notna().mean() >= PARSED_SHARE:
        return NUMERIC
    if texts.head(200).str.match(_DATE_LIKE).mean() >= PARSED_SHARE and _dates(texts).notna().mean() >= PARSED_SHARE:
        return DATE
    return _kind_of_texts(texts)


def _kind_of_texts(texts: pd.Series) -> str:
    distinct = texts.nunique() / len(texts)
    words = texts.str.count(r"\S+").mean()
    if texts.nunique() <= max(20, 0.05 * len(texts)) and words < 2 * TEXT_WORDS:
        return CATEGORICAL
    if words >= TEXT_WORDS:
        return TEXT
    return IDENTIFIER if distinct > 0.9 and len(texts) > 20 else CATEGORICAL  # noqa: PLR2004 - documented above


def in_form(column: pd.Series, kind: str) -> pd.Series:
    """The column in the form of its kind: float64, text, or UTC time; survives a parquet round trip unchanged."""
    import pandas as pd

    if kind == NUMERIC:
        return pd.to_numeric(column, errors="coerce").astype("float64")
    if kind == DATE:
        return _dates(column)
    texts = column.astype("object").where(column.notna(), None)
    return texts.map(lambda value: value if value is None else _text(value)).astype("object")


def as_frame(rows: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    """The named columns of `rows`, each in its form, in the order of `kinds`."""
    import pandas as pd

    return pd.DataFrame({name: in_form(rows[name], kind) for name, kind in kinds.items()})


def dates_of(column: pd.Series) -> pd.Series:
    """Times for ordering: dates read as such, numbers as they are."""
    import pandas as pd

    return column if pd.api.types.is_numeric_dtype(column) else _dates(column)


def find_time_column(rows: pd.DataFrame, candidates: Sequence[str]) -> str:
    """The first column that holds dates or times; empty when there is none."""
    return next((name for name in candidates if kind_of(rows[name]) == DATE), "")


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)


def _dates(column: pd.Series) -> pd.Series:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # mixed formats are read value by value
        parsed = pd.to_datetime(column, errors="coerce", utc=True, format="mixed")
    return parsed.astype("datetime64[us, UTC]")
