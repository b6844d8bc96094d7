"""Reading hostile and odd folders: bounded, nothing followed, nothing executed, never a crash."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from mlestar.errors import InvalidInput, NotFound
from mlestar.evidence.bounded import Limits
from mlestar.evidence.project import kind_of, read_project
from support.trees import commit, write_tree


def test_symlinks_are_named_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("outside", encoding="utf-8")
    root = write_tree(tmp_path / "p", {"a.py": "x = 1\n"})
    (root / "loop").symlink_to(root)
    (root / "escape.txt").symlink_to(tmp_path / "secret.txt")
    project = read_project(root)
    assert list(project.files) == ["a.py"]
    assert {skipped.path for skipped in project.skipped} == {"loop", "escape.txt"}


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are POSIX")
def test_a_named_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert read_project(tmp_path).skipped[0].reason == "not a regular file"


def test_a_huge_file_is_listed_but_neither_read_nor_hashed(tmp_path: Path) -> None:
    with (tmp_path / "train.csv").open("wb") as file:
        file.truncate(1 << 30)  # sparse: 1 GiB on paper
    with (tmp_path / "big.py").open("wb") as file:
        file.truncate(1 << 30)
    project = read_project(tmp_path)
    assert project.files["train.csv"].size == 1 << 30
    assert project.files["train.csv"].sha256 == ""
    assert project.texts == {}
    assert len(project.skipped) == 2


def test_a_binary_named_as_source_is_no_source(tmp_path: Path) -> None:
    project = read_project(write_tree(tmp_path, {"a.py": b"\x7fELF\x00\x01\x02" * 100}))
    assert project.modules == {}
    assert project.files["a.py"].kind == "binary"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_an_undecodable_name_becomes_printable(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n", encoding="utf-8")
    (path,) = read_project(tmp_path).files
    assert path == "caf\\xe9.py"
    json.dumps(path).encode("utf-8")


BROKEN = {
    "not json": b"{cells",
    "a list": b"[]",
    "cells is a word": b'{"cells": "x"}',
    "cells are numbers": b'{"cells": [1, null]}',
    "very deep": b"[" * 100_000,
    "not text": b"\x00\x01",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_notebook_is_no_crash(name: str, tmp_path: Path) -> None:
    project = read_project(write_tree(tmp_path, {"n.ipynb": BROKEN[name]}))
    assert all(module.text.strip() == "" for module in project.modules.values())


def test_source_that_does_not_parse_has_no_tree(tmp_path: Path) -> None:
    files = {"a.py": "def (:\n", "deep.py": "x = " + "(" * 5000, "nul.py": "x = '\x01'\n", "odd.py": "x = '\\d'\n"}
    project = read_project(write_tree(tmp_path, files))
    assert project.modules["a.py"].tree is None
    assert project.modules["deep.py"].tree is None
    assert project.modules["odd.py"].tree is not None


def test_too_many_files_are_cut_off_and_said_so(tmp_path: Path) -> None:
    project = read_project(write_tree(tmp_path, {f"d/{n}.txt": "x" for n in range(50)}), limits=Limits(files=20))
    assert len(project.files) == 20
    assert project.truncated


def test_the_text_budget_bounds_what_is_kept(tmp_path: Path) -> None:
    files = {f"{n}.md": "x" * 100 for n in range(50)}
    project = read_project(write_tree(tmp_path, files), limits=Limits(text_total=1000))
    assert sum(len(text) for text in project.texts.values()) <= 1000
    assert len(project.files) == 50


def test_line_endings_and_marks_do_not_change_the_text(tmp_path: Path) -> None:
    project = read_project(write_tree(tmp_path, {"a.py": b"\xef\xbb\xbfx = 1\r\ny = 2\r\n"}))
    assert project.texts["a.py"] == "x = 1\ny = 2\n"


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    write_tree(tmp_path, {"b.yaml": "a: 1\n", "a.py": "x = 1\n", "c/d.json": "{}"})
    first, second = read_project(tmp_path), read_project(tmp_path)
    assert first.files == second.files
    assert first.manifests == second.manifests


def test_git_is_read_from_the_boundary_down_only(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"sub/a.py": "x = 1\n"})
    commit(root)
    assert read_project(root / "sub").git is None
    inside = read_project(root / "sub", boundary=root).git
    assert inside is not None
    assert inside.tracked == {"a.py"}


def test_a_repository_that_points_elsewhere_is_unknown(tmp_path: Path) -> None:
    other = write_tree(tmp_path / "other", {"a.py": ""})
    commit(other)
    root = write_tree(tmp_path / "p", {".git": f"gitdir: {other / '.git'}\n", "b.py": ""})
    assert read_project(root).git is None


@pytest.mark.skipif(sys.platform == "win32", reason="the planted program is a shell script")
def test_a_hostile_repository_starts_no_program(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "p", {"a.py": "x = 1\n"})
    commit(root)
    trap = write_tree(tmp_path, {"trap.sh": f"#!/bin/sh\ntouch {tmp_path}/sprung\n"}) / "trap.sh"
    trap.chmod(0o755)
    config = (root / ".git" / "config").read_text(encoding="utf-8")
    planted = (
        f"[core]\n\tfsmonitor = {trap}\n\tpager = {trap}\n\tsshCommand = "
        f"{trap}\n[gpg]\n\tprogram = {trap}\n[log]\n\tshowSignature = true\n"
    )
    (root / ".git" / "config").write_text(config + planted, encoding="utf-8")
    assert read_project(root).git is not None
    assert not (tmp_path / "sprung").exists()


def test_a_missing_object_makes_the_history_unknown_not_a_crash(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"a.py": "x = 1\n"})
    commit(root)
    for folder in (root / ".git" / "objects").iterdir():
        if len(folder.name) == 2:
            for item in folder.iterdir():
                item.chmod(0o644)
                item.unlink()
    project = read_project(root)
    assert project.git is None
    assert "a.py" in project.modules


@pytest.mark.parametrize(("name", "error"), [("nowhere", NotFound), ("a.py", InvalidInput)])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str, error: type[Exception]) -> None:
    write_tree(tmp_path, {"a.py": ""})
    with pytest.raises(error):
        read_project(tmp_path / name)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("Makefile", "script"), ("a/Dockerfile.prod", "script"), ("x.ipynb", "notebook"), ("m/clf.joblib", "model"),
     ("d.parquet", "data"), ("README", "text"), ("k.yml", "config"), ("a.PNG", "binary")],
)  # fmt: skip
def test_kinds_follow_names(path: str, kind: str) -> None:
    assert kind_of(path) == kind
