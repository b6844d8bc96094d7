"""kill -9 of server, supervisor and worker at random moments: every run must finish, nothing finished twice.

Moments count from the first stage on (from the answer of the run id, for the server) and are spread over the time that
an undisturbed run takes on this machine. An orphan is a process of the folder that no living supervisor started.
Run: OMP_NUM_THREADS=1 python .bench/pipelines/kills.py [how many] [seed]
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import psutil

from mlestar.app import Services
from mlestar.core.run import Run, Status
from mlestar.errors import MlestarError
from mlestar.settings import Settings
from mlestar.storage import runs

SERVER = """
import anyio, json, sys
from pathlib import Path
from mlestar.app import Services
from mlestar.settings import Settings
async def main():
    services = Services(Settings(data_dir=Path(sys.argv[1]), supervisor_idle_s=5))
    run = await services.pipelines.run(config=json.loads(sys.argv[2]), wait_s=0)
    print(run.run_id, flush=True)
    await services.pipelines.get(run_id=run.run_id, wait_s=300)
anyio.run(main)
"""
DYING_S = 3.0


def config(seed: int) -> dict[str, object]:
    """About five seconds of work; every seed is work of its own."""
    return {
        "data": {"source": "sklearn:breast_cancer", "seed": seed},
        "training": {"algorithm": "lightgbm", "tuning": {"trials": 8}},
    }


def serving(folder: Path) -> list[psutil.Process]:
    """Every process of a data folder beside this one."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("MLESTAR_DATA_DIR") == str(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def victim(folder: Path, what: str, server: subprocess.Popen[str]) -> int | None:
    """The process to kill."""
    if what == "server":
        return server.pid
    processes = serving(folder)
    supervisors = [process for process in processes if "mlestar.supervise" in process.cmdline()]
    if what == "supervisor":
        return supervisors[0].pid if supervisors else None
    launched = [process for process in processes if "mlestar.execution.launcher" in process.cmdline()]
    workers = [process for process in launched if any(process.ppid() == other.pid for other in launched)]
    return workers[0].pid if workers else None


def orphans(folder: Path) -> list[str]:
    """What serves a folder beside its supervisor and what that has started."""
    found = serving(folder)
    family: set[int] = set()
    for process in found:
        if "mlestar.supervise" in process.cmdline():
            family |= {process.pid, *(child.pid for child in process.children(recursive=True))}
    return [f"{process.pid} {process.name()}" for process in found if process.pid not in family]


async def left_over(folder: Path) -> list[str]:
    """Orphans that are still there after a moment: a dying process takes some milliseconds."""
    with anyio.move_on_after(DYING_S):
        while orphans(folder):  # noqa: ASYNC110 - processes set no event
            await anyio.sleep(0.05)
    return orphans(folder)


async def killed(folder: Path, what: str, after_s: float) -> tuple[str, str]:
    """Queue a run from a server process of its own, kill one of its processes; the run's id and what was hit."""
    env = os.environ | {"MLESTAR_DATA_DIR": str(folder)}
    command = [sys.executable, "-c", SERVER, str(folder), json.dumps(config(0))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:  # noqa: ASYNC220 - one at a time
        run_id = server.stdout.readline().strip() if server.stdout else ""
        watching = Services(Settings(data_dir=folder, supervisor_idle_s=5))
        begun = what == "server"
        while not begun:
            begun = (await watching.pipelines.get(run_id=run_id)).stages[0].status != Status.QUEUED
            await anyio.sleep(0.05)
        await anyio.sleep(after_s)
        doomed, hit = victim(folder, what, server), "nothing"
        if doomed is not None:
            with suppress(ProcessLookupError):
                os.kill(doomed, signal.SIGKILL)
                hit = f"process {doomed}"
        stages = (await watching.pipelines.get(run_id=run_id)).stages
        at = next((stage.name for stage in stages if stage.status == Status.RUNNING), "no stage")
        watching.close()
        server.kill()
    return run_id, f"{hit} in {at}"


def done_twice(events: list[dict[str, Any]]) -> list[str]:
    """Stages that were begun again after they had finished."""
    finished: set[str] = set()
    twice: list[str] = []
    for event in events:
        name, _, word = event["message"].partition(" ")
        if event["kind"] == "stage" and word == "succeeded":
            finished.add(name)
        if event["kind"] == "stage" and word == "running" and name in finished:
            twice.append(name)
    return twice


async def trial(folder: Path, what: str, after_s: float, expected: dict[str, Any]) -> bool:
    """One kill; whether all went as it should."""
    run_id, hit = await killed(folder, what, after_s)
    services = Services(Settings(data_dir=folder, supervisor_idle_s=5))
    try:
        run = await services.pipelines.get(run_id=run_id, wait_s=180)
    except MlestarError as error:
        print(f"{what:10} after {after_s:4.1f} s, hit {hit}: {error} {error.details.get('log', '')}", flush=True)
        services.close()
        return False
    starts = await services.database.reading(functools.partial(runs.starts_of, run_id=run_id))
    events = await services.pipelines.events(run_id)
    services.close()
    wrong = {
        f"{run.status} {run.error.get('message', '')}": run.status != Status.SUCCEEDED,
        f"done again after it had finished: {done_twice(events)}": bool(done_twice(events)),
        "other metrics or another model than the undisturbed run": outcome(run) != expected,
        f"left over: {orphans(folder)}": bool(await left_over(folder)),
    }
    says = " | ".join(text for text, holds in wrong.items() if holds)
    began = " ".join(f"{name} {count}" for name, count in starts.items())
    print(f"{what:10} after {after_s:4.1f} s, hit {hit}: {run.status}, begun: {began} {says}", flush=True)
    return not says


def outcome(run: Run) -> dict[str, Any]:
    """What must be the same however often a run was interrupted."""
    return {"metrics": run.metrics, "sha256": run.model.get("sha256")}


async def main() -> None:
    """Print a line for each kill, and the sum."""
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)  # noqa: S311 - moments, not secrets
    begun, failures = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        services = Services(Settings(data_dir=base / "undisturbed", supervisor_idle_s=3))
        run = await services.pipelines.run(config=config(0), wait_s=180)
        expected = outcome(run)
        begun_at = next(
            event["at"] for event in await services.pipelines.events(run.run_id) if event["kind"] == "stage"
        )
        longest_s = run.ended - begun_at
        services.close()
        print(f"an undisturbed run: {longest_s:.1f} s; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for place in range(how_many):
            what = ("worker", "supervisor", "server")[place % 3]
            folder = base / f"kill{place}"
            failures += not await trial(folder, what, chance.uniform(0.0, longest_s), expected)
            for process in serving(folder):
                process.terminate()
        left = [process for place in range(how_many) for process in serving(base / f"kill{place}")]
        _, alive = psutil.wait_procs(left, timeout=10)
    print(f"{how_many} kills, {failures} wrong, {len(alive)} processes left, {time.monotonic() - begun:.0f} s")


anyio.run(main)
