"""One folder with every trap of the list, judged whole: bounded, nothing executed, nothing outside it read."""

from __future__ import annotations

import json
import os
import pickle
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mlestar.errors import MlestarError
from mlestar.execution.judge import judge
from support.trees import commit, write_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="symlinks, pipes and resource limits are POSIX")

SECRET = "the-neighbours-secret"  # noqa: S105 - stands outside the folder: it must not turn up
LIMIT_S, LIMIT_MB = 30, 700
"""CPU and memory of the whole evaluation: an honest small project takes 1 s and 250 MB, most of it libraries."""
SCRIPT = """
import json, resource, sys
from mlestar.execution.judge import judge
answer = judge(json.loads(sys.argv[1]), lambda *_: None)
print(json.dumps(answer, ensure_ascii=False))
"""
LAUGHS = "a: &a [1, 1, 1]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
_PIECES = (
    "[a](",
    "[",
    "(",
    "|",
    "`",
    "#",
    "1",
    "A",
    "_",
    "-",
    "- ",
    "a: ",
    "1.5, ",
    "<a ",
    "@a",
    "a.b-c",
    "Ada Byron ",
)
AGAIN = "\n\n".join(f"# Goal\n\n{piece * (30_000 // len(piece))}" for piece in _PIECES)
"""Words and lines that no person writes: a pattern that goes back and forth over them takes minutes."""
ENTITIES = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><testsuites>&b;</testsuites>'


class Payload:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    (tmp_path / "outside.py").write_text(f"key = '{SECRET}'\n", encoding="utf-8")
    root = tmp_path / "hostile"
    sprung = tmp_path / "sprung"
    run_me = f"import pathlib\npathlib.Path({str(sprung)!r}).touch()\n"
    write_tree(
        root,
        {
            "conftest.py": run_me,
            "setup.py": run_me,
            "sitecustomize.py": run_me,
            "binary.py": b"\x7fELF\x00\x01\x02" * 1000,
            "deep.py": "x = " + "(" * 50_000,
            "long.py": "x = 1 + " + "1 + " * 200_000 + "1\n",
            "config.yaml": LAUGHS,
            "deep.yaml": "[" * 100_000,
            "deep.json": "[" * 1_000_000,
            "junit.xml": ENTITIES,
            "broken.ipynb": "{cells",
            "odd.ipynb": '{"cells": [1, null, {"source": 5}]}',
            "model.pkl": pickle.dumps(Payload(sprung)),
            "torn.pkl": b"\x80\x05\x95" + b"\xff" * 500,
            "pyproject.toml": "[tool.mlestar.inputs]\ntrain = '../outside.py'\nload = 'os:system'\n",
            "README.md": AGAIN,
            "MODEL_CARD.md": AGAIN,
            "ERROR_ANALYSIS.md": AGAIN,
            "train.py": f'"""{AGAIN}"""\n',
            "problem.yaml": f"goal: '{AGAIN[:60_000]}'\n",
            ".git/hooks/post-checkout": f"#!/bin/sh\ntouch {sprung}\n",
            "twice.csv": "a,b,a\n1,2,3\n",
            "header.csv": "a,target\n",
            "nothing.csv": "a,target\n" + ",\n" * 50,
            "one_class.csv": "a,target\n" + "".join(f"{i},1\n" for i in range(50)),
            "encodings.csv": "a,target\nMüller,1\n".encode() + "Köln,0\n".encode("cp1252"),
            "good.csv": "a,target\n" + "".join(f"{i},{i % 2}\n" for i in range(50)),
        },
    )
    with zipfile.ZipFile(root / "bomb.parquet", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", b"\0" * 100_000_000)
    with (root / "huge.csv").open("wb") as file:
        file.truncate(1 << 30)
    with (root / "huge.py").open("wb") as file:
        file.truncate(1 << 30)
    (root / "loop").symlink_to(root)
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "up").symlink_to(root / "a")
    (root / "escape.py").symlink_to(tmp_path / "outside.py")
    (root / "etc").symlink_to("/etc")
    os.mkfifo(root / "pipe.yaml")
    if sys.platform == "linux":
        (root / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n", encoding="utf-8")
    return root


def payload(root: Path, **places: str) -> dict[str, Any]:
    named = {
        name: {"path": str(root / path), "shown": path, "boundary": str(root)} for name, path in places.items() if path
    }
    project = {"path": str(root), "shown": root.name, "boundary": str(root)}
    return {
        "claims": {},
        "dimensions": list("STARX"),
        "places": {"project": project, **named},
        "target": "target" if places else "",
        "groups": [],
        "time": "",
        "execute": False,
        "max_rows": 100_000,
        "max_bytes": 1 << 28,
    }


def test_a_hostile_repository_is_judged_within_bounds_and_runs_nothing(hostile: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(payload(hostile))],
        cwd=hostile,
        env={**os.environ, "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
        timeout=10 * LIMIT_S,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < LIMIT_S
    answer = json.loads(ran.stdout)
    assert [(f["check"], f["observed"]) for f in answer["findings"] if f["outcome"] == "error"] == []
    assert not (hostile.parent / "sprung").exists()
    assert SECRET not in ran.stdout.decode()
    assert any("inputs.train" in problem and "outside" in problem for problem in answer["terms"]["problems"])
    dangerous = next(f for f in answer["findings"] if f["check"] == "X3.3")
    assert (dangerous["outcome"], dangerous["where"]["path"]) == ("fail", "model.pkl")


DATA: dict[str, str] = {
    "bomb.parquet": "zip archive",
    "huge.csv": "limit",
    "twice.csv": "'a'",
    "header.csv": "no rows",
    "encodings.csv": "line 3 is not",
    "model.pkl": ".parquet",
    "pipe.yaml": "",
    "a": "",
}


@pytest.mark.parametrize("name", DATA)
def test_hostile_data_is_refused_with_what_is_wrong_and_what_to_do(hostile: Path, name: str) -> None:
    start = time.process_time()
    with pytest.raises(MlestarError) as refused:
        judge(payload(hostile, train=name), lambda *_: None)
    assert DATA[name] in str(refused.value)
    assert refused.value.do or refused.value.valid
    assert time.process_time() - start < LIMIT_S
    assert not (hostile.parent / "sprung").exists()


@pytest.mark.parametrize("name", ["nothing.csv", "one_class.csv"])
def test_data_that_cannot_be_learnt_from_breaks_no_check(hostile: Path, name: str) -> None:
    answer = judge(payload(hostile, train=name, test="good.csv"), lambda *_: None)
    assert [f["check"] for f in answer["findings"] if f["outcome"] == "error"] == []


def test_a_hundred_thousand_files_are_cut_off_in_time_and_said_so(tmp_path: Path) -> None:
    for folder in range(100):
        here = write_tree(tmp_path, {f"{folder}/0.py": "import os\n"}) / str(folder)
        for number in range(1, 1000):
            os.link(here / "0.py", here / f"{number}.py")
    start = time.process_time()
    answer = judge(payload(tmp_path), lambda *_: None)
    assert time.process_time() - start < LIMIT_S
    assert answer["read"]["project"]["truncated"]


def test_a_history_that_lacks_its_objects_is_unknown(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "p", {"a.py": "x = 1\n"})
    commit(root)
    for item in (root / ".git" / "objects").rglob("*"):
        if item.is_file():
            item.chmod(0o644)
            item.write_bytes(b"")
    answer = judge(payload(root), lambda *_: None)
    assert answer["read"]["project"]["commit"] == ""
    assert {f["outcome"] for f in answer["findings"] if f["check"] == "X2.1"} == {"unknown"}


@pytest.mark.parametrize("piece", _PIECES)
def test_a_statement_that_nobody_writes_costs_no_minutes(piece: str) -> None:
    start = time.process_time()
    text = piece * (20_000 // len(piece))
    claims = {"scoping": {"goal": text, "success": text, "owners": text, "timeline": text, "data": text}}
    judge({**payload(Path("/nowhere")), "places": {}, "claims": claims, "dimensions": ["S"]}, lambda *_: None)
    assert time.process_time() - start < LIMIT_S
