"""Workers and servers that share a database and an artifact store, but no folder."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from mlestar.app import Services
from mlestar.core.run import Run, Status
from mlestar.errors import NotFound
from mlestar.execution.supervisor import lock_of
from mlestar.settings import Settings
from mlestar.storage import runs
from support.object_store import ADDRESS, object_store
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG: dict[str, Any] = {"data": {"source": "sklearn:iris"}, "training": {"algorithm": "linear"}}


@pytest.fixture(params=["folder", "object store"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    if request.param == "folder":
        yield f"file://{tmp_path / 'shared'}"
        return
    with object_store() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield ADDRESS


def worker(folder: Path, settings: Settings) -> subprocess.Popen[bytes]:
    told = {"DATA_DIR": str(folder), "DATABASE_URL": settings.database_url, "ARTIFACTS": settings.artifacts}
    env: Mapping[str, str] = os.environ | {f"MLESTAR_{name}": value for name, value in told.items()}
    return subprocess.Popen([sys.executable, "-m", "mlestar", "worker"], env=dict(env))


async def ended(services: Services, run: Run) -> Run:
    with anyio.fail_after(PATIENCE_S):
        while not Status(run.status).ended:
            await anyio.sleep(0.1)
            run = await services.database.reading(functools.partial(runs.run_of, run_id=run.run_id))
    return run


@pytest.mark.filterwarnings("default")  # of the object store's server and client, which are not ours
async def test_what_one_machine_made_another_serves_and_a_third_goes_on_from(
    postgres_url: str, store: str, tmp_path: Path
) -> None:
    services = Services(Settings(data_dir=tmp_path / "server", database_url=postgres_url, artifacts=store))
    lock = lock_of(services.settings.data_dir)
    assert lock.acquire()  # this machine works nothing off itself
    working = None
    try:
        working = worker(tmp_path / "first", services.settings)
        first = await ended(services, await services.pipelines.run(name="iris", config=CONFIG, wait_s=0))
        assert first.status == Status.SUCCEEDED, first.error
        assert first.model["path"].startswith(f"{store}/artifacts/")
        working.kill()
        working.wait()
        (tmp_path / "first").rename(tmp_path / "gone with its machine")

        package = await services.registry.artifact(run_id=first.run_id, name="model.skops")
        assert hashlib.sha256(package).hexdigest() == first.model["sha256"]
        plot, card = [await services.registry.artifact(run_id=first.run_id, name=n) for n in ("metrics.svg", "card.md")]
        assert plot.startswith(b"<svg")
        assert b"iris" in card
        with pytest.raises(NotFound, match=r"card\.md, .*metrics\.svg, model\.skops"):
            await services.registry.artifact(run_id=first.run_id, name="train.parquet")

        working = worker(tmp_path / "third", services.settings)
        again = await ended(services, await services.pipelines.run(name="iris", config=CONFIG, wait_s=0))
        assert again.status == Status.SUCCEEDED, again.error
        assert [stage.reused for stage in again.stages[:4]] == [True] * 4
        assert again.model["sha256"] == first.model["sha256"]
        kept = next(check for check in again.stages[4].checks if check.name == "previous version kept")
        assert (kept.outcome, kept.says) == ("pass", "version 1 is there and loads")
        assert {"R4.1", "R4.4"} <= set(again.evidence_recorded)
    finally:
        lock.release()
        if working is not None:
            working.kill()
            working.wait()
        services.close()


async def test_a_run_whose_store_cannot_be_written_fails_saying_so_and_registers_nothing(tmp_path: Path) -> None:
    (tmp_path / "shared").write_bytes(b"no folder")
    settings = Settings(data_dir=tmp_path / "data", artifacts=f"file://{tmp_path / 'shared'}", supervisor_idle_s=1.0)
    services = Services(settings)
    try:
        run = await ended(services, await services.pipelines.run(name="iris", config=CONFIG, wait_s=0))
        assert run.status == Status.FAILED
        assert run.error is not None
        assert run.error["code"] == "UNAVAILABLE"
        assert "the artifact store (file)" in run.error["message"]
        assert await services.registry.models() == []
    finally:
        services.close()
