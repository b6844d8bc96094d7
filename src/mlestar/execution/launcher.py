"""A process that has the numeric libraries loaded and forks children on request (Linux).

Importing them costs seconds; a fork of a process that has them costs milliseconds. The launcher starts with the
first child of its owner, holds none of the owner's streams, and ends, with its children, when its owner does.
"""

from __future__ import annotations

import array
import atexit
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from mlestar.execution.work import NOTHING_FROM_HERE, THREAD_VARIABLES, Channel, ask_for_death_signal, perform

if TYPE_CHECKING:
    from mlestar.storage.processes import ProcessRecords

PRELOADED = (
    "numpy",
    "pandas",
    "scipy.stats",
    "threadpoolctl",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
)
"""What nearly every child needs. Anything else is imported by the child that needs it."""
FDS_A_REQUEST = 2
COLLECT_EVERY = 50_000
"""New objects of a child until its collector looks for cycles among them; some 5 MB (ours). Python's 700 has it look
hundreds of times in a run, at what nearly all lives until the end."""


class _Link:
    """This process's launcher: one a process, as a process has one standard input."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._also: tuple[str, ...] = ()
        self._records: ProcessRecords | None = None

    def ask(self, fds: tuple[int, int]) -> None:
        with self._lock:
            try:
                socket.send_fds(self._control or self._start(), [b"c"], list(fds))
            except OSError:  # the launcher was killed: one fresh start
                self._stop()
                socket.send_fds(self._start(), [b"c"], list(fds))

    def warm_up(self, also: Sequence[str], records: ProcessRecords) -> None:
        with self._lock:
            if self._control is None:
                self._also, self._records = tuple(also), records
                self._start()

    def _start(self) -> socket.socket:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this module
                [
                    sys.executable,
                    *NOTHING_FROM_HERE,
                    "-m",
                    "mlestar.execution.launcher",
                    str(theirs.fileno()),
                    *self._also,
                ],
                stdin=subprocess.DEVNULL,
                stdout=2,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=os.environ | dict.fromkeys(THREAD_VARIABLES, "1"),
            )
        if self._records is not None:
            self._records.add(self._process.pid)
        atexit.register(self._stop)
        return self._control

    def _stop(self) -> None:
        atexit.unregister(self._stop)
        if self._process is not None:
            self._process.kill()  # its children ask the kernel to follow it
            self._process.wait()
            if self._records is not None:
                self._records.remove(self._process.pid)
        if self._control is not None:
            self._control.close()
        self._process = self._control = None


_link = _Link()


def ask_for_child(channel_fd: int, log_fd: int) -> None:
    """Have a child forked that serves one request on `channel_fd` and writes all else to `log_fd`."""
    _link.ask((channel_fd, log_fd))


def warm_up(also: Sequence[str], records: ProcessRecords) -> None:
    """Start the launcher ahead of the first child; returns at once, it loads on its own.

    `also` are modules that it imports first, or module:function, which it calls once.
    It is written down in `records` for as long as it runs.
    """
    _link.warm_up(also, records)


class _Children:
    """The launcher's own side: fork, reap, pass on how each ended."""

    def __init__(self, control: socket.socket, wake: socket.socket) -> None:
        self.control = control
        self.wake = wake
        self.channels: dict[int, int] = {}

    def fork(self, channel_fd: int, log_fd: int) -> None:
        pid = os.fork()
        if pid:
            os.close(log_fd)
            self.channels[pid] = channel_fd
            return
        status = 1
        try:
            self._become_child(log_fd)
            channel = Channel(channel_fd, channel_fd)
            channel.send({"pid": os.getpid()})
            status = perform(channel)
        finally:
            os._exit(status)

    def _become_child(self, log_fd: int) -> None:
        os.setsid()
        ask_for_death_signal()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(log_fd, 1)
        os.dup2(log_fd, 2)
        self.control.close()
        self.wake.close()
        for other in self.channels.values():
            os.close(other)

    def reap(self) -> None:
        with suppress(BlockingIOError):
            self.wake.recv(4096)
        while self.channels:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            channel_fd = self.channels.pop(pid)
            line = json.dumps({"exit": os.waitstatus_to_exitcode(status)}).encode()
            with suppress(OSError):  # the parent may have left already
                os.write(channel_fd, b"\n" + line + b"\n")
            os.close(channel_fd)

    def kill_all(self) -> None:
        for pid in self.channels:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)


def _received_fds(control: socket.socket) -> list[int] | None:
    """The descriptors of one request; None when the owner is gone."""
    fds = array.array("i")
    data, ancillary, _, _ = control.recvmsg(1, socket.CMSG_LEN(FDS_A_REQUEST * fds.itemsize))
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    return list(fds) if data else None


def main() -> None:
    """Load, then fork on request until the owner closes its end."""
    control = socket.socket(fileno=int(sys.argv[1]))
    gc.disable()  # what is loaded stays: looking through it again and again finds nothing
    for name in (*sys.argv[2:], *PRELOADED):
        module, _, function = name.partition(":")
        loaded = importlib.import_module(module)
        if function:
            getattr(loaded, function)()
    gc.freeze()  # no collector of a child touches it, so the memory stays shared
    gc.set_threshold(COLLECT_EVERY)
    gc.enable()
    wake, woken_by = socket.socketpair()
    for end in (wake, woken_by):
        end.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken_by.fileno())
    children = _Children(control, wake)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(wake, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if wake in ready:
            children.reap()
        if control in ready:
            fds = _received_fds(control)
            if fds is None:
                children.kill_all()
                return
            if len(fds) == FDS_A_REQUEST:
                children.fork(*fds)


if __name__ == "__main__":
    main()
