"""The processes that work runs off, put together from their parts.

`python -m mlestar.supervise` is the one of a data folder, started detached by a server. `mlestar worker` calls
`work_beside_others`: it takes runs from a shared PostgreSQL database beside others, until stopped.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from mlestar.errors import InvalidInput
from mlestar.execution.launcher import COLLECT_EVERY
from mlestar.execution.supervisor import AT_ONCE, engine_url, supervise, take_lock, work_on
from mlestar.settings import Settings

if TYPE_CHECKING:
    from mlestar.app import Services
    from mlestar.execution.engine import Engine

PATIENCE_S = 120.0
"""So long a run waits for a database that is away, as when its server is started anew; then it fails and says so."""


def main() -> None:
    """Work the runs of a data folder off, unless another process does already."""
    settings = Settings()
    _log_to_stderr()
    lock = take_lock(settings)
    if lock is None:
        return
    gc.set_threshold(COLLECT_EVERY)  # what is imported from here on stays
    from mlestar.app import Services  # the lock comes first: a server that looks must see it soon

    services = Services(settings)

    async def serve() -> None:
        engine = _engine(services)
        await supervise(database=services.database, engine=engine, settings=settings, clock=time.time, lock=lock)

    _serve(services, serve)


def work_beside_others(services: Services) -> None:
    """Take runs from a shared database until SIGTERM or SIGINT; what was under way is taken up by another worker.

    Raises:
        InvalidInput: The database is a file: its folder has a supervisor of its own.
    """
    if services.database.is_sqlite:
        raise InvalidInput(
            "a worker takes runs from a shared PostgreSQL database, and MLESTAR_DATABASE_URL names none",
            valid=("postgresql+psycopg://user:password@host/name",),
            do="set it; with SQLite nothing is to be started: the first run starts the folder's own supervisor",
        )
    _log_to_stderr()

    async def serve() -> None:
        engine = _engine(services)
        await work_on(database=services.database, engine=engine, settings=services.settings, clock=time.time)

    _serve(services, serve)


def _serve(services: Services, serve: Callable[[], Awaitable[None]]) -> None:
    try:
        anyio.run(serve)
    finally:
        services.close()


def _engine(services: Services) -> Engine:
    from mlestar.execution.dbos_engine import DbosEngine
    from mlestar.execution.runner import Runner
    from mlestar.storage.database import Database

    settings = services.settings
    if settings.artifacts:
        from mlestar.storage.artifact_store import check_installed

        check_installed(settings.artifacts)
    services.database.close()
    services.database = Database(settings.resolved_database_url, patience_s=PATIENCE_S)
    runner = Runner(
        database=services.database, settings=settings, clock=time.time, hand_over=services.pipelines.record_run
    )
    return DbosEngine(url=engine_url(settings), steps=runner.steps, at_once=AT_ONCE)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


if __name__ == "__main__":
    main()
