"""csv and tsv: the encoding and the separator are detected, ragged rows are refused by line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 200
_CHUNK = 1 << 20
_MULTI_BYTE = re.compile(rb"[\xc3-\xf4][\x80-\xbf]+")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_MOSTLY = 0.9  # the other tenth is what the mixed-types check reports
_GROUPED = {
    ",": re.compile(r"\s*-?(?:\d+,\d+|\d{1,3}(?:\.\d{3})+(?:,\d+)?)\s*"),
    ".": re.compile(r"\s*-?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*"),
}
"""Numbers with a decimal comma or grouped thousands, by the mark before the fraction."""
_UNGROUPED = re.compile(r"\s*-?\d+\s*")


def read_delimited(path: Path, *, shown_as: str, max_rows: int, max_bytes: int) -> tuple[pd.DataFrame, int]:
    """Read at most `max_rows` rows of a text table and count the rest.

    Raises:
        InvalidInput: Binary content, mixed encodings, duplicate column names, or a row longer than the header.
    """
    import pandas as pd

    del max_bytes  # a text file does not unpack: its size was checked before
    encoding = _encoding(path, shown_as)
    separator, options = _dialect(path, encoding, shown_as)
    options |= {"sep": separator, "encoding": encoding, "low_memory": False}
    try:
        frame: pd.DataFrame = pd.read_csv(path, nrows=max_rows, **options)
        n_rows = len(frame) if len(frame) < max_rows else _count_rows(path, options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        _refuse(shown_as, str(error).removeprefix("Error tokenizing data. C error: ").strip())
    return _with_numbers(_without_nameless(frame), separator), n_rows


def _encoding(path: Path, shown_as: str) -> str:
    """utf-8 unless the bytes say otherwise; cp1252 only when no byte sequence is UTF-8."""
    with path.open("rb") as file:
        head = file.read(4)
        for mark, name in _BYTE_ORDER_MARKS.items():
            if head.startswith(mark):
                return name
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(_CHUNK):
                if b"\0" in chunk:
                    _refuse(shown_as, "it holds NUL bytes, so it is not text")
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _legacy_encoding(path, shown_as)
    return "utf-8"


def _legacy_encoding(path: Path, shown_as: str) -> str:
    """cp1252, unless some lines are UTF-8 and others are not: then reading either way garbles half of them."""
    first: dict[bool, int] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if b"\0" in line:
                _refuse(shown_as, "it holds NUL bytes, so it is not text")
            if not _HIGH_BYTES.search(line):
                continue
            try:
                line.decode("utf-8")
                is_utf8 = bool(_MULTI_BYTE.search(line))
            except UnicodeDecodeError:
                is_utf8 = False
            first.setdefault(is_utf8, number)
            if len(first) == len((True, False)):
                _refuse(shown_as, f"its encodings are mixed: line {first[True]} is UTF-8, line {first[False]} is not")
    return "cp1252"


def _dialect(path: Path, encoding: str, shown_as: str) -> tuple[str, dict[str, Any]]:
    """Separator and parser options, from the first rows; refuses a header that cannot name columns."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = "".join(islice(file, _SAMPLE_ROWS))
    except UnicodeDecodeError as error:
        _refuse(shown_as, f"its text is neither UTF-8 nor Windows-1252 ({error.reason} at byte {error.start})")
    header_line = sample.lstrip("\r\n").partition("\n")[0]
    separator = "\t" if path.suffix.lower() == ".tsv" else max(_SEPARATORS, key=lambda mark: _fields(header_line, mark))
    rows = [
        row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator, skipinitialspace=True) if row
    ]
    if not rows:
        _refuse(shown_as, "it holds only blank lines")
    header = [name.strip() for name in rows[0]]
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        _refuse(shown_as, f"more than one column is called {', '.join(map(repr, twice[:5]))}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) > len(header):
            _refuse(shown_as, f"row {number} has {len(row)} fields, the header has {len(header)}")
    return separator, {"skipinitialspace": True}


def _fields(line: str, separator: str) -> int:
    return len(next(csv.reader([line], delimiter=separator), []))


def _count_rows(path: Path, options: dict[str, Any]) -> int:
    import pandas as pd

    with pd.read_csv(path, usecols=[0], chunksize=200_000, **options) as chunks:
        return sum(len(chunk) for chunk in chunks)


def _without_nameless(frame: pd.DataFrame) -> pd.DataFrame:
    """Without nameless columns that are no data: the index that pandas writes by default, what a last comma opens."""
    frame = frame.rename(columns={name: str(name).strip() for name in frame.columns if str(name).strip()})
    if frame.shape[1] > 1 and str(frame.columns[0]) == "Unnamed: 0":
        first: Any = frame.iloc[:, 0]
        if first.dtype.kind == "i" and first.is_unique:
            frame = frame.iloc[:, 1:]
    last = frame.shape[1] - 1
    if last > 0 and str(frame.columns[last]).startswith("Unnamed: ") and bool(frame.iloc[:, last].isna().all()):
        frame = frame.iloc[:, :last]
    return frame


def _with_numbers(frame: pd.DataFrame, separator: str) -> pd.DataFrame:
    """With decimal commas and grouped thousands read as numbers, in columns where nine tenths of the values are some.

    A decimal comma is looked for where another mark separates the fields; `1.234` alone is taken for a fraction.
    """
    import pandas as pd

    marks = (".",) if separator == "," else (",", ".")
    for name in frame.columns:
        column: Any = frame[name]
        if column.dtype.kind in "biufcmM":
            continue
        values = column.dropna().astype(str)
        for mark in marks:
            grouped = values.str.fullmatch(_GROUPED[mark])
            if not grouped.any() or (grouped | values.str.fullmatch(_UNGROUPED)).mean() < _MOSTLY:
                continue
            other = "." if mark == "," else ","
            plain = values[grouped].str.replace(other, "", regex=False).str.replace(mark, ".", regex=False)
            changed = column.astype(object)
            changed[plain.index] = plain
            numeric = pd.to_numeric(changed, errors="coerce")
            frame[name] = numeric if bool((numeric.notna() == column.notna()).all()) else changed
            break
    return frame


def _refuse(shown_as: str, why: str) -> NoReturn:
    raise InvalidInput(
        f"{shown_as} cannot be read as a table: {why}",
        do="save it as UTF-8 text with one header row, unique column names and as many fields in every row",
    )
