"""The process that works runs off: `python -m mlestar.supervise`, started detached by a server.

With `--worker` it takes runs from a shared PostgreSQL database beside others, until stopped; every worker needs the
same data folder (a shared file system), where artifacts are.
"""

from __future__ import annotations

import logging
import sys
import time

import anyio

from mlestar.app import Services
from mlestar.execution.dbos_engine import DbosEngine
from mlestar.execution.runner import Runner
from mlestar.execution.supervisor import AT_ONCE, engine_url, supervise, work_on
from mlestar.settings import Settings


def main() -> None:
    """Work runs off."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings()
    services = Services(settings)
    runner = Runner(
        database=services.database, settings=settings, clock=time.time, hand_over=services.pipelines.record_run
    )
    engine = DbosEngine(url=engine_url(settings), steps=runner.steps, at_once=AT_ONCE)
    try:
        if sys.argv[1:] == ["--worker"]:
            anyio.run(lambda: work_on(database=services.database, engine=engine, clock=time.time))
        else:
            anyio.run(
                lambda: supervise(database=services.database, engine=engine, settings=settings, clock=time.time)
            )
    finally:
        services.close()


if __name__ == "__main__":
    main()
