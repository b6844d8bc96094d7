"""Prepared data and answers as files and back: what is read again is equal to what was written."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlestar.core.run import StageCheck
from mlestar.stages import table
from mlestar.stages.data import TRUTH, Prepared

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_FRAMES = ("train", "test")


def prepared_files(prepared: Prepared) -> dict[str, bytes]:
    """`train.parquet`, `test.parquet`, `prepared.json`."""
    meta = {
        name: getattr(prepared, name)
        for name in ("target", "task", "kinds", "unused", "split", "split_says", "classes", "group", "time", "facts")
    }
    files = {f"{name}.parquet": _parquet(getattr(prepared, name)) for name in _FRAMES}
    return files | {"prepared.json": json.dumps(meta, sort_keys=False).encode()}


def prepared_from(files: Mapping[str, bytes], checks: list[Mapping[str, str]]) -> Prepared:
    """What `prepared_files` took apart."""
    meta: dict[str, Any] = json.loads(files["prepared.json"])
    meta["classes"] = tuple(meta["classes"])
    frames: dict[str, Any] = {name: _frame(files[f"{name}.parquet"]) for name in _FRAMES}
    return Prepared(**meta, **frames, checks=tuple(StageCheck(**check) for check in checks))


def truth_of(rows: pd.DataFrame, prepared: Prepared) -> np.ndarray:
    """(n_rows,) class indices, or values of a regression."""
    if not prepared.classes:
        return rows[prepared.target].to_numpy(dtype="float64")
    places = {label: place for place, label in enumerate(prepared.classes)}
    return rows[prepared.target].map(places).to_numpy(dtype="int64")


def array_bytes(array: np.ndarray) -> bytes:
    """An array in numpy's own format, without pickle."""
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def array_from(data: bytes) -> np.ndarray:
    """What `array_bytes` wrote."""
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)


def _parquet(rows: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _frame(data: bytes) -> pd.DataFrame:
    import pandas as pd

    rows = pd.read_parquet(io.BytesIO(data))
    kinds = {str(name): _stored_kind(rows[name]) for name in rows.columns}
    return table.as_frame(rows, kinds)


def _stored_kind(column: pd.Series) -> str:
    import pandas as pd

    if pd.api.types.is_float_dtype(column) or column.name == TRUTH:
        return table.NUMERIC
    return table.DATE if pd.api.types.is_datetime64_any_dtype(column) else table.CATEGORICAL
