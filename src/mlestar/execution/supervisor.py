"""The one process of a data folder that works runs off: servers only queue and read.

It is started detached by the first server that has a run, holds the folder's lock, takes up what a killed one left,
and ends when nothing was queued for a while. Every stdio client starts its own server; without the lock each would
"recover" the runs of the others.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from mlestar.core.run import Status
from mlestar.execution.folder_lock import FolderLock
from mlestar.execution.launcher import warm_up
from mlestar.execution.orphans import reap
from mlestar.execution.work import NOTHING_FROM_HERE
from mlestar.storage import runs
from mlestar.storage.processes import ProcessRecords

if TYPE_CHECKING:
    from mlestar.execution.engine import Engine
    from mlestar.settings import Settings
    from mlestar.storage.database import Database

POLL_S = 0.2
BUSY_POLL_S = 0.5
"""Between two looks for runs while one is worked on: each takes CPU that the run could use."""
AT_ONCE = 2
"""Runs worked off side by side; more would only share the same cores."""
WORKER_MODULES = (
    "skops.io", "lightgbm", "pyarrow.parquet", "pyarrow.dataset", "scipy.cluster.hierarchy", "sklearn.inspection",
    "mlestar.execution.worker", "mlestar.execution.verify", "mlestar.checks.catalogue:load",
)  # fmt: skip
"""What every run's processes need beyond what the launcher has loaded anyway. skops comes first: it looks through all
modules that are loaded by then, once for each of some 800 functions."""
LEASE_S = 10.0
"""A running run without a heartbeat for so long has lost its worker (the heartbeat comes every 0.9 s)."""
BEGUN_S = 30.0
"""Who takes a run off the queue marks it as running at once; one that is not by then has lost its worker."""
LOCK_TRIES, LOCK_PAUSE_S = 20, 0.05
_log = logging.getLogger(__name__)


def lock_of(data_dir: Path) -> FolderLock:
    """The lock that a data folder's supervisor holds."""
    return FolderLock(data_dir / "supervisor.lock")


def log_of(data_dir: Path) -> Path:
    """What a data folder's supervisor has to say."""
    return data_dir / "logs" / "supervisor.log"


def engine_url(settings: Settings) -> str:
    """Where the engine keeps its own tables: a file of its own, or a schema of the shared server."""
    return settings.database_url or f"sqlite:///{settings.data_dir / 'engine.db'}"


class SupervisorLink:
    """A server's way to its folder's supervisor: starts one when none is alive."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is started yet."""
        self._settings = settings
        self._started: subprocess.Popen[bytes] | None = None

    def ensure(self) -> bool:
        """Start a detached supervisor unless one is alive or still starting; answers whether one was started."""
        if self._started is not None and self._started.poll() is None:
            return False
        if not lock_of(self._settings.data_dir).is_free():
            return False
        path = log_of(self._settings.data_dir)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            command = [sys.executable, *NOTHING_FROM_HERE, "-m", "mlestar.supervise"]
            self._started = _detached(command, log=log, env=os.environ | _environment(self._settings))
        return True

    def __del__(self) -> None:
        """The supervisor outlives its server on purpose: nobody waits for it."""
        if self._started is not None:
            self._started.returncode = self._started.poll() or 0


def _detached(command: list[str], *, log: Any, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "env": dict(env)}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    process: Any = subprocess.Popen(command, **options)  # noqa: S603 - this interpreter, this package
    return process


def _environment(settings: Settings) -> dict[str, str]:
    values = settings.model_dump(mode="json")
    import json

    return {
        f"MLESTAR_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def take_lock(settings: Settings) -> FolderLock | None:
    """Become the supervisor of a data folder; None when another one is alive."""
    lock = lock_of(settings.data_dir)
    for _ in range(LOCK_TRIES):
        if lock.acquire():
            return lock
        time.sleep(LOCK_PAUSE_S)
    return None


async def supervise(
    *, database: Database, engine: Engine, settings: Settings, clock: Callable[[], float], lock: FolderLock
) -> None:
    """Have runs worked off until none was left for `supervisor_idle_s`, holding the folder's lock."""
    await _prepare(engine, settings)
    try:
        while True:
            # with a database of its own, whoever holds the lock knows that every other worker is dead
            await _serve(database, engine, clock, idle_s=settings.supervisor_idle_s, alone=database.is_sqlite)
            lock.release()
            # a run queued between the last look and the release would be nobody's: look once more
            if not await database.reading(runs.unfinished) or not lock.acquire():
                return
    finally:
        await engine.stop()


async def work_on(*, database: Database, engine: Engine, settings: Settings, clock: Callable[[], float]) -> None:
    """Take runs from a shared database, beside other workers, until SIGTERM or SIGINT.

    A run that is under way then is taken up by another worker as soon as its lease is over.
    """
    await _prepare(engine, settings)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_when_asked, tasks.cancel_scope)
            await _serve(database, engine, clock, idle_s=float("inf"), alone=False)
    finally:
        with anyio.CancelScope(shield=True):
            await engine.stop()


async def _prepare(engine: Engine, settings: Settings) -> None:
    records = ProcessRecords(settings.data_dir)
    await anyio.to_thread.run_sync(reap, records)
    await anyio.to_thread.run_sync(warm_up, WORKER_MODULES, records)
    await engine.launch()


async def _stop_when_asked(scope: anyio.CancelScope) -> None:
    if sys.platform == "win32":
        return  # there is no SIGTERM; an interrupt ends the process
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()


async def _queue(database: Database, engine: Engine, run_id: str) -> None:
    run = await database.reading(lambda connection: runs.run_of(connection, run_id))
    begins = next((stage.name for stage in run.stages if stage.forced), "")
    await (engine.fork(run.forked_from, run_id, stage=begins) if begins else engine.submit(run_id))


class _TakenRuns:
    """Queued runs that were taken off the queue by a worker that died before it marked them as running."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        """Nothing was looked at yet."""
        self._engine = engine
        self._clock = clock
        self._looked: dict[str, tuple[float, bool]] = {}

    async def is_lost(self, run_id: str) -> bool:
        """Whether the run was already taken `BEGUN_S` ago, and still is."""
        now = self._clock()
        at, was_taken = self._looked.setdefault(run_id, (now, False))
        if now - at < BEGUN_S:
            return False
        is_taken = await self._engine.taken(run_id)
        self._looked[run_id] = (now, is_taken)
        return is_taken and was_taken


async def _serve(database: Database, engine: Engine, clock: Callable[[], float], *, idle_s: float, alone: bool) -> None:
    idle_since, first = anyio.current_time(), True
    seen: set[str] = set()
    resumed: dict[str, float] = {}
    taken = _TakenRuns(engine, clock)
    while anyio.current_time() - idle_since < idle_s:
        live = await engine.live()
        waiting = await database.reading(runs.unfinished)
        for run_id, status, sign_of_life in waiting:
            dead = (alone and first) or clock() - max(sign_of_life, resumed.get(run_id, 0.0)) > LEASE_S
            if run_id in live:
                continue
            lost = dead if status is Status.RUNNING else run_id in seen and await taken.is_lost(run_id)
            if lost:
                _log.info("run %s is taken up: its worker gave no sign of life", run_id)
                resumed[run_id] = clock()
            elif status is Status.RUNNING or run_id in seen:
                continue
            seen.add(run_id)
            may_be_known = lost or (alone and first)
            if not (may_be_known and await engine.resume(run_id)):
                await _queue(database, engine, run_id)
        first = False
        if waiting:
            idle_since = anyio.current_time()
        await anyio.sleep(BUSY_POLL_S if live else POLL_S)
