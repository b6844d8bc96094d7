"""jsonl: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

_CHUNK_ROWS = 50_000


def read_json_lines(path: Path, *, shown_as: str, max_rows: int, max_bytes: int) -> tuple[pd.DataFrame, int]:
    """Read at most `max_rows` objects; nested values are kept as JSON text.

    Raises:
        InvalidInput: A line that is not a JSON object, or not UTF-8: named by its number.
    """
    import pandas as pd

    del max_bytes  # text does not unpack: its size was checked before
    parts: list[pd.DataFrame] = []
    records: list[dict[str, Any]] = []
    n_rows = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            n_rows += 1
            if n_rows > max_rows:
                continue
            records.append(_record(line, number, shown_as))
            if len(records) == _CHUNK_ROWS:
                parts.append(pd.DataFrame(records))
                records = []
    if records:
        parts.append(pd.DataFrame(records))
    if not parts:
        raise InvalidInput(f"{shown_as} holds only blank lines", do="write one JSON object a line")
    return (parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)), n_rows


def _record(line: bytes, number: int, shown_as: str) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidInput(
            f"{shown_as}, line {number}: {reason}", do="write one JSON object a line, in UTF-8"
        ) from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{shown_as}, line {number}: not a JSON object", do="write one JSON object a line")
    return {str(key): _flat(item) for key, item in value.items()}


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return record


def _flat(item: Any) -> Any:
    return json.dumps(item, sort_keys=True) if isinstance(item, dict | list) else item
