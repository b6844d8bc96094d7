"""Two workers on one PostgreSQL database, one of them killed: what the lock does for a file, leases do here."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from mlestar.app import Services
from mlestar.core.run import Status
from mlestar.settings import Settings
from mlestar.storage import runs

PATIENCE_S = 90
PORT = 54_329
pytestmark = pytest.mark.skipif(shutil.which("initdb") is None, reason="PostgreSQL's initdb is not installed")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An own PostgreSQL server, gone afterwards; it refuses to run as root, so root lends it another user."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        user: Any = {"user": "nobody"} if os.getuid() == 0 else {}
        if user:
            shutil.chown(folder, "nobody")
        data, place = folder / "db", ["-h", folder, "-p", str(PORT)]
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
        subprocess.run(["initdb", "-D", data, "-U", "t", "-A", "trust", "-E", "UTF8"], check=True, **quiet)
        command = ["postgres", "-D", data, "-p", str(PORT), "-k", folder, "-c", "listen_addresses="]
        with subprocess.Popen(command, **quiet) as server:
            deadline = time.monotonic() + 30
            while subprocess.run(["createdb", *place, "-U", "t", "mlestar"], check=False, **quiet).returncode:
                assert time.monotonic() < deadline
            yield f"postgresql+psycopg://t@/mlestar?host={folder}&port={PORT}"
            server.terminate()


def worker(settings: Settings) -> subprocess.Popen[bytes]:
    env = os.environ | {
        "MLESTAR_DATA_DIR": str(settings.data_dir),
        "MLESTAR_DATABASE_URL": settings.database_url,
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen([sys.executable, "-m", "mlestar.supervise", "--worker"], env=env)


def supervisor_of(folder: Path) -> psutil.Process:
    return next(
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if process.info["cmdline"]
        and "mlestar.supervise" in process.info["cmdline"]
        and (process.info["environ"] or {}).get("MLESTAR_DATA_DIR") == str(folder)
    )


async def test_another_worker_takes_up_what_a_killed_one_left(url: str, tmp_path: Path) -> None:
    services = Services(Settings(data_dir=tmp_path / "data", database_url=url, supervisor_idle_s=1.0))
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
    finally:
        if second is not None:
            second.kill()
            second.wait()
        services.close()
