from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import anyio
import numpy as np
import pandas as pd
import psutil
import pytest

from mlestar.app import Services
from mlestar.core.run import Run, Status
from mlestar.errors import Conflict, InvalidInput, MissingDependency, NotFound
from mlestar.execution.supervisor import lock_of
from mlestar.settings import Settings
from mlestar.stages.members import installed
from mlestar.storage import runs
from support.patience import PATIENCE_S

DATA: dict[str, Any] = {"source": "customers.csv", "target": "churned"}
QUICK: dict[str, Any] = {"data": DATA, "training": {"algorithm": "linear"}}


def slow(seed: int, seconds: float) -> dict[str, Any]:
    """A config whose training takes so long, by its time budget; every seed is work of its own."""
    tuned = {"algorithm": "hist_gradient_boosting", "tuning": {"trials": 900}, "timeBudgetS": seconds}
    return {"data": {**DATA, "seed": seed}, "training": tuned}


def customers(seed: int = 0, n: int = 600) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    spent, visits = random.gamma(2, 50, n), random.poisson(4, n)
    churned = (random.random(n) < 1 / (1 + np.exp(0.01 * spent + 0.2 * visits - 1.5))).astype(int)
    return pd.DataFrame({"spent": spent, "visits": visits, "plan": random.choice(["a", "b"], n), "churned": churned})


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One data folder with one supervisor for all tests of this module."""
    folder = tmp_path_factory.mktemp("pipelines")
    (folder / "files").mkdir()
    customers().to_csv(folder / "files" / "customers.csv", index=False)
    made = Services(Settings(data_dir=folder / "data", roots=(folder / "files",), supervisor_idle_s=2.0))
    yield made
    for process in supervisors(made):
        process.kill()
        process.wait(PATIENCE_S)
    made.close()


def supervisors(services: Services) -> list[psutil.Process]:
    """Every process that serves this data folder, launchers and workers included."""
    wanted = str(services.settings.data_dir)
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("MLESTAR_DATA_DIR") == wanted:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def supervisor(services: Services) -> psutil.Process:
    return next(process for process in supervisors(services) if "mlestar.supervise" in process.cmdline())


async def ended(services: Services, run: Run) -> Run:
    found = await services.pipelines.get(run_id=run.run_id, wait_s=PATIENCE_S)
    assert Status(found.status).ended, f"{found.status} {found.progress}"
    return found


async def finished(services: Services) -> Run:
    """A quick run that has succeeded; the first one of the folder, when there is one."""
    known = [run for run in await services.pipelines.runs() if run.status == "succeeded" and run.name == "cancer"]
    return known[-1] if known else await services.pipelines.run(name="cancer", config=QUICK, wait_s=PATIENCE_S)


async def reached(services: Services, run: Run, stage: str, status: str = "running") -> Run:
    with anyio.fail_after(PATIENCE_S):
        while True:
            now = await services.pipelines.get(run_id=run.run_id)
            if any(state.name == stage and state.status == status for state in now.stages):
                return now
            await anyio.sleep(0.05)


MEASURED_BY_LOOKING = {"X4.4", "R5.1", "T2.3", "T2.5", "A4.2"}
"""Trained twice, a stored profile, what the package was fitted on, one object, an explained row."""


async def test_a_run_trains_measures_registers_and_leaves_evidence(services: Services) -> None:
    seen: list[tuple[float, str]] = []

    async def note(done: float, _total: float | None, message: str) -> None:
        seen.append((done, message))

    run = await services.pipelines.run(name="cancer", config=QUICK, wait_s=PATIENCE_S, progress=note)
    assert (run.status, run.error) == ("succeeded", {})
    assert [stage.status for stage in run.stages] == ["succeeded"] * 5
    assert all(check.outcome != "fail" for stage in run.stages for check in stage.checks)
    assert run.metrics["accuracy"]["n"] == 120
    assert run.metrics["accuracy"]["low"] < run.metrics["accuracy"]["value"] < run.metrics["accuracy"]["high"]
    assert run.metrics["roc_auc"]["value"] > run.baselines["dummy"]["roc_auc"]["value"] == 0.5
    assert await anyio.Path(run.model["path"]).is_file()
    assert {"T3.1", "T1.3", "A1.3"} | MEASURED_BY_LOOKING <= set(run.evidence_recorded)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len({message for _, message in seen}) >= 4
    window = await services.windows.read(window=7)
    assert run.run_id in str(window)


async def test_the_same_config_again_reuses_every_stage_and_is_the_same_model(services: Services) -> None:
    first = await finished(services)
    again = await services.pipelines.run(pipeline_id=first.pipeline_id, wait_s=PATIENCE_S)
    assert [stage.reused for stage in again.stages[:4]] == [True] * 4
    assert again.model["sha256"] == first.model["sha256"]
    assert again.metrics == first.metrics
    assert again.model["version"] == first.model["version"] + 1


async def test_a_run_id_is_answered_before_the_work_begins(services: Services) -> None:
    run = await services.pipelines.run(config=QUICK, wait_s=0)
    assert not Status(run.status).ended
    assert {stage.status for stage in run.stages} <= {"queued", "running"}
    await ended(services, run)


async def test_cancelling_stops_the_work_and_leaves_no_process(services: Services) -> None:
    run = await services.pipelines.run(config=slow(11, 60), wait_s=0)
    await reached(services, run, "training")
    cancelled = await services.pipelines.cancel(run_id=run.run_id)
    assert cancelled.status == "cancelled"
    assert {stage.status for stage in cancelled.stages} == {"succeeded", "cancelled"}
    busy = [process for process in supervisors(services) if process.cpu_percent(0.2) > 50]
    assert busy == []


async def test_cancelling_a_run_that_has_ended_is_a_conflict(services: Services) -> None:
    run = await finished(services)
    with pytest.raises(Conflict, match="has succeeded already"):
        await services.pipelines.cancel(run_id=run.run_id)


async def test_an_unknown_run_names_the_newest_ones(services: Services) -> None:
    run = await finished(services)
    with pytest.raises(NotFound) as caught:
        await services.pipelines.get(run_id="run-0")
    assert set(caught.value.valid) == {known.run_id for known in (await services.pipelines.runs())[:10]}
    assert run.run_id.startswith("run-")


@pytest.mark.parametrize(
    ("config", "error", "says"),
    [
        ({"data": DATA, "training": {"algorithm": "catboost"}}, MissingDependency, r"mlestar\[catboost"),
        pytest.param(
            {"data": DATA, "training": {"algorithm": "embeddings"}},
            MissingDependency,
            r"mlestar\[embeddings\]",
            marks=pytest.mark.skipif(installed("embeddings"), reason="lacks an environment without embeddings"),
        ),
        ({"data": {"source": "sklearn:wine"}, "training": {"algorithm": "boost"}}, InvalidInput, "no 'boost'"),
        ({}, InvalidInput, "source is missing"),
    ],
)
async def test_a_wrong_config_is_refused_before_any_work(
    services: Services, config: dict[str, Any], error: type[Exception], says: str
) -> None:
    before = await services.pipelines.runs()
    with pytest.raises(error, match=says):
        await services.pipelines.run(config=config)
    assert await services.pipelines.runs() == before


@pytest.mark.parametrize(
    ("source", "code"),
    [("sklearn:nope", "NOT_FOUND"), ("missing.csv", "NOT_FOUND"), ("../outside.csv", "OUTSIDE_ROOTS")],
)
async def test_a_source_that_cannot_be_read_fails_the_run_with_its_error(
    services: Services, source: str, code: str
) -> None:
    run = await services.pipelines.run(config={"data": {"source": source}}, wait_s=PATIENCE_S)
    assert (run.status, run.error["code"]) == ("failed", code)
    assert run.model == {}


async def test_a_leaked_copy_of_the_target_stops_the_run_at_the_data_stage(services: Services) -> None:
    leaky = customers().assign(closed=lambda rows: rows["churned"])
    leaky.to_csv(services.settings.roots[0] / "leaked.csv", index=False)
    config = {**QUICK, "data": {**DATA, "source": "leaked.csv"}}
    leaked = await services.pipelines.run(config=config, wait_s=PATIENCE_S)
    assert leaked.status == "failed"
    assert "'closed'" in leaked.error["message"]
    assert [stage.status for stage in leaked.stages][:2] == ["failed", "queued"]


async def test_production_is_refused_while_a_critical_finding_stands(services: Services) -> None:
    frame = customers(n=1200)
    flip = np.random.default_rng(1).random(len(frame)) < 0.03
    frame["closed"] = np.where(flip, 1 - frame["churned"], frame["churned"])  # just below the data stage's own limit
    frame.to_csv(services.settings.roots[0] / "nearly.csv", index=False)
    config = {
        "data": {"source": "nearly.csv", "target": "churned"},
        "training": {"algorithm": "linear"},
        "deployment": {"environment": "production"},
    }
    run = await services.pipelines.run(name="leaky", config=config, wait_s=PATIENCE_S, workspace="gate")
    assert (run.status, run.error["code"]) == ("failed", "CONFLICT")
    assert "T2.1" in run.error["message"]
    assert "closed" in run.error["message"]
    assert (run.model["version"], run.model["environment"]) == (1, "none")


async def test_rolling_back_moves_the_pointer_and_keeps_its_history(services: Services) -> None:
    config = {**QUICK, "deployment": {"environment": "staging"}}
    for _ in range(2):  # finished stages are taken over: only the deployment is done
        run = await services.pipelines.run(name="pointed", config=config, wait_s=PATIENCE_S)
        assert run.status == "succeeded"
    history = await services.registry.roll_back(name="pointed", environment="staging")
    assert [entry["version"] for entry in history] == [1, 2, 1]
    assert history[0]["reason"] == "rolled back from version 2"
    with pytest.raises(NotFound, match="no version 9"):
        await services.registry.roll_back(name="pointed", environment="staging", version=9)
    shown = await command(services, "rollback", "pointed", "--environment", "staging", "--version", "2")
    assert [line for line in shown.splitlines() if line.startswith("pointed ") and "<- staging" in line] == [
        line for line in shown.splitlines() if line.startswith("pointed version 2 ")
    ]
    assert await command(services, "models") == shown


async def test_the_command_line_goes_on_from_a_stage_and_shows_the_model(services: Services) -> None:
    source = await finished(services)
    shown = await command(services, "rerun", source.run_id, "--from", "deployment")
    newest = (await services.pipelines.runs())[0]
    assert newest.forked_from == source.run_id
    assert f"Run {newest.run_id} of cancer: succeeded" in shown
    assert f"Model cancer version {newest.model['version']} ({newest.model['sha256'][:12]})" in shown


async def command(services: Services, *arguments: str) -> str:
    """What the command prints, on the same data folder."""
    folder = str(services.settings.data_dir)
    done = await anyio.run_process([sys.executable, "-m", "mlestar", *arguments, "--data-dir", folder])
    return done.stdout.decode()


async def test_a_killed_worker_is_replaced_and_finished_stages_are_not_done_again(services: Services) -> None:
    run = await services.pipelines.run(config=slow(12, 2), wait_s=0)
    await reached(services, run, "training")
    worker = max(supervisors(services), key=lambda process: process.create_time())
    worker.kill()
    done = await ended(services, run)
    assert done.status == "succeeded"
    starts = await services.database.reading(lambda connection: runs.starts_of(connection, run.run_id))
    assert (starts["data"], starts["features"], starts["training"]) == (1, 1, 2)


async def test_a_worker_that_is_killed_while_it_verifies_is_replaced(services: Services) -> None:
    run = await services.pipelines.run(config=slow(15, 1), wait_s=0)
    with anyio.fail_after(PATIENCE_S):
        judging = "judging what the run measured"
        while (await services.pipelines.get(run_id=run.run_id)).progress["message"] != judging:  # noqa: ASYNC110 - it is another process
            await anyio.sleep(0.02)
    max(supervisors(services), key=lambda process: process.create_time()).kill()
    done = await ended(services, run)
    assert (done.status, done.error) == ("succeeded", {})
    starts = await services.database.reading(lambda connection: runs.starts_of(connection, run.run_id))
    assert set(starts.values()) == {1}


@pytest.mark.parametrize(("stage", "reused"), [("training", 2), ("deployment", 4)])
async def test_a_fork_takes_over_what_was_before_its_stage_and_does_the_rest_again(
    services: Services, stage: str, reused: int
) -> None:
    source = await finished(services)
    fork = await services.pipelines.fork(run_id=source.run_id, stage=stage, wait_s=PATIENCE_S)
    assert (fork.status, fork.error) == ("succeeded", {})
    assert (fork.forked_from, fork.pipeline_id) == (source.run_id, source.pipeline_id)
    assert [state.reused for state in fork.stages] == [True] * reused + [False] * (5 - reused)
    starts = await services.database.reading(lambda connection: runs.starts_of(connection, fork.run_id))
    assert [starts[state.name] for state in fork.stages] == [0] * reused + [1] * (5 - reused)
    assert (fork.model["sha256"], fork.metrics) == (source.model["sha256"], source.metrics)
    assert fork.model["version"] > source.model["version"]


async def test_a_fork_needs_a_stage_that_exists_and_finished_ones_before_it(services: Services) -> None:
    config = {"data": {"source": "sklearn:nope"}}
    failed = await services.pipelines.run(config=config, wait_s=PATIENCE_S)
    with pytest.raises(Conflict, match="no finished data stage"):
        await services.pipelines.fork(run_id=failed.run_id, stage="training")
    with pytest.raises(InvalidInput, match="no stage 'train'") as caught:
        await services.pipelines.fork(run_id=failed.run_id, stage="train")
    assert "training" in caught.value.valid
    with pytest.raises(NotFound, match="no run 'run-0'"):
        await services.pipelines.fork(run_id="run-0", stage="data")


async def test_a_killed_supervisor_is_replaced_and_its_run_goes_on(services: Services) -> None:
    run = await services.pipelines.run(config=slow(13, 2), wait_s=0)
    await reached(services, run, "training")
    doomed = supervisors(services)
    os.kill(supervisor(services).pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(doomed, timeout=PATIENCE_S)
    assert alive == []
    assert lock_of(services.settings.data_dir).is_free()
    done = await ended(services, run)
    assert done.status == "succeeded"
    starts = await services.database.reading(functools.partial(runs.starts_of, run_id=run.run_id))
    assert (starts["data"], starts["features"], starts["training"]) == (1, 1, 2)
    kinds = [event["kind"] for event in await services.pipelines.events(run.run_id)]
    assert kinds[-1] == "succeeded"
    assert kinds.count("succeeded") == 1
