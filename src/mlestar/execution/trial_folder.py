"""A place to run a project in: a bounded copy, a clean environment, an interpreter."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlestar.evidence.bounded import UNWALKED
from mlestar.execution.enclosure import Allowance, Ended, run_enclosed

MOST_FILES = 50_000
MOST_BYTES = 2 << 30
_VENVS = (".venv", "venv")


class TooLarge(Exception):
    """The project has more than is copied."""


class TrialFolder:
    """A temporary folder with two parts: a world that the project's code may write to, and what only the judge writes.

    Attributes:
        own: The judge's part: requests, rows, what it sets aside. Never writable for the project's code.
        world: The copy of the project, its home and its temporary files; a new one at each `renew`.
        python: The interpreter of the project, or this one.
    """

    def __init__(self, *, project: Path, base: Path, python: str, allowance: Allowance) -> None:
        """Nothing is copied yet; `project` is only read."""
        self._project = project
        self._base = base
        self._allowance = allowance
        self._count = 0
        self.python = python
        self.own = base / "own"
        self.world = base
        base.chmod(0o711)  # the code may run as another user: it has to get at its own part
        self.own.mkdir(mode=0o755)

    @property
    def copy(self) -> Path:
        """Where the copy is."""
        return self.world / "project"

    @property
    def written(self) -> Path:
        """Where the code leaves what it is asked to write: read it without following links."""
        return self.world / "tmp"

    def renew(self) -> None:
        """Copy the project afresh into a new world, in place of the earlier one.

        Raises:
            TooLarge: It has too many files or bytes.
            OSError: It cannot be copied.
        """
        if self._count:
            shutil.rmtree(self.world, ignore_errors=True)
        self._count += 1
        self.world = self._base / f"world-{self._count}"
        self.world.mkdir(mode=0o700)
        for folder in ("home", "tmp"):
            (self.world / folder).mkdir()
        _copy(self._project, self.copy)

    def run(self, command: Sequence[str], *, folder: str = "") -> Ended:
        """Run a command in the copy."""
        return run_enclosed(
            command,
            folder=self.copy / folder,
            writable=self.world,
            environment=self.environment(),
            needs=[self.python, str(Path(self.python).parent.parent)],
            allowance=self._allowance,
        )

    def shell(self, script: str, *, folder: str = "") -> Ended:
        """Run a line of shell in the copy."""
        return self.run(["/bin/sh", "-c", script], folder=folder)

    def environment(self) -> dict[str, str]:
        """Nothing of this process's own: no token, no key, no home."""
        sources = [self.copy, *([self.copy / "src"] if (self.copy / "src").is_dir() else [])]
        return {
            "PATH": os.pathsep.join([str(Path(self.python).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.world / "home"),
            "TMPDIR": str(self.written),
            "USER": "trial",
            "LOGNAME": "trial",
            "LANG": "C.UTF-8",
            "MPLBACKEND": "Agg",
            "PYTHONPATH": os.pathsep.join(map(str, sources)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def interpreter_of(project: Path, named: str) -> str:
    """The interpreter that the project names, else the one of a virtual environment in it, else this one."""
    candidates = [project / named] if named else [project / venv / "bin" / "python" for venv in _VENVS]
    return next((str(path.absolute()) for path in candidates if path.is_file()), sys.executable)


def _copy(source: Path, target: Path) -> None:
    files = size = 0
    for folder, inner in _folders(source):
        (target / inner).mkdir()
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_file(follow_symlinks=False):
                    continue
                files += 1
                size += entry.stat(follow_symlinks=False).st_size
                if files > MOST_FILES or size > MOST_BYTES:
                    raise TooLarge(f"more than {MOST_FILES} files or {MOST_BYTES >> 30} GiB to copy")
                shutil.copy2(entry.path, target / inner / entry.name, follow_symlinks=False)


def _folders(source: Path) -> Iterator[tuple[Path, Path]]:
    """Each folder of the project's own work, with its path inside; links are not followed."""
    waiting = [Path()]
    while waiting:
        inner = waiting.pop()
        yield source / inner, inner
        with os.scandir(source / inner) as entries:
            waiting += [
                inner / entry.name
                for entry in entries
                if entry.name not in UNWALKED and entry.is_dir(follow_symlinks=False)
            ]
