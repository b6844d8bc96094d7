"""kill -9 of server, supervisor and worker at random moments: every run must finish, nothing finished twice.

Moments count from the first stage on (from the answer of the run id, for the server).
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
from pathlib import Path

import anyio
import psutil

from mlestar.app import Services
from mlestar.core.run import Status
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
LONGEST_S = 6.0


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


async def trial(folder: Path, seed: int, what: str, after_s: float, expected: dict[str, object]) -> str:
    """One kill; answers what was wrong, empty when nothing was."""
    env = os.environ | {"MLESTAR_DATA_DIR": str(folder)}
    command = [sys.executable, "-c", SERVER, str(folder), json.dumps(config(seed))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:  # noqa: ASYNC220 - one at a time
        run_id = server.stdout.readline().strip() if server.stdout else ""
        watching = Services(Settings(data_dir=folder, supervisor_idle_s=5))
        begun = what == "server"
        while not begun:
            begun = (await watching.pipelines.get(run_id=run_id)).stages[0].status != Status.QUEUED
            await anyio.sleep(0.05)
        watching.close()
        await anyio.sleep(after_s)
        doomed = victim(folder, what, server)
        hit = ""
        if doomed is not None:
            try:
                hit = f"{psutil.Process(doomed).name()}"
                os.kill(doomed, signal.SIGKILL)
            except (ProcessLookupError, psutil.Error):
                hit = ""
        server.kill()
    services = Services(Settings(data_dir=folder, supervisor_idle_s=5))
    run = await services.pipelines.get(run_id=run_id, wait_s=180)
    starts = await services.database.reading(functools.partial(runs.starts_of, run_id=run_id))
    events = await services.pipelines.events(run_id)
    services.close()
    finished_at: dict[str, int] = {}
    twice: list[str] = []
    for event in events:
        name, _, word = event["message"].partition(" ")
        if event["kind"] == "stage" and word == "succeeded":
            finished_at[name] = event["id"]
        if event["kind"] == "stage" and word == "running" and name in finished_at:
            twice.append(name)
    wrong: list[str] = []
    if run.status != Status.SUCCEEDED:
        wrong.append(f"{run.status} {run.error.get('message', '')}")
    if twice:
        wrong.append(f"done again after it had finished: {twice}")
    if run.metrics != expected:
        wrong.append("other metrics than the undisturbed run")
    print(
        f"{what:10} after {after_s:4.1f} s (hit {hit or 'nothing'}): {run.status}, starts {starts} {' | '.join(wrong)}"
    )
    return "; ".join(wrong)


async def main() -> None:
    """Print a line for each kill, and the sum."""
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)  # noqa: S311 - moments, not secrets
    begun, failures = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        services = Services(Settings(data_dir=base / "undisturbed", supervisor_idle_s=3))
        run = await services.pipelines.run(config=config(0), wait_s=180)
        expected = dict(run.metrics)
        services.close()
        for place in range(how_many):
            what = ("worker", "supervisor", "server")[place % 3]
            folder = base / f"kill{place}"
            failures += bool(await trial(folder, 0, what, chance.uniform(0.0, LONGEST_S), expected))
            for process in serving(folder):
                process.terminate()
        left = [process for place in range(how_many) for process in serving(base / f"kill{place}")]
        _, alive = psutil.wait_procs(left, timeout=10)
    print(f"{how_many} kills, {failures} wrong, {len(alive)} processes left, {time.monotonic() - begun:.0f} s")


anyio.run(main)
