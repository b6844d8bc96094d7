from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlestar.storage.embeddings import EmbeddingStore
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    import pytest

WRITER = """
import sys
from pathlib import Path
from mlestar.storage.embeddings import EmbeddingStore
store = EmbeddingStore(Path(sys.argv[1]))
for number in range(40):
    store.put({f"{who}-{number}": f"{who} {number}".encode() for who in ("both", sys.argv[2])})
"""


def test_what_was_kept_comes_back_and_the_rest_does_not(tmp_path: Path) -> None:
    EmbeddingStore(tmp_path).put({"a": b"one", "b": b"two"})
    assert EmbeddingStore(tmp_path).get(["a", "b", "c"]) == {"a": b"one", "b": b"two"}


def test_the_oldest_make_room(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, most=3)
    for name in "abcde":
        store.put({name: name.encode()})
    assert list(store.get(list("abcde"))) == ["c", "d", "e"]


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), who]) for who in ("left", "right")]
    assert [writer.wait(PATIENCE_S) for writer in writers] == [0, 0]
    names = [f"{who}-{number}" for who in ("both", "left", "right") for number in range(40)]
    assert EmbeddingStore(tmp_path).get(names) == {name: name.replace("-", " ").encode() for name in names}


def test_a_vector_changed_on_disk_is_not_believed(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    store.put({"a": b"one", "b": b"two"})
    connection = sqlite3.connect(tmp_path / "artifacts" / "embeddings.sqlite3")
    connection.execute("UPDATE vectors SET vector = x'00' WHERE name = 'a'")
    connection.commit()
    connection.close()
    assert store.get(["a", "b"]) == {"b": b"two"}


def test_a_broken_file_costs_the_vectors_and_is_named_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "embeddings.sqlite3").write_bytes(b"no database at all" * 100)
    store = EmbeddingStore(tmp_path)
    store.put({"a": b"one"})
    assert store.get(["a"]) == {}
    assert "embeddings.sqlite3" in caplog.text
