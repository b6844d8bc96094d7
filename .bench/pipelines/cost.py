"""What `run_pipeline` costs beside the same work as a bare script: CPU seconds of every process, in one session.

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
from pathlib import Path

import anyio
import psutil

from mlestar.app import Services
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
        services.close()


anyio.run(main)
