from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlestar.core.pipeline import STAGES
from mlestar.core.run import MOVES, Pipeline, StageCheck, StageState, Status
from mlestar.errors import Conflict, NotFound
from mlestar.storage import models, runs
from mlestar.storage.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


PIPELINE = Pipeline(id="p", workspace="w", name="n", config={"data": {"source": "x"}}, created=1.0)


def queued(database: Database, run_id: str = "r") -> None:
    with database.write() as connection:
        if not runs.runs_of(connection, "w"):
            runs.insert_pipeline(connection, PIPELINE)
        runs.insert_run(connection, run_id=run_id, pipeline=PIPELINE, roots=["/data"], at=2.0)


def test_a_queued_run_has_five_stages_and_remembers_who_may_read_what(database: Database) -> None:
    queued(database)
    with database.read() as connection:
        run = runs.run_of(connection, "r", "w")
        assert [stage.name for stage in run.stages] == list(STAGES)
        assert runs.roots_of(connection, "r") == ["/data"]
        assert runs.unfinished(connection) == [("r", Status.QUEUED, 2.0)]
        assert run == runs.runs_of(connection, "w")[0]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.sampled_from(list(Status)), max_size=6))
def test_a_run_only_ever_moves_as_the_table_of_moves_allows(
    wanted: list[Status], tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('moves') / 'runs.db'}")
    queued(database)
    now = Status.QUEUED
    for status in wanted:
        with database.write() as connection:
            moved = runs.move(connection, "r", status, at=3.0)
        assert moved == (status in MOVES[now])
        now = status if moved else now
    with database.read() as connection:
        run = runs.run_of(connection, "r")
    database.close()
    assert run.status == now
    assert bool(run.ended) == now.ended


def test_a_stage_comes_back_as_it_was_saved_and_its_beginnings_are_counted(database: Database) -> None:
    queued(database)
    state = StageState(
        name="data", status=Status.RUNNING, duration_s=1.5, output={"rows": 3},
        checks=(StageCheck(name="nulls", outcome="warn", says="some"),),
    )  # fmt: skip
    with database.write() as connection:
        for _ in range(2):
            runs.save_stage(connection, "r", state, artifacts={"a": "1"}, fingerprint="f", started=True)
        assert runs.run_of(connection, "r").stages[0] == state
        assert runs.starts_of(connection, "r")["data"] == 2
        assert runs.artifacts_of(connection, "r")["data"] == {"a": "1"}


def test_a_run_that_has_not_begun_is_cancelled_at_once_and_an_ended_one_is_a_conflict(database: Database) -> None:
    queued(database)
    with database.write() as connection:
        assert runs.request_cancel(connection, "r", "w", at=3.0).status == "cancelled"
        with pytest.raises(Conflict, match="has cancelled already"):
            runs.request_cancel(connection, "r", "w", at=4.0)


def test_a_run_of_another_workspace_is_not_found(database: Database) -> None:
    queued(database)
    with database.read() as connection, pytest.raises(NotFound):
        runs.run_of(connection, "r", "other")


def test_events_come_in_order_from_where_one_left_off(database: Database) -> None:
    queued(database)
    with database.write() as connection:
        runs.add_event(connection, "r", at=3.0, kind="stage", message="data running", done=0.1)
        every = runs.events_after(connection, "r", 0)
        assert [event["message"] for event in every] == ["queued", "data running"]
        assert runs.events_after(connection, "r", every[0]["id"]) == every[1:]


def register(database: Database, run_id: str) -> int:
    with database.write() as connection:
        return models.register(
            connection, workspace="w", name="m", run_id=run_id, sha256="0" * 64, record={"metrics": {}}, at=1.0
        )


def test_versions_count_up_and_one_run_is_one_version(database: Database) -> None:
    assert [register(database, run_id) for run_id in ("a", "b", "a")] == [1, 2, 1]
    with database.read() as connection:
        newest = models.newest_version(connection, "w", "m")
        assert newest is not None
        assert (newest["version"], models.count_versions(connection, "w", "m")) == (2, 2)


def test_a_pointer_keeps_its_history_and_never_points_to_nothing(database: Database) -> None:
    register(database, "a")
    register(database, "b")
    with database.write() as connection:
        for version in (1, 2, 2, 1):
            models.point(
                connection,
                workspace="w",
                name="m",
                environment="staging",
                version=version,
                at=1.0,
                reason=f"to {version}",
            )
        assert [entry["version"] for entry in models.pointers(connection, "w", "m", "staging")] == [1, 2, 1]
        with pytest.raises(NotFound, match="no version 3"):
            models.point(connection, workspace="w", name="m", environment="staging", version=3, at=1.0, reason="")
