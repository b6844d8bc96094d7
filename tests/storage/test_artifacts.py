from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlestar.errors import NotFound, WorkFailed
from mlestar.storage.artifacts import Artifacts


def test_the_same_content_is_one_file_under_its_hash(tmp_path: Path) -> None:
    store = Artifacts(tmp_path)
    assert store.put(b"a") == store.put(b"a") != store.put(b"b")
    assert store.get(store.put(b"a")) == b"a"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_a_damaged_file_is_told_from_a_missing_one_and_neither_is_returned(tmp_path: Path) -> None:
    store = Artifacts(tmp_path)
    sha256 = store.put(b"whole")
    store.path(sha256).write_bytes(b"torn")
    with pytest.raises(NotFound, match="damaged"):
        store.get(sha256)
    with pytest.raises(NotFound, match="no artifact"):
        store.get("0" * 64)


def test_a_stage_is_recalled_only_while_every_file_of_it_is_whole(tmp_path: Path) -> None:
    store = Artifacts(tmp_path)
    record = {"artifacts": {"model": store.put(b"model")}, "summary": {"n": 1}}
    assert store.recall("f" * 64) is None
    store.remember("f" * 64, record)
    assert store.recall("f" * 64) == record
    store.path(record["artifacts"]["model"]).unlink()  # type: ignore[index] # a mapping
    assert store.recall("f" * 64) is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_says_what_to_do_and_leaves_no_part_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123 - a real ENOSPC
            device.write(b"x")
        os.close(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkFailed, match="No space left") as caught:
        Artifacts(tmp_path).put(b"much")
    assert "free some disk space" in caught.value.do
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
