"""What a run meets from outside: it ends with an error that says why, and no model is half registered."""

from __future__ import annotations

import os
import resource
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pandas as pd
import psutil
import pytest

from mlestar.app import Services
from mlestar.core.run import Run, Status
from mlestar.errors import WorkFailed
from mlestar.execution.work import Channel
from mlestar.execution.worker import work
from mlestar.settings import Settings
from support.patience import PATIENCE_S

DATA: dict[str, Any] = {"source": "rows.csv", "target": "y"}
LINEAR: dict[str, Any] = {"data": DATA, "training": {"algorithm": "linear"}}
LONG: dict[str, Any] = {
    "data": DATA,
    "training": {"algorithm": "hist_gradient_boosting", "tuning": {"trials": 900}, "timeBudgetS": 3},
}


def rows(seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=400)
    return pd.DataFrame(
        {"x": x, "z": random.normal(size=400), "y": (random.random(400) < 1 / (1 + np.exp(-2 * x))) * 1}
    )


@contextmanager
def serving(folder: Path, **settings: Any) -> Generator[Services]:
    """The services of a data folder; its supervisor is ended with them."""
    (folder / "files").mkdir()
    rows().to_csv(folder / "files" / "rows.csv", index=False)
    made = Services(Settings(data_dir=folder / "data", roots=(folder / "files",), supervisor_idle_s=2.0, **settings))
    yield made
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("MLESTAR_DATA_DIR") == str(folder / "data")
        except (psutil.Error, OSError):
            continue
        if mine and process.pid != os.getpid():
            process.kill()
            process.wait(PATIENCE_S)
    made.close()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with serving(tmp_path_factory.mktemp("wrong")) as made:
        yield made


async def ended(services: Services, run: Run) -> Run:
    found = await services.pipelines.get(run_id=run.run_id, wait_s=PATIENCE_S)
    assert Status(found.status).ended, f"{found.status} {found.progress}"
    return found


async def test_a_file_that_is_replaced_while_it_is_learnt_from_fails_the_run_and_registers_nothing(
    services: Services,
) -> None:
    run = await services.pipelines.run(name="replaced", config=LONG, wait_s=0)
    with anyio.fail_after(PATIENCE_S):
        while run.stages[2].status != Status.RUNNING:
            await anyio.sleep(0.05)
            run = await services.pipelines.get(run_id=run.run_id)
    path = services.settings.roots[0] / "rows.csv"
    rows(seed=1).to_csv(path, index=False)
    failed = await ended(services, run)
    rows().to_csv(path, index=False)
    assert failed.status == "failed"
    assert "rows.csv is no longer what the data stage read" in failed.error["message"]
    assert failed.model == {}
    assert await services.registry.models(name="replaced") == []


async def test_two_runs_of_one_pipeline_at_once_both_end_with_the_same_model_in_two_versions(
    services: Services,
) -> None:
    pipeline = await services.pipelines.create(name="twice", config=LINEAR)
    queued = [await services.pipelines.run(pipeline_id=pipeline.id, wait_s=0) for _ in range(2)]
    done = [await ended(services, run) for run in queued]
    assert [run.status for run in done] == ["succeeded"] * 2
    assert {run.model["version"] for run in done} == {1, 2}
    assert len({run.model["sha256"] for run in done}) == 1
    assert done[0].metrics == done[1].metrics


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"x,y\n\xff\xfe\x00\x81,1\n" + b"\x81\x8d,0\n" * 80, ("NUL bytes",)),
        ("x,y\ncafé,1\n".encode() + b"caf\xe9\x81,0\n" * 80, ("encoding",)),
        (b"", ("empty",)),
        (b"x,y\n1,1\n2,1,7,8\n" * 40, ("line", "columns", "fields")),
    ],
    ids=["bytes that are no text", "two encodings in one file", "an empty file", "rows of differing length"],
)
async def test_a_file_that_cannot_be_read_says_what_is_wrong_with_it(
    services: Services, content: bytes, says: tuple[str, ...]
) -> None:
    await anyio.Path(services.settings.roots[0] / "broken.csv").write_bytes(content)
    config = {**LINEAR, "data": {"source": "broken.csv", "target": "y"}}
    failed = await services.pipelines.run(name="broken", config=config, wait_s=PATIENCE_S)
    assert failed.status == "failed"
    assert failed.error["code"] != "INTERNAL"
    assert any(word in failed.error["message"] for word in says), failed.error
    assert await services.registry.models(name="broken") == []


async def test_a_worker_that_runs_out_of_memory_fails_its_run_with_the_limit(tmp_path: Path) -> None:
    with serving(tmp_path, worker_memory_mb=64) as small:
        failed = await small.pipelines.run(name="big", config=LINEAR, wait_s=PATIENCE_S)
        assert failed.status == "failed"
        assert "ran out of memory (limit 64 MiB)" in failed.error["message"]
        assert await small.registry.models(name="big") == []


class Silent(Channel):
    """Tells nobody."""

    def __init__(self) -> None:
        """There is no other end."""

    def __call__(self, done: float, total: float | None, message: str) -> None:
        """Nothing."""

    def event(self, value: Any) -> None:
        """Nothing."""


def test_a_full_disk_fails_the_stage_leaves_no_part_and_the_next_run_goes_on(tmp_path: Path) -> None:
    rows().to_csv(tmp_path / "rows.csv", index=False)
    payload = {
        "config": LINEAR, "roots": [str(tmp_path)], "folder": str(tmp_path / "data"), "max_rows": 10_000,
        "max_bytes": 2**20,
    }  # fmt: skip
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, allowed[1]))  # as a disk with so many bytes left
    try:
        with pytest.raises(WorkFailed, match=r"could not write .* File too large") as caught:
            work(payload, Silent())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert "free some disk space" in caught.value.do
    assert [path for path in (tmp_path / "data").rglob("*") if path.name.startswith(".part-")] == []
    assert len(work(payload, Silent())["fingerprints"]) == 4
