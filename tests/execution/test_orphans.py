"""A supervisor is killed while its worker is frozen: the next one finds the worker, and nobody else."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from mlestar.app import Services
from mlestar.core.run import Run, Status
from mlestar.execution.orphans import reap
from mlestar.settings import Settings
from mlestar.storage import runs
from mlestar.storage.processes import FOLDER, ProcessRecords, Recorded, began_at, place
from support.patience import PATIENCE_S

CONFIG: dict[str, Any] = {
    "data": {"source": "sklearn:wine"},
    "training": {"algorithm": "lightgbm", "tuning": {"trials": 900}, "timeBudgetS": 2},
}
FAMILY = "import subprocess, sys; subprocess.Popen(['sleep', '600']); print(flush=True); sys.stdin.read()"


@pytest.fixture
def family(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child of its own, recorded, whose starter is said to be gone."""
    command = [sys.executable, "-c", FAMILY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        write(tmp_path, recorded(process.pid))
        yield process
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def recorded(pid: int) -> Recorded:
    return Recorded(place=place(), pid=pid, began=began_at(pid) or "", owner_pid=pid, owner_began="long ago")


def write(folder: Path, one: Recorded) -> None:
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / "one.json").write_text(json.dumps(asdict(one)), encoding="utf-8")


def test_an_orphan_is_killed_with_its_group(tmp_path: Path, family: subprocess.Popen[bytes]) -> None:
    members = [psutil.Process(family.pid), *psutil.Process(family.pid).children()]
    assert len(members) == 2
    assert reap(ProcessRecords(tmp_path)) == [family.pid]
    _, alive = psutil.wait_procs(members[1:], timeout=PATIENCE_S)
    assert alive == []
    assert family.wait(PATIENCE_S) == -signal.SIGKILL
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_foreign_process_that_was_given_the_id_is_left_alone(tmp_path: Path, family: subprocess.Popen[bytes]) -> None:
    write(tmp_path, replace(recorded(family.pid), began="1"))
    assert reap(ProcessRecords(tmp_path)) == []
    assert family.poll() is None


async def test_a_frozen_worker_of_a_killed_supervisor_is_killed_before_its_run_goes_on(tmp_path: Path) -> None:
    services = Services(Settings(data_dir=tmp_path, supervisor_idle_s=1.0))
    run = await services.pipelines.run(config=CONFIG, wait_s=0)
    await reached_training(services, run)
    serving = [process for process in psutil.process_iter() if serves(process, tmp_path)]
    supervisor = next(process for process in serving if "mlestar.supervise" in process.cmdline())
    frozen = [process for process in serving if process != supervisor]
    assert len(frozen) == 2  # the launcher and the run's worker
    for process in frozen:
        process.suspend()
    with anyio.fail_after(PATIENCE_S):
        while any(process.status() != psutil.STATUS_STOPPED for process in frozen):  # noqa: ASYNC110 - it is the system's
            await anyio.sleep(0.01)
    supervisor.kill()
    supervisor.wait(PATIENCE_S)
    assert all(process.status() == psutil.STATUS_STOPPED for process in frozen)
    done = await services.pipelines.get(run_id=run.run_id, wait_s=PATIENCE_S)
    assert (done.status, done.error) == (Status.SUCCEEDED, {})
    _, alive = psutil.wait_procs(frozen, timeout=PATIENCE_S)
    assert alive == []
    starts = await services.database.reading(functools.partial(runs.starts_of, run_id=run.run_id))
    assert (starts["data"], starts["features"], starts["training"]) == (1, 1, 2)
    services.close()


def serves(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get("MLESTAR_DATA_DIR") == str(folder)
    except (psutil.Error, OSError):
        return False


async def reached_training(services: Services, run: Run) -> None:
    with anyio.fail_after(PATIENCE_S):
        while run.stages[2].status != Status.RUNNING:
            await anyio.sleep(0.05)
            run = await services.pipelines.get(run_id=run.run_id)
