"""Paths stay below the allowed roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlestar.errors import InvalidInput, NotFound, OutsideRoots
from mlestar.evidence.roots import resolve_inside, root_of
from support.trees import write_tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_tree(tmp_path, {"outside.txt": "x", "root/a/train.csv": "x", "root/b.txt": "x"})
    (tmp_path / "root" / "link").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "root" / "loop").symlink_to(tmp_path / "root" / "loop")
    return tmp_path / "root"


@pytest.mark.parametrize("path", ["a/train.csv", "a/../a/train.csv", "."])
def test_what_lies_inside_is_resolved(root: Path, path: str) -> None:
    assert resolve_inside(path, [root]) == (root / path).resolve()
    assert resolve_inside(str(root / path), [root]) == (root / path).resolve()


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "link", "a/../../outside.txt"])
def test_what_leads_outside_is_refused_and_names_the_roots(root: Path, path: str) -> None:
    with pytest.raises(OutsideRoots) as caught:
        resolve_inside(path, [root])
    assert caught.value.valid == (str(root.resolve()),)


def test_existence_outside_is_not_told(root: Path) -> None:
    messages = []
    for name in ("../outside.txt", "../nothing.txt"):
        with pytest.raises(OutsideRoots) as caught:
            resolve_inside(name, [root])
        messages.append(caught.value.message.replace(name, ""))
    assert messages[0] == messages[1]


def test_a_missing_file_lists_close_names(root: Path) -> None:
    with pytest.raises(NotFound) as caught:
        resolve_inside("a/trian.csv", [root])
    assert caught.value.valid == ("train.csv",)


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_empty_paths_are_refused(root: Path, path: str) -> None:
    with pytest.raises(InvalidInput):
        resolve_inside(path, [root])


def test_a_symlink_loop_is_an_error_not_a_hang(root: Path) -> None:
    with pytest.raises((InvalidInput, NotFound)):
        resolve_inside("loop", [root])


def test_no_roots_means_nothing_may_be_read(root: Path) -> None:
    with pytest.raises(OutsideRoots):
        resolve_inside(str(root), [])


def test_the_second_root_is_tried_too(root: Path, tmp_path: Path) -> None:
    other = write_tree(tmp_path / "other", {"c.txt": "x"})
    assert resolve_inside("c.txt", [root, other]) == (other / "c.txt").resolve()
    assert root_of((other / "c.txt").resolve(), [root, other]) == other.resolve()
