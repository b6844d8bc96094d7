"""Runs one command of a project enclosed: limits, no network, one writable folder, nothing of it left behind."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

ENCLOSED = Path(__file__).with_name("enclosed.py")
BLOCKER = Path(__file__).with_name("without_network")
TAIL_BYTES = 4_000
GRACE_S = 15.0
"""How long beyond its wall time a watcher may take to end what it watches, before it is killed itself."""
_READ_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What one command of a project may use, with everything it starts.

    Attributes:
        wall_s: Seconds until it is ended.
        memory_mb: Resident memory of all its processes, and private memory of each, MiB.
        processes: How many at once.
        file_mb: Size of one file, MiB.
        disk_mb: How much less may be free on the disk of its folder, MiB.
    """

    wall_s: float = 300.0
    memory_mb: int = 4_096
    processes: int = 256
    file_mb: int = 1_024
    disk_mb: int = 4_096


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended.

    Attributes:
        how: exit, time, memory, processes, disk, cancelled, or broken when it could not be started or watched.
        status: Exit status (128 + n for signal n), None unless it ended by itself.
        seconds: Wall time.
        tail: The end of what it printed.
        network: How the network was kept away: "network name space" or "audit hook in Python".
        read_only: Every other file system was read-only for it.
    """

    how: str
    status: int | None = None
    seconds: float = 0.0
    tail: str = ""
    network: str = ""
    read_only: bool = False

    @property
    def ok(self) -> bool:
        """It ended by itself, with status 0."""
        return self.how == "exit" and self.status == 0

    @property
    def problem(self) -> str:
        """What went wrong, in words; empty when nothing did."""
        if self.ok:
            return ""
        if self.how == "exit":
            return f"ended with exit status {self.status}"
        over = {"time": "took too long", "memory": "took too much memory", "disk": "wrote too much"}
        over |= {"processes": "started too many processes", "cancelled": "was cancelled"}
        return f"{over.get(self.how, 'could not be run')} after {self.seconds:.0f} s, and was ended"


def supported() -> bool:
    """Whether this system can enclose a process: POSIX only."""
    return sys.platform != "win32"


def run_enclosed(
    command: Sequence[str],
    *,
    folder: Path,
    writable: Path,
    environment: Mapping[str, str],
    needs: Sequence[str] = (),
    allowance: Allowance | None = None,
) -> Ended:
    """Run `command` (an absolute program first) in `folder`, which lies in `writable`, and wait for its end.

    It sees `environment` alone. `needs` are files it has to read: a server running as root runs it as nobody when
    everybody can read them. Killed with everything it started when this process ends.
    """
    allowed = allowance or Allowance()
    answers, answer_fd = os.pipe()
    with os.fdopen(answers, "rb") as result:
        try:
            process = subprocess.Popen(  # noqa: S603 - this interpreter, this package's own script
                [sys.executable, "-I", "-S", str(ENCLOSED), str(answer_fd)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[answer_fd],
                bufsize=0,
            )
        finally:
            os.close(answer_fd)
        request = {
            "command": list(command), "folder": str(folder), "writable": str(writable), "blocker": str(BLOCKER),
            "environment": dict(environment), "needs": [command[0], *needs], **asdict(allowed),
        }  # fmt: skip
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the pipes to an enclosed process are missing")
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(json.dumps(request).encode() + b"\n")
            tail, answer = _followed(process.stdout, result, until=time.monotonic() + allowed.wall_s + GRACE_S)
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
    return _ended(answer, tail)


def _followed(output: IO[bytes], result: IO[bytes], *, until: float) -> tuple[bytes, bytes]:
    """Read both until the answer is whole; of the output only the end is kept."""
    tail = answer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        selector.register(result, selectors.EVENT_READ)
        waiting = True
        while waiting and (left := until - time.monotonic()) > 0:
            ready = {key.fileobj for key, _ in selector.select(left)}
            if output in ready:
                piece = os.read(output.fileno(), _READ_BYTES)
                tail = (tail + piece)[-TAIL_BYTES:]
                if not piece:
                    selector.unregister(output)
            elif result in ready:  # only when the output is drained
                piece = os.read(result.fileno(), _READ_BYTES)
                answer += piece
                waiting = bool(piece)
    return tail, answer


def _ended(answer: bytes, tail: bytes) -> Ended:
    text = tail.decode("utf-8", "replace").strip()
    try:
        said = json.loads(answer)
    except ValueError:
        return Ended(how="broken", tail=text)
    return Ended(
        how=said["ended"],
        status=said["status"],
        seconds=said["seconds"],
        tail=text,
        network="network name space" if said["separate"] else "audit hook in Python",
        read_only=said["read_only"],
    )
