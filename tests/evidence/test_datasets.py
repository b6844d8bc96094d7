"""Reading tables: what is accepted, what is refused, and what a refusal says."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlestar.errors import InputTooLarge, InvalidInput, MlestarError, NotFound
from mlestar.evidence.datasets import BUILT_IN, is_builtin, read_builtin, read_table

if TYPE_CHECKING:
    from mlestar.core.facts.data import Table

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 1.5], "c": ["x", "ü", "z"]})


def read(path: Path, *, max_rows: int = 1000, max_bytes: int = 10**7) -> Table:
    return read_table(path, shown_as=path.name, max_rows=max_rows, max_bytes=max_bytes)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_the_same_frame_comes_back_from_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data{suffix}"
    if suffix == ".parquet":
        FRAME.to_parquet(path)
    elif suffix == ".jsonl":
        FRAME.to_json(path, orient="records", lines=True)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    table = read(path)
    pd.testing.assert_frame_equal(table.frame, FRAME, check_dtype=False)
    assert table.frame["a"].dtype.kind == "i"
    assert (table.n_rows, table.path) == (3, f"data{suffix}")
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_rows_over_the_cap_are_counted_but_not_kept(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"a": range(500), "t": ["two\nlines"] * 500})
    path = tmp_path / f"long{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)
    table = read(path, max_rows=120)
    assert (len(table.frame), table.n_rows) == (120, 500)


@pytest.mark.parametrize(
    ("content", "column", "first"),
    [
        ("naïve;b\n1,5;2\n", "naïve", 1.5),
        ("naïve;b\n1,5;31.12.2024\n", "naïve", 1.5),
        ("a;b\n1.234,5;2\n7;3\n", "a", 1234.5),
        ('a,b\n"1,234",2\n"12,345.5",3\n', "a", 1234),
        (" a , b\n1, 2\n", "a", 1),
        ("\ufeffid,b\n1,2\n", "id", 1),
        ("a|b\n1|2\n", "a", 1),
        (",a\n0,7\n1,8\n", "a", 7),
        ('"a,b",c\n1,2\n', "a,b", 1),
    ],
)
def test_separators_marks_and_written_indexes_are_understood(
    tmp_path: Path, content: str, column: str, first: float
) -> None:
    frame = read(written(tmp_path / "data.csv", content)).frame
    assert frame.columns[0] == column
    assert frame.iloc[0, 0] == first


@pytest.mark.parametrize(("encoding", "text"), [("cp1252", "Müller"), ("utf-16", "Müller"), ("utf-8", "日本")])
def test_one_encoding_throughout_is_detected(tmp_path: Path, encoding: str, text: str) -> None:
    path = written(tmp_path / "data.csv", f"name,n\n{text},1\n".encode(encoding))
    assert read(path).frame["name"].tolist() == [text]


REFUSED: list[tuple[str, bytes, type[MlestarError], str]] = [
    ("empty.csv", b"", InvalidInput, "is empty"),
    ("blank.csv", b"\n\n\n", InvalidInput, "blank lines"),
    ("header.csv", b"a,b\n", InvalidInput, "no rows"),
    ("twice.csv", b"a,b,a\n1,2,3\n", InvalidInput, "'a'"),
    ("ragged.csv", b"a,b\n1,2\n1,2,3\n", InvalidInput, "row 3 has 3 fields"),
    ("late.csv", b"a,b\n" + b"1,2\n" * 400 + b"1,2,3\n", InvalidInput, "line 402"),
    ("binary.csv", b"a,b\n1,\0\n", InvalidInput, "NUL"),
    ("mixed.csv", "a\nMüller\n".encode() + "Köln\n".encode("cp1252"), InvalidInput, "line 3 is not"),
    ("neither.csv", b"a\n\x81\x8d\n", InvalidInput, "neither UTF-8 nor"),
    ("table.xlsx", b"PK", InvalidInput, ".parquet"),
    ("noise.parquet", b"nothing at all", InvalidInput, "PAR1"),
    ("torn.parquet", b"PAR1" + b"x" * 40 + b"PAR1", InvalidInput, "not a readable parquet"),
    ("text.jsonl", b"not json\n", InvalidInput, "line 1"),
    ("list.jsonl", b'{"a": 1}\n[1]\n', InvalidInput, "line 2"),
    ("key.jsonl", b'{"a": 1, "a": 2}\n', InvalidInput, "twice"),
    ("deep.jsonl", b'{"a":' + b"[" * 100_000 + b"\n", InvalidInput, "line 1"),
    ("blank.jsonl", b"\n\n", InvalidInput, "blank lines"),
]


@pytest.mark.parametrize(("name", "content", "error", "says"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_file_that_is_no_table_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, error: type[MlestarError], says: str
) -> None:
    with pytest.raises(error) as caught:
        read(written(tmp_path / name, content))
    assert says in str(caught.value)
    assert name in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_zip_bomb_named_parquet_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", b"\0" * 50_000_000)
    with pytest.raises(InvalidInput, match="zip archive"):
        read(path)


def test_a_parquet_file_that_unpacks_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    pd.DataFrame({"a": np.repeat("x" * 50_000, 600)}).to_parquet(path, compression="zstd")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InputTooLarge, match="unpacks to"):
        read(path, max_bytes=1_000_000)


def test_a_file_over_the_size_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "big.csv", "a\n" + "1\n" * 1000)
    with pytest.raises(InputTooLarge, match="MLESTAR_MAX_FILE_MB"):
        read(path, max_bytes=100)


def test_a_missing_file_is_answered_with_its_neighbours(tmp_path: Path) -> None:
    written(tmp_path / "train.csv", "a\n1\n")
    with pytest.raises(NotFound) as caught:
        read(tmp_path / "trian.csv")
    assert caught.value.valid == ("train.csv",)
    with pytest.raises(InvalidInput, match="folder"):
        read(tmp_path)


def test_nested_values_are_kept_as_json_text(tmp_path: Path) -> None:
    path = written(tmp_path / "nested.jsonl", json.dumps({"a": {"b": [1, 2]}}) + "\n")
    assert read(path).frame["a"].tolist() == ['{"b": [1, 2]}']


@pytest.mark.parametrize(
    ("values", "kind", "first"),
    [
        ([[1, 2], None], None, "[1, 2]"),
        ([{"b": 1, "a": date(2024, 1, 2)}, None], None, '{"a": "2024-01-02", "b": 1}'),
        ([[("k", 1)], []], pa.map_(pa.string(), pa.int64()), '[["k", 1]]'),
        ([b"\xff", None], None, "\\xff"),
        ([Decimal("1.50"), None], None, 1.5),
        ([timedelta(minutes=2), None], None, 120.0),
    ],
)
def test_parquet_types_that_hold_no_plain_value_are_made_plain(
    tmp_path: Path, values: list[object], kind: Any, first: object
) -> None:
    parquet.write_table(pa.table({"a": pa.array(values, kind), "b": [1, 2]}), tmp_path / "data.parquet")
    column = read(tmp_path / "data.parquet").frame["a"]
    assert column.iloc[0] == first
    assert column.nunique() >= 1


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_set_has_a_target_and_a_stable_hash(name: str) -> None:
    assert is_builtin(f"sklearn:{name}")
    table = read_builtin(f"sklearn:{name}")
    assert "target" in table.frame.columns
    assert table.n_rows == len(table.frame)
    assert table.sha256 == read_builtin(name).sha256


def test_an_unknown_built_in_set_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(NotFound, match="did you mean sklearn:iris"):
        read_builtin("sklearn:irsi")
