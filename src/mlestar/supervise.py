"""The process that works runs off: `python -m mlestar.supervise`, started detached by a server.

With `--worker` it takes runs from a shared PostgreSQL database beside others, until stopped; every worker needs the
same data folder (a shared file system), where artifacts are.
"""

from __future__ import annotations

import logging
import sys
import time

import anyio

from mlestar.execution.supervisor import AT_ONCE, engine_url, supervise, take_lock, work_on
from mlestar.settings import Settings


def main() -> None:
    """Work runs off."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings()
    beside_others = sys.argv[1:] == ["--worker"]
    lock = None if beside_others else take_lock(settings)
    if not beside_others and lock is None:
        return
    from mlestar.app import Services  # the lock comes first: a server that looks must see it soon
    from mlestar.execution.dbos_engine import DbosEngine
    from mlestar.execution.runner import Runner

    services = Services(settings)
    database = services.database
    runner = Runner(database=database, settings=settings, clock=time.time, hand_over=services.pipelines.record_run)
    engine = DbosEngine(url=engine_url(settings), steps=runner.steps, at_once=AT_ONCE)

    async def serve() -> None:
        if lock is None:
            await work_on(database=database, engine=engine, clock=time.time)
        else:
            await supervise(database=database, engine=engine, settings=settings, clock=time.time, lock=lock)

    try:
        anyio.run(serve)
    finally:
        services.close()


if __name__ == "__main__":
    main()
