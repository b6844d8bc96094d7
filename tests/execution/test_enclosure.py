"""What a project's own code can do while it is enclosed, and what it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mlestar.execution.enclosure import Allowance, Ended, run_enclosed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="name spaces are Linux's")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    folder = tmp_path / "world"
    folder.mkdir()
    return folder


def run(world: Path, code: str, **allowance: float) -> Ended:
    allowed = Allowance(**{"wall_s": 20, **allowance})  # pyright: ignore[reportArgumentType] - parts by name
    return run_enclosed(
        [sys.executable, "-c", code],
        folder=world,
        writable=world,
        environment={"PATH": "/usr/bin:/bin", "HOME": str(world)},
        needs=[sys.prefix],
        allowance=allowed,
    )


def test_it_may_write_to_its_folder_and_its_end_is_told(world: Path) -> None:
    ended = run(world, "open('made', 'w').write('x'); print('done'); raise SystemExit(3)")
    assert (ended.how, ended.status, ended.tail) == ("exit", 3, "done")
    assert ended.problem == "ended with exit status 3"
    assert (world / "made").read_text(encoding="utf-8") == "x"


def test_nothing_of_our_environment_is_seen(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLESTAR_TOKEN", "secret-of-the-server")
    ended = run(world, "import os; print(sorted(os.environ))")
    assert "TOKEN" not in ended.tail
    assert "HOME" in ended.tail


def test_there_is_no_network_but_a_loopback_of_its_own(world: Path) -> None:
    code = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
    print("own loopback")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    print(error)
"""
    said = run(world, code).tail
    assert said.startswith("own loopback")
    assert "Network is unreachable" in said


@LINUX
def test_a_server_of_this_machine_is_out_of_reach(world: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = run(world, f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5)")
    assert ended.network == "network name space"
    assert "refused" in ended.tail


@LINUX
def test_nothing_outside_its_folder_can_be_written(world: Path, tmp_path: Path) -> None:
    ended = run(world, f"open({str(tmp_path / 'outside')!r}, 'w')")
    assert ended.read_only
    assert not ended.ok
    assert not (tmp_path / "outside").exists()


@LINUX
def test_no_other_process_is_seen_or_left_behind(world: Path) -> None:
    code = """
import os, subprocess, sys
command = [sys.executable, "-c", "import time; time.sleep(600)", "left-behind-by-a-test"]
subprocess.Popen(command, start_new_session=True)
print(sorted(int(name) for name in os.listdir("/proc") if name.isdigit()))
"""
    ended = run(world, code)
    assert ended.ok
    assert max(map(int, ended.tail.strip("[]").split(","))) < 20
    assert not _running("left-behind-by-a-test")


@pytest.mark.parametrize(
    ("code", "allowance", "how"),
    [
        pytest.param("import time; time.sleep(600)", {"wall_s": 0.5}, "time", id="sleeps"),
        pytest.param("while True: pass", {"wall_s": 0.5}, "time", id="spins"),
        pytest.param(
            "import signal, time\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(600)",
            {"wall_s": 0.5},
            "time",
            id="ignores signals",
        ),
        pytest.param(
            "import os, time\nfor _ in range(40):\n    if not os.fork(): time.sleep(600)\ntime.sleep(600)",
            {"processes": 20},
            "processes",
            id="starts many",
            marks=LINUX,
        ),
        pytest.param(
            "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
            {"processes": 40},
            "processes",
            id="forks endlessly",
            marks=LINUX,
        ),
        pytest.param(
            "import os, time\nfor _ in range(4):\n    if not os.fork(): break\nx = b'1' * (60 << 20); time.sleep(600)",
            {"memory_mb": 150},
            "memory",
            id="takes memory in many processes",
            marks=LINUX,
        ),
    ],
)
def test_what_takes_too_much_is_ended(world: Path, code: str, allowance: dict[str, float], how: str) -> None:
    ended = run(world, code, **allowance)
    assert ended.how == how
    assert ended.problem


def test_a_hundred_megabytes_of_output_leave_their_end(world: Path) -> None:
    ended = run(world, "import sys\nfor _ in range(100): sys.stdout.write('x' * 1_000_000)\nprint('the end')")
    assert ended.ok
    assert ended.tail.endswith("the end")
    assert len(ended.tail) <= 4_000


def test_one_process_cannot_take_more_than_its_memory_or_its_file(world: Path) -> None:
    assert "MemoryError" in run(world, "x = bytearray(1 << 30)", memory_mb=256).tail
    ended = run(world, "open('big', 'wb').write(bytes(3 << 20))", file_mb=1)
    assert not ended.ok
    assert (world / "big").stat().st_size <= 1 << 20


STARTER = """
import sys
from pathlib import Path
from mlestar.execution.enclosure import run_enclosed
world = Path(sys.argv[1])
ended = run_enclosed([sys.executable, "-c", sys.argv[2], sys.argv[3]], folder=world, writable=world,
                     environment={"PATH": "/usr/bin:/bin"}, needs=[sys.prefix])
print(ended.how, ended.network, ended.tail, sep="|")
"""


def test_when_its_owner_is_killed_all_of_it_goes(world: Path) -> None:
    code = "import subprocess, sys, time; open('up', 'w').close()\n"
    code += (
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', sys.argv[1]], start_new_session=True)"
    )
    code += "\ntime.sleep(600)"
    owner = subprocess.Popen([sys.executable, "-c", STARTER, str(world), code, "owner-killed-by-a-test"])
    try:
        _until((world / "up").exists)
    finally:
        owner.kill()
        owner.wait()
    _until(lambda: not _running("owner-killed-by-a-test"))


@LINUX
def test_without_name_spaces_connections_are_refused_and_daemons_ended(world: Path) -> None:
    code = """
import subprocess, sys, socket
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]], start_new_session=True)
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    print(error)
"""
    forbidden = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    starter = ["unshare", "--user", "--map-root-user", "sh", "-c", forbidden, "sh"]
    probe = subprocess.run([*starter, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this machine lets nobody forbid name spaces")
    done = subprocess.run(
        [*starter, sys.executable, "-c", STARTER, str(world), code, "daemon-of-a-test"],
        capture_output=True,
        encoding="utf-8",
        env=os.environ,
        check=True,
    )
    how, network, tail = done.stdout.strip().split("|")
    assert (how, network) == ("exit", "audit hook in Python")
    assert "Network is unreachable" in tail
    assert not _running("daemon-of-a-test")


def _running(token: str) -> bool:
    found = psutil.process_iter(["cmdline", "status"])
    return any(token in (p.info["cmdline"] or ()) and p.info["status"] != psutil.STATUS_ZOMBIE for p in found)


def _until(holds: object, within_s: float = 20) -> None:
    assert callable(holds)
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "not within its time"
        os.sched_yield()
