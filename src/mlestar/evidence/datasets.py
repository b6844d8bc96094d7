"""Data files and built-in data sets as tables: csv, tsv, parquet, jsonl, `sklearn:<name>`.

To read another format, add one entry to `READERS`. A reader is bounded in rows and bytes, and answers with the frame
and the number of rows in the file. What it cannot read it refuses by naming the file, the place and the remedy.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.facts.data import Table
from mlestar.errors import InputTooLarge, InvalidInput, NotFound
from mlestar.evidence.delimited import read_delimited
from mlestar.evidence.json_lines import read_json_lines
from mlestar.evidence.parquet import read_parquet

if TYPE_CHECKING:
    import pandas as pd

Reader = Callable[..., "tuple[pd.DataFrame, int]"]

READERS: dict[str, Reader] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".parquet": read_parquet,
    ".jsonl": read_json_lines,
}
BUILT_IN = ("breast_cancer", "diabetes", "digits", "iris", "wine")
_PREFIX = "sklearn:"
_MAX_COLUMNS = 10_000
_MIB = 2**20


def is_builtin(name: str) -> bool:
    """Whether a name means a data set that ships with scikit-learn (`sklearn:wine`)."""
    return name.startswith(_PREFIX)


def read_table(path: Path, *, shown_as: str, max_rows: int, max_bytes: int) -> Table:
    """Read one data file whose path was already resolved below an allowed root.

    Args:
        path: The file.
        shown_as: Its name in findings and messages: relative to its root.
        max_rows: Rows kept, from the top of the file; the rest are counted only.
        max_bytes: Largest file; a parquet file may unpack to four times as much.

    Raises:
        NotFound: No such file.
        InputTooLarge: Over `max_bytes`, or over 10,000 columns.
        InvalidInput: Unknown format, empty, no rows, duplicate column names, or not what its name says.
    """
    if path.is_dir():
        raise InvalidInput(f"{shown_as} is a folder, not a data file", valid=sorted(READERS), do="name one file in it")
    if not path.is_file():
        raise NotFound(f"there is no file {shown_as}", valid=_neighbours(path), do="name an existing data file")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput(
            f"{shown_as} is of a format that is not read ({path.suffix or 'no suffix'})",
            valid=(*sorted(READERS), _PREFIX + "<name>"),
            do="save it as one of these",
        )
    size = path.stat().st_size
    if size > max_bytes:
        raise InputTooLarge(
            f"{shown_as} has {size / _MIB:.1f} MiB, over the limit of {max_bytes / _MIB:.1f} MiB",
            do="give a sample of its rows, or raise MLESTAR_MAX_FILE_MB",
        )
    if size == 0:
        raise InvalidInput(f"{shown_as} is empty", do="give a file with a header and at least one row")
    frame, n_rows = reader(path, shown_as=shown_as, max_rows=max_rows, max_bytes=max_bytes)
    _refuse_unusable(frame, shown_as)
    return Table(path=shown_as, frame=frame, sha256=_digest(path), n_rows=n_rows)


def read_builtin(name: str) -> Table:
    """Read `sklearn:<name>`; the column to predict is called `target`, classes are integers.

    Raises:
        NotFound: Not one of `BUILT_IN`.
    """
    import sklearn.datasets

    bare = name.removeprefix(_PREFIX)
    if bare not in BUILT_IN:
        close = get_close_matches(bare, BUILT_IN, n=1)
        raise NotFound(
            f"there is no built-in data set {name!r}",
            valid=[_PREFIX + known for known in BUILT_IN],
            do=f"did you mean {_PREFIX}{close[0]}?" if close else "name one of these",
        )
    bunch: Any = getattr(sklearn.datasets, f"load_{bare}")(as_frame=True)
    frame: pd.DataFrame = bunch.frame
    digest = hashlib.sha256(",".join(map(str, frame.columns)).encode())
    digest.update(frame.to_numpy(dtype="<f8").tobytes())
    return Table(path=_PREFIX + bare, frame=frame, sha256=digest.hexdigest(), n_rows=len(frame))


def _refuse_unusable(frame: pd.DataFrame, shown_as: str) -> None:
    columns = [str(column) for column in frame.columns]
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"{shown_as} has more than one column called {', '.join(repr(name) for name in twice[:5])}",
            do="rename the columns so that each name is unique",
        )
    if len(columns) > _MAX_COLUMNS:
        raise InputTooLarge(f"{shown_as} has {len(columns)} columns, over the limit of {_MAX_COLUMNS}")
    if not len(frame):
        raise InvalidInput(
            f"{shown_as} has a header ({', '.join(columns[:8])}) and no rows", do="give a file with at least one row"
        )
    frame.columns = columns


def _neighbours(path: Path) -> list[str]:
    if not path.parent.is_dir():
        return []
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix.lower() in READERS)
    return get_close_matches(path.name, names, n=5, cutoff=0.0)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
