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
_DECIMAL_COMMA = re.compile(r"\d,\d")
_DECIMAL_POINT = re.compile(r"\d\.\d")


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
    return _without_written_index(frame), n_rows


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
    rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator) if row]
    if not rows:
        _refuse(shown_as, "it holds only blank lines")
    header = rows[0]
    twice = [name for name, count in Counter(header).items() if count > 1 and name.strip()]
    if twice:
        _refuse(shown_as, f"more than one column is called {', '.join(map(repr, twice[:5]))}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) > len(header):
            _refuse(shown_as, f"row {number} has {len(row)} fields, the header has {len(header)}")
    body = sample.partition("\n")[2]
    decimal = "," if separator == ";" and _DECIMAL_COMMA.search(body) and not _DECIMAL_POINT.search(body) else "."
    return separator, {"decimal": decimal}


def _fields(line: str, separator: str) -> int:
    return len(next(csv.reader([line], delimiter=separator), []))


def _count_rows(path: Path, options: dict[str, Any]) -> int:
    import pandas as pd

    with pd.read_csv(path, usecols=[0], chunksize=200_000, **options) as chunks:
        return sum(len(chunk) for chunk in chunks)


def _without_written_index(frame: pd.DataFrame) -> pd.DataFrame:
    """A first column without a name that counts the rows is the index that pandas writes by default."""
    if frame.shape[1] > 1 and str(frame.columns[0]) == "Unnamed: 0":
        first: Any = frame.iloc[:, 0]
        if first.dtype.kind == "i" and first.is_unique:
            return frame.iloc[:, 1:]
    return frame


def _refuse(shown_as: str, why: str) -> NoReturn:
    raise InvalidInput(
        f"{shown_as} cannot be read as a table: {why}",
        do="save it as UTF-8 text with one header row, unique column names and as many fields in every row",
    )
