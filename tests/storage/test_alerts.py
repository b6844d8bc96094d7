from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from mlestar.core.run import Status
from mlestar.storage.tables_runs import pipelines, runs
from support.judging import services_over

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.app import Services


@pytest.fixture
async def services(tmp_path: Path, database_url: str) -> AsyncIterator[Services]:
    services = services_over(tmp_path / "data", tmp_path, cap_tokens=256, database_url=database_url)
    yield services
    services.close()


async def add_run(services: Services, run_id: str, status: Status, created: float) -> None:
    def add(connection: Connection) -> None:
        pipeline = {"id": f"p-{run_id}", "workspace": "default", "name": "toy", "config": {}, "created": created}
        connection.execute(insert(pipelines), [pipeline])
        connection.execute(
            insert(runs),
            [
                {
                    "id": run_id, "pipeline_id": f"p-{run_id}", "workspace": "default", "name": "toy", "status": status,
                    "roots": [], "progress": {}, "result": {}, "error": {}, "created": created,
                }
            ],
        )  # fmt: skip

    await services.database.writing(add)


async def alerts(services: Services) -> list[str]:
    score = await services.scores.score()
    return [alert.message for alert in score.alerts if alert.kind in {"pipeline", "window"}]


async def test_a_failed_run_alerts_until_a_newer_one_succeeds(services: Services) -> None:
    await add_run(services, "run-1", Status.FAILED, time.time())
    assert await alerts(services) == ["the newest run of toy failed: see run-1"]
    await add_run(services, "run-2", Status.SUCCEEDED, time.time() + 1)
    assert await alerts(services) == []


async def test_a_window_without_room_for_its_important_entries_alerts(services: Services) -> None:
    words = " ".join(f"requirement {k} holds for customer segment {k * 7919}" for k in range(12))
    for number in range(40):
        await services.windows.update(window=2, content=f"{number}: {words}", priority=4)
    told = await alerts(services)
    assert told
    assert all("has no room for" in message for message in told)
