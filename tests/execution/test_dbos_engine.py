"""The traps of the durable engine, each held shut."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine

from mlestar.core.pipeline import SCHEMA_VERSION
from mlestar.execution.supervisor import lock_of
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from support.postgres import Server

RUNS_TWO = """
import anyio, json, sys, time
from mlestar.execution.dbos_engine import DbosEngine
from mlestar.execution.engine import Steps
done = []
async def work(run_id): done.append(("work", run_id)); return [] if run_id == "nothing" else ["f1", "f2"]
async def deploy(run_id, left): done.append(("deploy", run_id, left))
async def main():
    engine = DbosEngine(url=sys.argv[1], steps=Steps(work=work, deploy=deploy), at_once=2)
    await engine.launch()
    for run_id in ("a", "a", "nothing"):
        await engine.submit(run_id)
    with anyio.fail_after(30):
        while len(done) < 3 or await engine.live():
            await anyio.sleep(0.05)
        known = [await engine.resume("a"), await engine.resume("never heard of")]
        for run_id, source, stage in (("b", "a", "deployment"), ("c", "a", "training"), ("d", "gone", "deployment")):
            for _ in range(2):
                await engine.fork(source, run_id, stage=stage)
        while len(done) < 8 or await engine.live():
            await anyio.sleep(0.05)
    await anyio.sleep(0.6)
    await engine.stop()
    print(json.dumps([done, known]))
anyio.run(main)
"""


Ask = Callable[[str], list[tuple[Any, ...]]]
Left = tuple[list[list[object]], list[bool], Ask]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('engine') / 'engine.db'}"
        return
    server: Server = request.getfixturevalue("postgres_server")
    with server.database() as made:
        yield made


@pytest.fixture(scope="module")
def engine_after_work(url: str) -> Iterator[Left]:
    """What was done by an engine in a process of its own, whether it knew two runs, and how to ask what it left."""
    told = subprocess.run([sys.executable, "-c", RUNS_TWO, url], capture_output=True, text=True, check=True)
    done, known = json.loads(told.stdout.splitlines()[-1])
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.name == "postgresql":
            connection.exec_driver_sql("SET search_path = dbos")
        yield done, known, lambda query: [tuple(row) for row in connection.exec_driver_sql(query)]
    engine.dispose()


def test_a_run_is_done_once_however_often_it_is_submitted_or_resumed(engine_after_work: Left) -> None:
    done = sorted((one for one in engine_after_work[0] if one[1] in {"a", "nothing"}), key=str)
    assert done == [["deploy", "a", ["f1", "f2"]], ["work", "a"], ["work", "nothing"]]


def test_only_a_run_that_the_engine_had_can_be_resumed(engine_after_work: Left) -> None:
    assert engine_after_work[1] == [True, False]


@pytest.mark.parametrize(
    ("run_id", "expected"),
    [
        ("b", [["deploy", "b", ["f1", "f2"]]]),
        ("c", [["deploy", "c", ["f1", "f2"]], ["work", "c"]]),
        ("d", [["deploy", "d", ["f1", "f2"]], ["work", "d"]]),
    ],
    ids=[
        "from deployment on: only that",
        "from training on: both steps",
        "of a run the engine never had: from the start",
    ],
)
def test_a_fork_does_only_the_steps_from_its_stage_on_and_once(
    engine_after_work: Left, run_id: str, expected: list[list[object]]
) -> None:
    assert sorted((one for one in engine_after_work[0] if one[1] == run_id), key=str) == expected


def test_the_version_gate_is_the_schema_version_so_upgrades_strand_nothing(
    engine_after_work: Left,
) -> None:
    rows = engine_after_work[2]("SELECT DISTINCT application_version FROM workflow_status")
    assert rows == [(SCHEMA_VERSION,)]


def test_executor_ids_are_unique_so_nobody_recovers_anothers_live_run(
    engine_after_work: Left,
) -> None:
    ids = {row[0] for row in engine_after_work[2]("SELECT executor_id FROM workflow_status")}
    assert all(str(name).startswith("mlestar-") and len(str(name)) > 30 for name in ids)


def test_what_is_kept_is_json_and_never_a_pickle(
    engine_after_work: Left,
) -> None:
    outputs = engine_after_work[2]("SELECT output FROM operation_outputs WHERE output IS NOT NULL")
    assert outputs
    for (output,) in outputs:
        json.loads(output)


def test_a_second_supervisor_of_a_folder_leaves_at_once(tmp_path: Path) -> None:
    lock = lock_of(tmp_path)
    assert lock.acquire()
    command = [sys.executable, "-m", "mlestar.supervise"]
    env = {"MLESTAR_DATA_DIR": str(tmp_path), "PATH": ""}
    assert subprocess.run(command, env=env, timeout=PATIENCE_S, check=False).returncode == 0
    assert not (tmp_path / "engine.db").exists()
    lock.release()
