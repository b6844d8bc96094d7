from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from mlestar.storage.processes import FOLDER, ProcessRecords, Recorded, began_at, is_running, place

WAITS = "import sys; print(flush=True); sys.stdin.read()"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until its test is over."""
    command = [sys.executable, "-c", WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        yield process
        process.kill()


def abandoned(pid: int) -> Recorded:
    """The record of a process whose starter is gone."""
    return Recorded(place=place(), pid=pid, began=began_at(pid) or "", owner_pid=os.getpid(), owner_began="long ago")


def write(folder: Path, recorded: Recorded) -> None:
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / f"{recorded.pid}.json").write_text(json.dumps(asdict(recorded)), encoding="utf-8")


def test_a_process_is_known_by_its_id_and_its_beginning(sleeper: subprocess.Popen[bytes]) -> None:
    began = began_at(sleeper.pid)
    assert began is not None
    assert is_running(sleeper.pid, began)
    assert not is_running(sleeper.pid, began + "0")
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # ended, its status not yet read
    assert not is_running(sleeper.pid, began)


def test_a_process_whose_starter_lives_is_not_left_behind(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    records = ProcessRecords(tmp_path)
    records.add(sleeper.pid)
    assert records.left_behind() == []
    assert len(list((tmp_path / FOLDER).iterdir())) == 1
    records.remove(sleeper.pid)
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_process_whose_starter_is_gone_is_left_behind(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    write(tmp_path, abandoned(sleeper.pid))
    assert [one.pid for one in ProcessRecords(tmp_path).left_behind()] == [sleeper.pid]


@pytest.mark.parametrize(
    ("change", "kept"),
    [({"began": "1"}, False), ({"place": "another machine"}, True)],
    ids=["the id was given to another process", "the record is of another machine"],
)
def test_a_record_of_another_process_is_nobodys_orphan(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], change: dict[str, str], kept: bool
) -> None:
    write(tmp_path, replace(abandoned(sleeper.pid), **change))
    assert ProcessRecords(tmp_path).left_behind() == []
    assert bool(list((tmp_path / FOLDER).iterdir())) is kept


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_half_written_record_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "1.json").write_text(text, encoding="utf-8")
    assert ProcessRecords(tmp_path).left_behind() == []
