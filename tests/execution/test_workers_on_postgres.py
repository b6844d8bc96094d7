"""Two workers on one PostgreSQL database, one of them killed: what the lock does for a file, leases do here."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import psutil

from mlestar.app import Services
from mlestar.core.run import Status
from mlestar.execution.supervisor import lock_of, log_of
from mlestar.settings import Settings
from mlestar.storage import runs
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from support.postgres import Server


def config(trials: int) -> dict[str, Any]:
    """A pipeline whose training takes a while."""
    return {
        "data": {"source": "sklearn:breast_cancer", "seed": 3},
        "training": {"algorithm": "lightgbm", "tuning": {"trials": trials}},
    }


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
    second = None
    try:
        run = await services.pipelines.run(config=config(8), wait_s=0)
        with anyio.fail_after(PATIENCE_S):
            while run.stages[2].status != "running":
                await anyio.sleep(0.1)
                run = await services.pipelines.get(run_id=run.run_id)
            first = supervisor_of(services.settings.data_dir)
            doomed = [first, *first.children(recursive=True)]
            second = worker(services.settings)
            first.kill()
            _, alive = psutil.wait_procs(doomed, timeout=PATIENCE_S)
            assert alive == []
            while not Status(run.status).ended:
                await anyio.sleep(0.2)
                run = await services.database.reading(functools.partial(runs.run_of, run_id=run.run_id))
        assert [stage.status for stage in run.stages[:4]] == [Status.SUCCEEDED] * 4
        assert [model["run_id"] for model in await services.registry.models()] == [run.run_id]
        starts = await services.database.reading(functools.partial(runs.starts_of, run_id=run.run_id))
        assert (starts["data"], starts["features"], starts["training"]) == (1, 1, 2)
        second.terminate()
        assert second.wait(PATIENCE_S) == 0, "a worker that is asked to stop ends in order"
    finally:
        if second is not None:
            second.kill()
            second.wait()
        services.close()


async def test_a_run_outlives_a_database_that_is_away_for_a_while(
    postgres_url: str, postgres_server: Server, tmp_path: Path
) -> None:
    services = Services(Settings(data_dir=tmp_path / "data", database_url=postgres_url, supervisor_idle_s=1.0))
    name = services.database.engine.url.database
    log = log_of(services.settings.data_dir)
    try:
        run = await services.pipelines.run(config=config(6), wait_s=0)
        with anyio.fail_after(PATIENCE_S):
            while run.stages[2].status != "running":
                await anyio.sleep(0.1)
                run = await services.pipelines.get(run_id=run.run_id)
            supervisor = supervisor_of(services.settings.data_dir)
            postgres_server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            postgres_server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - our own name
            while log.read_text(encoding="utf-8").count("trying again") < 3:  # noqa: ASYNC110 - another process writes
                await anyio.sleep(0.1)
            postgres_server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            while not Status(run.status).ended:
                await anyio.sleep(0.2)
                run = await services.database.reading(functools.partial(runs.run_of, run_id=run.run_id))
            await anyio.to_thread.run_sync(supervisor.wait)  # it would look for its database for minutes
        assert run.status == Status.SUCCEEDED, run.error
        starts = await services.database.reading(functools.partial(runs.starts_of, run_id=run.run_id))
        assert starts["training"] == 1
    finally:
        services.close()


TAKES_AND_DIES = """
import os, sys
import anyio
from mlestar.execution.dbos_engine import DbosEngine
from mlestar.execution.engine import Steps
from mlestar.execution.supervisor import engine_url
from mlestar.settings import Settings
async def work(run_id): os._exit(9)
async def deploy(run_id, left): raise AssertionError(run_id)
async def main():
    engine = DbosEngine(url=engine_url(Settings()), steps=Steps(work=work, deploy=deploy), at_once=1)
    await engine.launch()
    await engine.submit(sys.argv[1])
    await anyio.sleep_forever()
anyio.run(main)
"""
IMPATIENT = """
from mlestar.app import Services
from mlestar.execution import supervisor
from mlestar.settings import Settings
from mlestar.supervise import work_beside_others
supervisor.BEGUN_S = 0.5
work_beside_others(Services(Settings()))
"""


async def test_a_run_that_a_worker_took_and_died_before_it_began_is_taken_up(postgres_url: str, tmp_path: Path) -> None:
    services = Services(Settings(data_dir=tmp_path / "data", database_url=postgres_url))
    env = os.environ | {"MLESTAR_DATA_DIR": str(tmp_path / "data"), "MLESTAR_DATABASE_URL": postgres_url}
    lock = lock_of(services.settings.data_dir)
    assert lock.acquire()  # no supervisor starts: what follows is all there is
    second = None
    try:
        small = {"data": {"source": "sklearn:iris"}, "training": {"algorithm": "linear"}}
        run = await services.pipelines.run(config=small, wait_s=0)
        doomed = [sys.executable, "-c", TAKES_AND_DIES, run.run_id]
        died = await anyio.run_process(doomed, env=env, check=False)
        assert died.returncode == 9
        assert (await services.pipelines.get(run_id=run.run_id)).status == Status.QUEUED
        second = await anyio.open_process(
            [sys.executable, "-c", IMPATIENT], env=env, stdin=None, stdout=None, stderr=None
        )
        with anyio.fail_after(PATIENCE_S):
            while not Status(run.status).ended:
                await anyio.sleep(0.2)
                run = await services.database.reading(functools.partial(runs.run_of, run_id=run.run_id))
        assert run.status == Status.SUCCEEDED, run.error
    finally:
        lock.release()
        if second is not None:
            second.kill()
            await second.wait()
        services.close()
