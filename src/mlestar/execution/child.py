"""Heavy work in a child process: progress comes back, cancelling kills it, nothing is left behind.

On Linux the child is forked from a launcher that has the numeric libraries loaded (`launcher`), elsewhere it is
started plainly. Either way it never holds this process's standard streams, runs in a process group of its own, and
dies when its parent does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from mlestar.errors import WorkFailed, from_json
from mlestar.execution.work import NOTHING_FROM_HERE

if TYPE_CHECKING:
    from anyio.abc import ByteStream, Process

    from mlestar.storage.processes import ProcessRecords

Progress = Callable[[float, float | None, str], Awaitable[None]]
OnEvent = Callable[[Mapping[str, Any]], Awaitable[None]]

TASK_NAME = re.compile(r"mlestar(\.\w+)+:\w+")
LOG_TAIL_BYTES = 2_000
KILL_GRACE_S = 0.8
"""How long a cancelled caller waits to see the killed child gone."""
READ_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one child may use. Zero means unlimited.

    Attributes:
        memory_mb: Private memory (RLIMIT_DATA), MiB; over it an allocation fails with MemoryError.
        cpu_s: Processor seconds (RLIMIT_CPU); over it the child is killed.
        threads: Threads of the numeric libraries. One by default: on shared cores more of them mostly spin.
    """

    memory_mb: int = 0
    cpu_s: int = 0
    threads: int = 1


class Lines:
    """JSON messages, one a line, out of a byte stream."""

    def __init__(self, stream: ByteStream) -> None:
        """Nothing is read yet."""
        self._stream = stream
        self._buffer = b""

    async def next(self) -> dict[str, Any] | None:
        """The next whole message; None at the end. A line cut short by a killed writer is dropped."""
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if not found:
                try:
                    self._buffer += await self._stream.receive(READ_BYTES)
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return None
                continue
            self._buffer = rest
            with suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict):
                    return message


async def run_child(
    task: str,
    payload: Mapping[str, Any],
    *,
    on_progress: Progress | None = None,
    on_event: OnEvent | None = None,
    limits: Limits | None = None,
    records: ProcessRecords | None = None,
) -> dict[str, Any]:
    """Run `task` ("module:function" inside this package) in a child and return its answer.

    The function takes `(payload, report)`: plain JSON, and `report(done, total, message)`. Progress may be dropped
    when there is much of it; what it sends with `report.event(value)` reaches `on_event`, all of it, in order.
    With `records` the child is written down while it runs: a next supervisor kills it should this process be killed.

    Raises:
        MlestarError: What the task itself raised, rebuilt.
        WorkFailed: The child ended in any other way; `details` has the end of its `log`, and whether it was `killed`.
        ValueError: `task` is not a function of this package.
    """
    if not TASK_NAME.fullmatch(task):
        raise ValueError(f"{task!r} does not name a function of this package as module:function")
    request = {"task": task, "payload": dict(payload), "limits": asdict(limits or Limits())}
    with tempfile.TemporaryFile() as log:
        start = _start_forked if sys.platform == "linux" else start_plain
        stream, process = await start(log)
        watched = _Watched(task=task, log=log, records=records)
        try:
            with suppress(anyio.BrokenResourceError):
                await stream.send(json.dumps(request).encode() + b"\n")
            return await watched.follow(Lines(stream), on_progress, on_event)
        finally:
            with anyio.CancelScope(shield=True):
                await watched.end(stream, process)


class _Watched:
    """One child as seen from its parent."""

    def __init__(self, *, task: str, log: IO[bytes], records: ProcessRecords | None) -> None:
        self._task = task
        self._log = log
        self._records = records
        self._lines: Lines | None = None
        self._pid = 0
        self._status: int | None = None

    async def follow(self, lines: Lines, on_progress: Progress | None, on_event: OnEvent | None) -> dict[str, Any]:
        self._lines = lines
        answer: dict[str, Any] | None = None
        while (message := await lines.next()) is not None:
            if "pid" in message:
                await self._began(int(message["pid"]))
            elif "progress" in message and on_progress is not None:
                done, total, text = message["progress"]
                await on_progress(done, total, text)
            elif "event" in message and on_event is not None:
                await on_event(message["event"])
            elif "exit" in message:
                self._status = int(message["exit"])
                break
            elif message.keys() & {"result", "error", "crash"}:
                answer = message
                break
        if answer is None:
            raise self._ended(how_it_ended(self._status), killed=self._status is None or self._status < 0)
        if "error" in answer:
            raise from_json(answer["error"])
        if "crash" in answer:
            raise self._ended(str(answer["crash"]))
        return answer["result"]

    async def _began(self, pid: int) -> None:
        self._pid = pid
        if self._records is not None:
            await anyio.to_thread.run_sync(self._records.add, pid)

    async def end(self, stream: ByteStream, process: Process | None) -> None:
        """Kill what still runs, see it gone, let go of the channel."""
        if self._status is None and self._pid:
            _kill_group(self._pid)
        with anyio.move_on_after(KILL_GRACE_S):
            while self._status is None and self._pid and self._lines is not None:
                message = await self._lines.next()
                if message is None:
                    break
                self._status = message.get("exit")
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await stream.aclose()
        if self._records is not None and self._pid and (self._status is not None or process is not None):
            await anyio.to_thread.run_sync(self._records.remove, self._pid)

    def _ended(self, how: str, *, killed: bool = False) -> WorkFailed:
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - LOG_TAIL_BYTES))
        tail = self._log.read().decode("utf-8", "replace").strip()
        return WorkFailed(
            f"The worker process of {self._task.rpartition(':')[2]} {how}.",
            do="read the end of its log in details, then try again",
            details={"log": tail, "killed": killed},
        )


def how_it_ended(status: int | None) -> str:
    """An exit status (negative: a signal) in words."""
    if status is None:
        return "went away without an answer"
    if status < 0:
        hint = " (out of memory, or killed from outside)" if -status == getattr(signal, "SIGKILL", 9) else ""
        return f"was killed by signal {-status}{hint}"
    return f"ended with exit status {status} and no answer"


def _kill_group(pid: int) -> None:
    if sys.platform == "win32":
        return  # the process object kills it
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def _start_forked(log: IO[bytes]) -> tuple[ByteStream, None]:
    import socket

    from anyio.abc import UNIXSocketStream

    from mlestar.execution.launcher import ask_for_child

    ours, theirs = socket.socketpair()
    with theirs:
        await anyio.to_thread.run_sync(ask_for_child, theirs.fileno(), log.fileno())
    return await UNIXSocketStream.from_socket(ours), None


async def start_plain(log: IO[bytes]) -> tuple[ByteStream, Process]:
    """Start a child with nothing preloaded: where forking a loaded process is unsafe or impossible."""
    from anyio.streams.stapled import StapledByteStream

    process = await anyio.open_process(
        [sys.executable, *NOTHING_FROM_HERE, "-m", "mlestar.execution.work"], stderr=log, start_new_session=True
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the pipes to a child process are missing")
    return StapledByteStream(process.stdin, process.stdout), process
