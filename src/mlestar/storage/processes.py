"""Processes that were started for runs, written down so that the next supervisor finds what a killed one left behind.

One small file a process, below the data folder. A process is its id and the moment it began: an id alone is given
again to somebody else. Where neither can be told (Windows), nothing is recorded.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = "processes"
START_FIELD = 22
STATE_FIELD = 3
"""Fields of /proc/PID/stat, counted from 1 (proc_pid_stat(5)): clock ticks from boot to its beginning; its state."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One process and the one that started it.

    Attributes:
        place: The machine since its last boot, and the process namespace: elsewhere ids mean other processes.
        began: When it began, in the system's own words; with `pid` and `place` it is one process for ever.
    """

    place: str
    pid: int
    began: str
    owner_pid: int
    owner_began: str


class ProcessRecords:
    """The processes of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        """Nothing is created yet."""
        self._folder = data_dir / FOLDER
        self._place = place()

    def add(self, pid: int) -> None:
        """Write down a process that this one has started; nothing when it has ended already."""
        began, owner = began_at(pid), os.getpid()
        if began is None:
            return
        recorded = Recorded(place=self._place, pid=pid, began=began, owner_pid=owner, owner_began=began_at(owner) or "")
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._file(pid).with_suffix(".part")
        part.write_text(json.dumps(asdict(recorded)), encoding="utf-8")
        part.replace(self._file(pid))

    def remove(self, pid: int) -> None:
        """Forget a process that has ended."""
        self._file(pid).unlink(missing_ok=True)

    def left_behind(self) -> list[Recorded]:
        """Processes that still run although the one that started them is gone; what has ended is forgotten."""
        found: list[Recorded] = []
        for path in sorted(self._folder.glob("*.json")):
            recorded = _read(path)
            if recorded is None or recorded.place != self._place:
                continue  # half written, or of another machine or container on the same folder
            if not is_running(recorded.pid, recorded.began):
                path.unlink(missing_ok=True)
            elif not is_running(recorded.owner_pid, recorded.owner_began):
                found.append(recorded)
        return found

    def _file(self, pid: int) -> Path:
        return self._folder / f"{socket.gethostname()}-{pid}.json"


def is_running(pid: int, began: str) -> bool:
    """Whether the process that began then still runs under this id."""
    return began_at(pid) == began


def began_at(pid: int) -> str | None:
    """When the process of this id began; None when there is none, or when it has ended and only its status is left."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        fields = ["", *stat.rpartition(")")[2].split()]  # the name may hold spaces and brackets: count from its end
        return None if fields[STATE_FIELD - 2] in {"Z", "X"} else fields[START_FIELD - 2]
    if sys.platform == "win32":
        return None
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - of the system
    return told.stdout.strip() or None


def place() -> str:
    """This machine since its last boot, with the namespace that its process ids belong to."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _read(path: Path) -> Recorded | None:
    try:
        return Recorded(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
