"""parquet: read in batches, so that a small file cannot unpack into more than the limit."""

from __future__ import annotations

import json
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
    """Read at most `max_rows` rows; lists, structs and maps are kept as JSON text, bytes as text, durations as seconds.

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

    plain = table.cast(pa.schema([field.with_type(_plain(field.type)) for field in table.schema]))
    frame: pd.DataFrame = plain.to_pandas(ignore_metadata=True)
    for field in plain.schema:
        if pa.types.is_nested(field.type):
            frame[field.name] = [_as_text(value) for value in plain.column(field.name).to_pylist()]
        elif _is_binary(field.type):
            frame[field.name] = [
                None if value is None else value.decode("utf-8", "backslashreplace") for value in frame[field.name]
            ]
        elif pa.types.is_duration(field.type):
            frame[field.name] = frame[field.name].dt.total_seconds()
    return frame


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)


def _plain(kind: Any) -> Any:
    """The type of a column as the checks read it: categories as their values, decimals and halves as floats."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.float64() if pa.types.is_decimal(kind) or pa.types.is_float16(kind) else kind


def _as_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, default=str)


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
