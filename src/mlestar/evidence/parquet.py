"""parquet: read in batches, so that a small file cannot unpack into more than the limit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mlestar.errors import InputTooLarge, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

_MAGIC = b"PAR1"
_ZIP_MAGIC = b"PK"
_BATCH_ROWS = 8192
_UNPACKED_FACTOR = 4  # a parquet file of tabular data rarely unpacks to more than this


def read_parquet(path: Path, *, shown_as: str, max_rows: int, max_bytes: int) -> tuple[pd.DataFrame, int]:
    """Read at most `max_rows` rows.

    Raises:
        InvalidInput: Not a parquet file, or a damaged one.
        InputTooLarge: The rows unpack to more than four times `max_bytes`.
    """
    import pyarrow as pa
    from pyarrow import parquet

    _require_magic(path, shown_as)
    limit = max_bytes * _UNPACKED_FACTOR
    try:
        with parquet.ParquetFile(path) as peek:
            schema: Any = peek.schema_arrow
            declared = sum(peek.metadata.row_group(i).total_byte_size for i in range(peek.metadata.num_row_groups))
            n_rows = int(peek.metadata.num_rows)
        if declared > limit:
            _too_large(shown_as, declared, limit)
        text = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_binary(field.type)]
        with parquet.ParquetFile(path, read_dictionary=text) as file:
            table = _bounded(file, shown_as, min(max_rows, n_rows), limit)
        return _frame(table), n_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        _refuse(shown_as, str(error).partition("\n")[0])


def _bounded(file: Any, shown_as: str, rows: int, limit: int) -> Any:
    """The first `rows` rows, with each value of a dictionary counted as often as it stands in a row."""
    import pyarrow as pa

    batches: list[Any] = []
    kept, size = 0, 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS):
        part = batch.slice(0, rows - kept)
        batches.append(part)
        kept += part.num_rows
        size += sum(_expanded_size(column) for column in part.columns)
        if size > limit:
            _too_large(shown_as, size, limit)
        if kept >= rows:
            break
    return pa.Table.from_batches(batches, schema=batches[0].schema if batches else file.schema_arrow)


def _expanded_size(column: Any) -> int:
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = np.array([len(value) for value in column.dictionary.to_pylist()], dtype=float)
    used = column.indices.drop_null().to_numpy(zero_copy_only=False)
    return int(lengths[used].sum()) if len(used) else 0


def _frame(table: Any) -> pd.DataFrame:
    import pyarrow as pa

    plain = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain)).to_pandas(ignore_metadata=True)


def _require_magic(path: Path, shown_as: str) -> None:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(-4, -path.stat().st_size), 2)
        tail = file.read(4)
    if head.startswith(_ZIP_MAGIC):
        _refuse(shown_as, "it is a zip archive")
    if head != _MAGIC or tail != _MAGIC:
        _refuse(shown_as, "it does not begin and end with PAR1")


def _too_large(shown_as: str, size: int, limit: int) -> NoReturn:
    raise InputTooLarge(
        f"{shown_as} unpacks to {size / 2**20:.0f} MiB, over the limit of {limit / 2**20:.0f} MiB",
        do="give a sample of its rows, or raise MLESTAR_MAX_FILE_MB",
    )


def _refuse(shown_as: str, why: str) -> NoReturn:
    raise InvalidInput(f"{shown_as} is not a readable parquet file: {why}", do="write it again with a parquet library")
