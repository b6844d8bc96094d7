"""The child's side: one request in, progress and one answer out, then gone."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from mlestar.errors import MlestarError

Report = Callable[[float, float | None, str], None]
"""What most tasks get: `report(done, total, message)`."""

REPORT_EVERY_S = 0.1
"""Progress closer together than this is dropped: nobody can read it, and each costs a message."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
NOTHING_FROM_HERE = ("-P",)
"""The interpreter's option: no module comes from the working folder. That is the user's project, whose code must not
run unasked: a `queue.py` there would be imported in the place of the library's."""
_PR_SET_PDEATHSIG = 1


class Channel:
    """Messages to the parent, safe from several threads; itself the `report` that a task is given."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        """Take the two ends; they may be one socket."""
        self._read = os.fdopen(read_fd, "rb", closefd=False)
        self._write_fd = write_fd
        self._lock = threading.Lock()
        self._reported_at = 0.0

    def request(self) -> dict[str, Any]:
        """The one request; empty when the parent left before sending it."""
        line = self._read.readline()
        return json.loads(line) if line else {}

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one whole line."""
        data = memoryview(json.dumps(message).encode() + b"\n")
        with self._lock:
            while data:
                data = data[os.write(self._write_fd, data) :]

    def __call__(self, done: float, total: float | None, message: str) -> None:
        """Progress, at most ten a second; the last one (done == total) always."""
        now = time.monotonic()
        if now - self._reported_at >= REPORT_EVERY_S or done == total:
            self._reported_at = now
            self.send({"progress": [done, total, message]})

    def event(self, value: Mapping[str, Any]) -> None:
        """Something the parent must not miss: never dropped, in order."""
        self.send({"event": value})

    def die_with_parent(self) -> None:
        """Kill this whole process group as soon as the parent's end closes."""

        def watch() -> None:
            with suppress(OSError):
                while self._read.read(1):
                    pass
            kill_own_group()

        threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def kill_own_group() -> None:
    """End this process and all it started, at once."""
    if sys.platform != "win32":
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os._exit(1)


def ask_for_death_signal() -> None:
    """Let the kernel kill this process when its parent ends (Linux only; elsewhere the pipe is watched)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def apply_limits(limits: Mapping[str, int]) -> None:
    """Bound memory, processor time and numeric threads of this process (see `child.Limits`)."""
    threads = limits.get("threads", 0)
    if threads:
        for name in THREAD_VARIABLES:
            os.environ[name] = str(threads)
        if "threadpoolctl" in sys.modules:  # the libraries are loaded already: the variables come too late
            importlib.import_module("threadpoolctl").threadpool_limits(threads)
    if sys.platform == "win32":
        return
    import resource

    if limits.get("memory_mb"):
        size = limits["memory_mb"] * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    if limits.get("cpu_s"):
        resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_s"], limits["cpu_s"] + 1))


def perform(channel: Channel) -> int:
    """Read the request, do it, answer. Returns the exit status."""
    request = channel.request()
    if not request:
        return 1
    channel.die_with_parent()
    apply_limits(request["limits"])
    module, _, function = str(request["task"]).partition(":")
    try:
        task = getattr(importlib.import_module(module), function)
        answer = {"result": task(request["payload"], channel)}
    except MlestarError as error:
        answer = {"error": error.to_json()}
    except MemoryError as error:
        error.__traceback__ = None  # lets go of what the task had in hand, so that there is room to answer
        answer = {"crash": f"ran out of memory (limit {request['limits'].get('memory_mb') or 'none'} MiB)"}
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent must hear of it
        traceback.print_exc()
        answer = {"crash": f"failed with {type(error).__name__}: {error}"}
    sys.stdout.flush()
    sys.stderr.flush()
    channel.send(answer)
    return 0


def main() -> None:
    """Serve one request that comes on standard input, with the answer on what was standard output."""
    out = os.dup(1)
    request_in = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    channel = Channel(request_in, out)
    channel.send({"pid": os.getpid()})
    os._exit(perform(channel))


if __name__ == "__main__":
    main()
