"""One holder a folder, enforced by the operating system: the lock is gone the moment its holder is."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import IO


class FolderLock:
    """A lock file; `acquire` keeps it until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Nothing is created yet."""
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free."""
        file = self._open()
        if not _lock(file, shared=False):
            file.close()
            return False
        self._file = file
        return True

    def is_free(self) -> bool:
        """Whether nobody holds it. Asking takes a shared lock for an instant, so a holder must try more than once."""
        with self._open() as file:
            return _lock(file, shared=True)

    def release(self) -> None:
        """Let go."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[bytes]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._path.open("ab")


def _lock(file: IO[bytes], *, shared: bool) -> bool:
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        return True
    return False
