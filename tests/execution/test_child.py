from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anyio
import psutil
import pytest

from mlestar.errors import InvalidInput, WorkFailed
from mlestar.execution import child
from mlestar.execution.child import Limits, how_it_ended, run_child
from support.patience import PATIENCE_S

DRILL = "mlestar.execution.drill:misbehave"


@pytest.fixture(params=["forked", "plain"])
def started(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to start a child; the plain one serves macOS and Windows."""
    if request.param == "plain":
        monkeypatch.setattr(child, "_start_forked", child.start_plain)
    return str(request.param)


def alive_in_group(group: int) -> list[int]:
    found: list[int] = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    return found


async def emptied(group: int) -> bool:
    """Whether the killed group is gone; the kernel takes a moment on a busy machine."""
    with anyio.move_on_after(PATIENCE_S):
        while alive_in_group(group):  # noqa: ASYNC110 - the kernel sets no event
            await anyio.sleep(0.01)
        return True
    return False


@pytest.mark.usefixtures("started")
async def test_the_answer_comes_back_as_the_task_returned_it() -> None:
    assert await run_child(DRILL, {"do": "echo", "value": [1, "ä", None]}, limits=Limits(threads=3)) == {
        "echo": [1, "ä", None],
        "threads": "3",
    }


async def test_progress_arrives_in_order_and_ends_with_the_last_step() -> None:
    seen: list[tuple[float, float | None, str]] = []

    async def note(done: float, total: float | None, message: str) -> None:
        seen.append((done, total, message))

    await run_child(DRILL, {"do": "count", "steps": 20}, on_progress=note)
    assert seen[-1] == (20, 20, "step 20")
    assert [step[0] for step in seen] == sorted(step[0] for step in seen)
    assert 2 <= len(seen) <= 20


@pytest.mark.usefixtures("started")
async def test_the_child_reads_nothing_from_stdin_and_leads_its_own_group() -> None:
    answer = await run_child(DRILL, {"do": "streams"})
    assert answer["stdin"] == ""
    assert answer["group"] == answer["pid"] != os.getpgid(0)


@pytest.mark.usefixtures("started")
async def test_an_error_of_ours_is_rebuilt_with_its_parts() -> None:
    with pytest.raises(InvalidInput, match="the drill refuses") as caught:
        await run_child(DRILL, {"do": "refuse"})
    assert caught.value.valid == ("echo",)
    assert caught.value.do == "ask for echo"


@pytest.mark.parametrize(
    ("payload", "limits", "says"),
    [
        ({"do": "crash"}, Limits(), "ZeroDivisionError: on purpose"),
        ({"do": "die"}, Limits(), "killed by signal 9"),
        ({"do": "spin"}, Limits(cpu_s=1), "killed by signal"),
        ({"do": "allocate", "mb": 3000}, Limits(memory_mb=1000), "ran out of memory"),
    ],
)
async def test_any_other_end_is_work_failed_and_says_how(payload: dict[str, object], limits: Limits, says: str) -> None:
    with pytest.raises(WorkFailed, match=says):
        await run_child(DRILL, payload, limits=limits)


@pytest.mark.usefixtures("started")
async def test_a_crash_carries_the_end_of_the_log() -> None:
    with pytest.raises(WorkFailed) as caught:
        await run_child(DRILL, {"do": "crash"})
    assert "Traceback" in caught.value.details["log"]


@pytest.mark.usefixtures("started")
async def test_cancelling_kills_the_whole_group() -> None:
    group = 0

    async def note(_done: float, _total: float | None, message: str) -> None:
        nonlocal group
        group = int(message)
        running.set()

    running = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: run_child(DRILL, {"do": "hang"}, on_progress=note))
        await running.wait()
        assert len(alive_in_group(group)) == 2
        tasks.cancel_scope.cancel()
    assert await emptied(group)


@pytest.mark.parametrize("task", ["os:system", "mlestar", "mlestar.errors", "mlestar.errors:a.b", "mlestarx.y:z"])
async def test_a_task_outside_the_package_is_refused(task: str) -> None:
    with pytest.raises(ValueError, match="does not name a function"):
        await run_child(task, {})


@pytest.mark.skipif(sys.platform != "linux", reason="lacks the launcher: elsewhere a child is started plainly")
async def test_every_child_is_forked_from_one_launcher_that_has_the_numeric_libraries() -> None:
    first, second = [await run_child(DRILL, {"do": "streams"}) for _ in range(2)]
    assert first["parent"] == second["parent"] != os.getpid()
    assert first["pid"] != second["pid"]
    assert first["numeric"]


def test_children_die_with_a_parent_that_is_killed() -> None:
    code = (
        "import anyio, sys\n"
        "from mlestar.execution.child import run_child\n"
        "async def note(done, total, message): print(message, flush=True)\n"
        "async def main(): await run_child('mlestar.execution.drill:misbehave', {'do': 'hang'}, on_progress=note)\n"
        "anyio.run(main)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        group = int(parent.stdout.readline())
        assert alive_in_group(group)
        parent.kill()
    assert anyio.run(emptied, group)


AMONG_STRANGERS = {
    "a child": """
import anyio, sys
from mlestar.execution import child
if sys.argv[1] == "plain":
    child._start_forked = child.start_plain
print(anyio.run(child.run_child, "mlestar.execution.drill:misbehave", {"do": "echo", "value": 7}))
""",
    "a supervisor": """
import sys
from pathlib import Path
from mlestar.execution.supervisor import SupervisorLink
from mlestar.settings import Settings
link = SupervisorLink(Settings(data_dir=Path(sys.argv[1]), supervisor_idle_s=0.1))
link.ensure()
print("ended with", link._started.wait(50))
""",
}


@pytest.mark.parametrize(
    ("what", "argument", "says"),
    [("a child", "forked", "'echo': 7"), ("a child", "plain", "'echo': 7"), ("a supervisor", "data", "ended with 0")],
)
def test_no_module_of_the_working_folder_is_imported(tmp_path: Path, what: str, argument: str, says: str) -> None:
    for name in ("queue", "numpy", "sqlalchemy", "mlestar"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w'); 1 / 0", encoding="utf-8")
    command = [sys.executable, "-P", "-c", AMONG_STRANGERS[what], argument]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert says in done.stdout, done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("status", "text"), [(None, "without an answer"), (3, "exit status 3"), (-9, "signal 9"), (-11, "signal 11")]
)
def test_every_way_to_end_has_its_words(status: int | None, text: str) -> None:
    assert text in how_it_ended(status)
