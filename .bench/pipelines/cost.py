"""What `run_pipeline` costs beside the same work as a bare script: CPU seconds of every process, in one session.

The parts of a first and a second run: the supervisor (starting, durability, the windows, the judge's record), the
launcher (imports, once), the worker (the stages: the bare script's work) and the fresh process that loads the package
again, times it and judges the run, which the bare script does not do.

Also: how soon the run id is answered, how late the event loop is while a run trains, how fast a cancel is.
Run: OMP_NUM_THREADS=1 python .bench/pipelines/cost.py
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import anyio
import psutil

from mlestar.app import Services
from mlestar.core.run import Status
from mlestar.settings import Settings

GUIDE = {
    "data": {"source": "marketing_dataset"},
    "features": {"textFeatures": ["content", "hashtags"]},
    "training": {"algorithm": "linear"},
    "evaluation": {"metrics": ["accuracy", "f1"]},
    "deployment": {"environment": "production"},
}
"""The guide's config; the algorithm is one that needs no extra."""
BARE = """
import json, sys
from mlestar.core.pipeline import parse
from mlestar.execution.frames import truth_of
from mlestar.stages import data, deployment, evaluation, training
from mlestar.stages.folds import make_folds
from mlestar.stages.marketing import generate
spec = parse(json.loads(sys.argv[1]))
prepared = data.prepare(generate(spec.data.size, 0), spec)
quiet = lambda *parts: None
folds = make_folds(prepared.train[list(prepared.kinds)], truth_of(prepared.train, prepared), kinds=prepared.kinds,
                   task=prepared.task, n_classes=2, seed=0, forward_in_time=True)
learned = training.learn(folds, spec.training, quiet)
evaluation.evaluate(model=learned.model, prepared=prepared, folds=folds, truth=truth_of(prepared.test, prepared),
                    spec=spec.evaluation, metric=learned.metric, report=quiet)
deployment.load_model(deployment.dump_model(learned.model))
"""
"""The same stages' functions called one after the other: no processes, database, durability, judge or card."""


def cpu_of_tree(services: Services) -> dict[int, float]:
    """CPU seconds of every process that serves this data folder, reaped children included."""
    found: dict[int, float] = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get("MLESTAR_DATA_DIR") == str(services.settings.data_dir):
                times = process.cpu_times()
                found[process.pid] = times.user + times.system + times.children_user + times.children_system
        except (psutil.Error, OSError):
            continue
    return found


def bare_cpu_s() -> float:
    """CPU seconds of the bare script, imports included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", BARE, json.dumps(GUIDE)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Parts:
    """CPU seconds of each process of a data folder, looked up every 50 ms: the very last ones may be missed."""

    def __init__(self, services: Services) -> None:
        """Nothing has run yet."""
        self._services = services
        self._parts: dict[int, str] = {}
        self._used: dict[int, float] = {}

    async def of_a_run(self, seed: int) -> dict[str, float]:
        """Part -> CPU seconds of one run of the guide's config."""
        before = dict(self._used)
        config = {**GUIDE, "data": {"source": "marketing_dataset", "seed": seed}}
        run = await self._services.pipelines.run(config=config, wait_s=0)
        while not Status(run.status).ended:
            await anyio.sleep(0.05)
            run = await self._services.pipelines.get(run_id=run.run_id)
            self._look()
        found = dict.fromkeys(("supervisor", "launcher", "worker", "verification"), 0.0)
        for pid, seconds in self._used.items():
            found[self._parts[pid]] += seconds - before.get(pid, 0.0)
        return found

    def _look(self) -> None:
        folder = str(self._services.settings.data_dir)
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get("MLESTAR_DATA_DIR") == folder:
                    times = process.cpu_times()
                    if process.pid not in self._parts:
                        self._parts[process.pid] = self._part(process)
                    self._used[process.pid] = times.user + times.system

    def _part(self, process: psutil.Process) -> str:
        """What a process is, by what it was started as and by whom; a run's children come in order."""
        if "mlestar.execution.launcher" not in process.cmdline():
            return "supervisor"
        if self._parts.get(process.ppid()) != "launcher":
            return "launcher"
        children = [part for part in self._parts.values() if part in {"worker", "verification"}]
        return "verification" if len(children) % 2 else "worker"


async def timed_run(services: Services, seed: int) -> tuple[float, float, list[float]]:
    """Seconds to the run id, CPU seconds of all processes, lateness of the event loop in ms."""
    config = {**GUIDE, "data": {"source": "marketing_dataset", "seed": seed}}
    before, own = cpu_of_tree(services), time.process_time()
    lateness: list[float] = []
    begun = time.perf_counter()
    run = await services.pipelines.run(config=config, wait_s=0)
    answered = time.perf_counter() - begun

    async def watch() -> None:
        while True:
            slept = time.perf_counter()
            await anyio.sleep(0.01)
            lateness.append((time.perf_counter() - slept - 0.01) * 1e3)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        run = await services.pipelines.get(run_id=run.run_id, wait_s=120)
        tasks.cancel_scope.cancel()
    if run.status != "succeeded":
        raise SystemExit(f"the run {run.status}: {run.error}")
    after = cpu_of_tree(services)
    used = sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items()) + time.process_time() - own
    return answered, used, sorted(lateness)


async def main() -> None:
    """Print the table."""
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    bare = [bare_cpu_s() for _ in range(2)]
    print(f"bare script: {min(bare):.2f} CPU s")
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(data_dir=Path(folder), supervisor_idle_s=5))
        await services.pipelines.runs()
        for name, seed in (("first run (supervisor starts)", 1), ("second run", 2), ("third run", 3)):
            answered, used, late = await timed_run(services, seed)
            p99 = late[int(len(late) * 0.99)]
            print(
                f"{name}: {used:.2f} CPU s (bare {used - min(bare):+.2f}), run id after {answered * 1e3:.0f} ms, "
                f"event loop late by {late[len(late) // 2]:.1f} ms (median), {p99:.1f} ms (p99)"
            )
        await cancelled_while_training(services)
        services.close()
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(data_dir=Path(folder), supervisor_idle_s=5))
        parts = Parts(services)
        for name, seed in (("first run", 1), ("second run", 2)):
            found = await parts.of_a_run(seed)
            print(f"parts of the {name}: " + ", ".join(f"{part} {seconds:.2f}" for part, seconds in found.items()))
        services.close()


async def cancelled_while_training(services: Services) -> None:
    """Print how long a cancel takes."""
    config = {
        "data": {"source": "sklearn:digits"},
        "training": {"algorithm": "lightgbm", "tuning": {"trials": 500}},
    }
    run = await services.pipelines.run(config=config, wait_s=0)
    while run.stages[2].status != "running":
        run = await services.pipelines.get(run_id=run.run_id, wait_s=0.1)
    await anyio.sleep(1)
    begun = time.perf_counter()
    run = await services.pipelines.cancel(run_id=run.run_id)
    print(f"cancel while training: {run.status} after {time.perf_counter() - begun:.2f} s")


anyio.run(main)
