"""The skin around a project's own code: a script of its own that encloses one command, watches it, and ends it all.

It reads one request (JSON, a line) from its standard input and answers with one on the descriptor it is given. When
its standard input closes, its owner is gone or wants no more: everything it started is killed.

On Linux the command gets name spaces of its own: no network but an unconnected loopback, every file system read-only
but one folder, no sight of other processes, and a first process whose end is the end of all others. A server that
runs as root runs the command as nobody. Where the system refuses name spaces, an audit hook of the interpreter
refuses connections instead, and what was started is followed through /proc.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import stat
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

POLL_S = 0.05
NOBODY = 65_534
INNER_ID = 1_000
"""Who the command believes to be: not root, so that starting it drops every privilege over its name spaces."""
PROCESSES_WITH_THREADS = 1_024
_NAMESPACES = 0x10000000 | 0x20000000 | 0x40000000 | 0x08000000  # user, process ids, network, inter-process
_MOUNTS = 0x00020000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 4_096, 16_384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_SYS_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000  # the same number on every architecture
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_KERNEL_COUNTS_BY_NAMESPACE = (5, 14)
_LINUX = sys.platform == "linux"


def main() -> None:
    """Serve the one request."""
    result_fd = int(sys.argv[1])
    fcntl.fcntl(result_fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    request = json.loads(_line(0))
    os.setsid()
    _give_up_root(request)
    separate = _separate()
    if _LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    told, tell = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(told)
        _inside(request, tell, separate=separate)
    os.close(tell)
    ended, status = _watch(child, request, separate=separate, started=started)
    read_only = os.read(told, 1) == b"1"
    answer = {
        "ended": ended,
        "status": status,
        "seconds": time.monotonic() - started,
        "separate": separate,
        "read_only": read_only,
    }
    os.write(result_fd, json.dumps(answer).encode())
    os._exit(0)


def _line(descriptor: int) -> bytes:
    parts = b""
    while not parts.endswith(b"\n") and (piece := os.read(descriptor, 1 << 16)):
        parts += piece
    return parts


def _give_up_root(request: dict[str, Any]) -> None:
    """Become nobody where the interpreter can be read by everybody; the folder goes along."""
    if os.getuid() != 0 or not all(_open_to_all(Path(path)) for path in request["needs"]):
        return
    for folder, _, names in os.walk(request["writable"]):
        os.chown(folder, NOBODY, NOBODY, follow_symlinks=False)
        for name in names:
            os.chown(Path(folder, name), NOBODY, NOBODY, follow_symlinks=False)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if _LINUX:
        _prctl(_PR_SET_DUMPABLE, 1)  # else /proc/self would still belong to root


def _open_to_all(path: Path) -> bool:
    try:
        real = path.resolve(strict=True)
        return all(part.stat().st_mode & stat.S_IXOTH for part in (real, *real.parents, *path.parents))
    except OSError:
        return False


def _separate() -> bool:
    """Enter name spaces of one's own; False where the system refuses them."""
    if not _LINUX:
        return False
    uid, gid = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(_NAMESPACES) != 0:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{INNER_ID} {uid} 1"),
        ("gid_map", f"{INNER_ID} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="utf-8")
    return True


def _inside(request: dict[str, Any], tell: int, *, separate: bool) -> None:
    """The first process of the name spaces: it starts the command, reaps what is orphaned, ends with the command."""
    try:
        if _LINUX:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if not separate:
            _become(request, separate=False)
        os.write(tell, b"1" if _only_writable(Path(request["writable"]), request["needs"]) else b"0")
        os.close(tell)
        with suppress(OSError):
            _raise_loopback()
        command = os.fork()
        if command == 0:
            _become(request, separate=True)
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == command:
                code = os.waitstatus_to_exitcode(status)
                os._exit(code if code >= 0 else 128 - code)
    finally:
        os._exit(127)


def _become(request: dict[str, Any], *, separate: bool) -> None:
    environment = dict(request["environment"])
    if not separate:
        environment["PYTHONPATH"] = os.pathsep.join([request["blocker"], environment.get("PYTHONPATH", "")])
    limits = {
        resource.RLIMIT_DATA: request["memory_mb"] << 20,
        resource.RLIMIT_FSIZE: request["file_mb"] << 20,
        resource.RLIMIT_CORE: 0,
    }
    if separate and _kernel() >= _KERNEL_COUNTS_BY_NAMESPACE:  # before, this would count all processes of the user
        limits[resource.RLIMIT_NPROC] = PROCESSES_WITH_THREADS
    for kind, size in limits.items():
        hard = resource.getrlimit(kind)[1]
        bound = size if hard == resource.RLIM_INFINITY else min(size, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))
    if _LINUX:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.chdir(request["folder"])
    os.execve(request["command"][0], request["command"], environment)  # noqa: S606 - this is what it is for


def _kernel() -> tuple[int, int]:
    major, minor, *_ = os.uname().release.split(".")
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)


def _only_writable(folder: Path, needs: list[str]) -> bool:
    """Everything read-only but the folder, shared memory fresh, sockets of services out of reach."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
        parts = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
        if libc.mount(*parts) != 0:
            raise OSError(ctypes.get_errno(), "mount", target)

    def read_only(target: str, *, wanted: bool, flags: int = 0) -> None:
        change = struct.pack("QQQQ", int(wanted), int(not wanted), 0, 0)
        if libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, target.encode(), flags, change, len(change)) != 0:
            raise OSError(ctypes.get_errno(), "mount_setattr", target)

    try:
        if libc.unshare(_MOUNTS) != 0:
            return False
        mount("none", "/", "", _MS_REC | _MS_PRIVATE)
        mount(str(folder), str(folder), "", _MS_BIND)
        read_only("/", wanted=True, flags=_AT_RECURSIVE)
        read_only(str(folder), wanted=False)
    except OSError:
        return False
    guarded = _MS_NOSUID | _MS_NODEV
    with suppress(OSError):
        mount("shm", "/dev/shm", "tmpfs", guarded, "size=256m")  # noqa: S108 - where shared memory is
    with suppress(OSError):
        mount("proc", "/proc", "proc", guarded | _MS_NOEXEC | _MS_RDONLY)
    if not any(path.startswith("/run/") for path in (str(folder), *needs)):
        with suppress(OSError):
            mount("none", "/run", "tmpfs", guarded | _MS_RDONLY, "size=4k")
    return True


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))


def _watch(child: int, request: dict[str, Any], *, separate: bool, started: float) -> tuple[str, int | None]:
    """Wait for the end, or bring it about: how it ended, and its exit status."""
    disk = os.statvfs(request["writable"])
    least_free = disk.f_bavail * disk.f_frsize - (request["disk_mb"] << 20)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            _end(child, separate=separate, gone=True)
            return "exit", os.waitstatus_to_exitcode(status)
        over = _over(request, started=started, least_free=least_free)
        ready, _, _ = select.select([0], [], [], 0 if over else POLL_S)
        if not over and ready and not os.read(0, 1):
            over = "cancelled"
        if over:
            _end(child, separate=separate, gone=False)
            return over, None


def _over(request: dict[str, Any], *, started: float, least_free: int) -> str:
    """Which of the limits is passed; empty for none."""
    if time.monotonic() - started > request["wall_s"]:
        return "time"
    disk = os.statvfs(request["writable"])
    if disk.f_bavail * disk.f_frsize < least_free:
        return "disk"
    offspring = _offspring()
    if len(offspring) > request["processes"]:
        return "processes"
    return "memory" if sum(offspring.values()) > request["memory_mb"] << 20 else ""


def _offspring() -> dict[int, int]:
    """Every living process that descends from this one -> its resident bytes (Linux)."""
    parents: dict[int, tuple[int, int]] = {}
    names = os.listdir("/proc") if _LINUX else []  # noqa: PTH208 - names are all that is wanted, ten times a second
    for name in filter(str.isdigit, names):
        with suppress(OSError, IndexError, ValueError):
            fields = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()
            parents[int(name)] = (int(fields[1]), int(fields[21]) * resource.getpagesize())
    found: dict[int, int] = {}
    fresh = {os.getpid()}
    while fresh:
        fresh = {pid for pid, (parent, _) in parents.items() if parent in fresh and pid not in found}
        found |= {pid: parents[pid][1] for pid in fresh}
    return found


def _end(child: int, *, separate: bool, gone: bool) -> None:
    """Kill all of it. In name spaces the first process takes every other with it."""
    with suppress(ProcessLookupError, PermissionError):
        if not gone:
            os.killpg(child, signal.SIGKILL) if not separate else os.kill(child, signal.SIGKILL)
    rounds = 200
    while not separate and rounds and (offspring := _offspring()):
        rounds -= 1
        for sign in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: who is stopped starts no other
            for pid in offspring:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, sign)
        _reap()
    if not gone:
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
