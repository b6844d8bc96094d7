"""Two workers on one PostgreSQL database, one of them killed: what the lock does for a file, leases do here."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import anyio
import psutil

from mlestar.app import Services
from mlestar.core.run import Status
from mlestar.settings import Settings
from mlestar.storage import runs

PATIENCE_S = 90


def worker(settings: Settings) -> subprocess.Popen[bytes]:
    env = os.environ | {
        "MLESTAR_DATA_DIR": str(settings.data_dir),
        "MLESTAR_DATABASE_URL": settings.database_url,
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen([sys.executable, "-m", "mlestar", "worker"], env=env)


def supervisor_of(folder: Path) -> psutil.Process:
    return next(
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if process.info["cmdline"]
        and "mlestar.supervise" in process.info["cmdline"]
        and (process.info["environ"] or {}).get("MLESTAR_DATA_DIR") == str(folder)
    )


async def test_another_worker_takes_up_what_a_killed_one_left(postgres_url: str, tmp_path: Path) -> None:
    services = Services(Settings(data_dir=tmp_path / "data", database_url=postgres_url, supervisor_idle_s=1.0))
    config = {
        "data": {"source": "sklearn:breast_cancer", "seed": 3},
        "training": {"algorithm": "lightgbm", "tuning": {"trials": 20}},
    }
    second = None
    try:
        run = await services.pipelines.run(config=config, wait_s=0)
        with anyio.fail_after(PATIENCE_S):
            while run.stages[2].status != "running":
                await anyio.sleep(0.1)
                run = await services.pipelines.get(run_id=run.run_id)
            first = supervisor_of(services.settings.data_dir)
            doomed = [first, *first.children(recursive=True)]
            second = worker(services.settings)
            first.kill()
            _, alive = psutil.wait_procs(doomed, timeout=5)
            assert alive == []
            while not Status(run.status).ended:
                await anyio.sleep(0.2)
                run = await services.database.reading(functools.partial(runs.run_of, run_id=run.run_id))
        assert [stage.status for stage in run.stages[:4]] == [Status.SUCCEEDED] * 4
        assert [model["run_id"] for model in await services.pipelines.models()] == [run.run_id]
        starts = await services.database.reading(functools.partial(runs.starts_of, run_id=run.run_id))
        assert (starts["data"], starts["features"], starts["training"]) == (1, 1, 2)
        second.terminate()
        assert second.wait(10) == 0, "a worker that is asked to stop ends in order"
    finally:
        if second is not None:
            second.kill()
            second.wait()
        services.close()
