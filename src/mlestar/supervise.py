"""The detached process of a data folder: `python -m mlestar.supervise`, started by a server, never by hand."""

from __future__ import annotations

import logging
import time

import anyio

from mlestar.app import Services
from mlestar.execution.dbos_engine import DbosEngine
from mlestar.execution.runner import Runner
from mlestar.execution.supervisor import AT_ONCE, engine_url, supervise
from mlestar.settings import Settings


def main() -> None:
    """Work runs off until none is left."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings()
    services = Services(settings)
    runner = Runner(
        database=services.database, settings=settings, clock=time.time, hand_over=services.pipelines.record_run
    )
    engine = DbosEngine(url=engine_url(settings), steps=runner.steps, at_once=AT_ONCE)
    try:
        anyio.run(lambda: supervise(database=services.database, engine=engine, settings=settings))
    finally:
        services.close()


if __name__ == "__main__":
    main()
