"""Walks and reads a foreign folder within limits: no symlink is followed, nothing but regular files is opened."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlestar.core.facts.project import Skipped

UNWALKED = frozenset(
    {
        ".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox", ".eggs",
        "site-packages", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".ipynb_checkpoints", ".import_linter_cache",
        ".hypothesis", ".idea", ".gradle", ".terraform", ".cache", "htmlcov",
    }
)  # fmt: skip
"""Folders of tools and dependencies: not the project's own work."""
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of a project is read. Sizes are in bytes; all are ours, chosen for 10,000 files in 5 s."""

    files: int = 50_000
    text_file: int = 1 << 20
    text_files: int = 20_000
    text_total: int = 96 << 20
    hashed_file: int = 256 << 20
    hashed_total: int = 1 << 30
    notebook_file: int = 16 << 20
    manifest_file: int = 512 << 10
    manifest_total: int = 6 << 20
    model_scan: int = 64 << 20
    commits: int = 400
    git_seconds: float = 10.0
    scan_files: int = 3_000
    scan_seconds: float = 20.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """A regular file of the walk: its shown path, its real one, its size in bytes."""

    path: str
    real: Path
    size: int


def walk(root: Path, limits: Limits) -> tuple[list[Found], list[Skipped], bool]:
    """Regular files in path order, what was skipped, and whether the file limit cut the walk short.

    Folders are taken breadth-first, so that a limit keeps what lies near the root.
    """
    found: list[Found] = []
    skipped: list[Skipped] = []
    folders = deque([(root, "")])
    truncated = False
    while folders and not truncated:
        folder, prefix = folders.popleft()
        try:
            with os.scandir(folder) as entries:
                listing = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            skipped.append(Skipped(path=prefix or ".", reason=f"unreadable folder ({type(error).__name__})"))
            continue
        for entry in listing:
            if len(found) >= limits.files:
                truncated = True
                break
            shown = prefix + _shown(entry.name)
            kind = _kind(entry)
            if kind == "folder":
                if entry.name not in UNWALKED:
                    folders.append((Path(entry.path), shown + "/"))
            elif kind == "file":
                found.append(Found(path=shown, real=Path(entry.path), size=entry.stat(follow_symlinks=False).st_size))
            else:
                skipped.append(Skipped(path=shown, reason=kind))
    return sorted(found, key=lambda file: file.path), skipped, truncated


def read_bytes(path: Path, limit: int) -> bytes:
    """At most `limit` bytes from the start of a regular file.

    Raises:
        OSError: It cannot be opened, or is a symlink or device by now.
    """
    with _open(path) as file:
        return file.read(limit)


def chunks(path: Path) -> Iterator[bytes]:
    """The whole file, piece by piece."""
    with _open(path) as file:
        while piece := file.read(_CHUNK):
            yield piece


def file_digest(path: Path, algorithm: str) -> str:
    """Hex digest of the file's bytes, `algorithm` as hashlib names it."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for piece in chunks(path):
        digest.update(piece)
    return digest.hexdigest()


def _open(path: Path):  # noqa: ANN202 - a binary file object; its exact type differs by buffering
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return os.fdopen(descriptor, "rb")


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        if entry.is_symlink():
            return "symlink, not followed"
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        return "file" if entry.is_file(follow_symlinks=False) else "not a regular file"
    except OSError as error:
        return f"unreadable ({type(error).__name__})"
