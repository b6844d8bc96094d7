"""Pipelines and runs in the database; each function runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from mlestar.core.pipeline import STAGES
from mlestar.core.run import MOVES, Pipeline, Run, StageCheck, StageState, Status
from mlestar.errors import Conflict, NotFound
from mlestar.storage.tables_runs import pipelines, run_events, run_stages, runs

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

LISTED = 50


def insert_pipeline(connection: Connection, pipeline: Pipeline) -> None:
    """Keep a pipeline."""
    values = {"id": pipeline.id, "workspace": pipeline.workspace, "name": pipeline.name}
    connection.execute(insert(pipelines).values(**values, config=dict(pipeline.config), created=pipeline.created))


def pipeline_of(connection: Connection, workspace: str, pipeline_id: str) -> Pipeline:
    """One pipeline of a workspace.

    Raises:
        NotFound: No such pipeline; `valid` lists the newest.
    """
    row = connection.execute(
        select(pipelines).where(pipelines.c.id == pipeline_id, pipelines.c.workspace == workspace)
    ).one_or_none()
    if row is None:
        newest = select(pipelines.c.id).where(pipelines.c.workspace == workspace).order_by(pipelines.c.created.desc())
        valid = connection.execute(newest.limit(10)).scalars().all()
        raise NotFound(f"there is no pipeline {pipeline_id!r}", valid=valid, do="create it, or run with a config")
    return Pipeline(id=row.id, workspace=row.workspace, name=row.name, config=row.config, created=row.created)


def insert_run(
    connection: Connection, *, run_id: str, pipeline: Pipeline, roots: Sequence[str], at: float, forked_from: str = ""
) -> None:
    """Queue a run of a pipeline."""
    connection.execute(
        insert(runs).values(
            id=run_id, pipeline_id=pipeline.id, workspace=pipeline.workspace, name=pipeline.name, status=Status.QUEUED,
            roots=list(roots), cancel_requested=0, progress={"done": 0.0, "message": "queued", "updated": at},
            result={}, error={}, created=at, ended=0.0, forked_from=forked_from,
        )
    )  # fmt: skip
    for position, name in enumerate(STAGES):
        state = _state_json(StageState(name=name))
        connection.execute(
            insert(run_stages).values(
                run_id=run_id, name=name, position=position, state=state, artifacts={}, fingerprint="", starts=0
            )
        )
    add_event(connection, run_id, at=at, kind="queued", message="queued", done=0.0)


def insert_fork(connection: Connection, *, run_id: str, source: Run, stage: str, at: float) -> None:
    """Queue a run that takes over what `source` left before `stage` and does the rest again.

    Raises:
        Conflict: A stage before has not succeeded there.
    """
    place = STAGES.index(stage)
    lacking = [state.name for state in source.stages[:place] if state.status != Status.SUCCEEDED]
    if lacking:
        raise Conflict(
            f"run {source.run_id} has no finished {lacking[0]} stage to go on from",
            do=f"fork from {lacking[0]} or before, or start a new run",
        )
    pipeline = pipeline_of(connection, source.workspace, source.pipeline_id)
    roots = roots_of(connection, source.run_id)
    insert_run(connection, run_id=run_id, pipeline=pipeline, roots=roots, at=at, forked_from=source.run_id)
    left = {row.name: row for row in connection.execute(select(run_stages).where(run_stages.c.run_id == source.run_id))}
    for state in source.stages[:place]:
        row, taken = left[state.name], replace(state, reused=True, forced=False)
        save_stage(connection, run_id, taken, artifacts=row.artifacts, fingerprint=row.fingerprint)
    for name in STAGES[place:]:
        save_stage(connection, run_id, StageState(name=name, forced=True), artifacts={}, fingerprint="")
    message = f"takes over what {source.run_id} left before {stage}"
    add_event(connection, run_id, at=at, kind="forked", message=message, done=0.0)


def run_of(connection: Connection, run_id: str, workspace: str | None = None) -> Run:
    """One run with its stages.

    Raises:
        NotFound: No such run (in the workspace, when one is given); `valid` lists the newest.
    """
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    if row is None or workspace not in {None, row.workspace}:
        newest = select(runs.c.id).order_by(runs.c.created.desc()).limit(10)
        valid = connection.execute(newest if workspace is None else newest.where(runs.c.workspace == workspace))
        raise NotFound(
            f"there is no run {run_id!r}", valid=valid.scalars().all(), do="call get_run without an id to list"
        )
    return _run(connection, row)


def runs_of(connection: Connection, workspace: str) -> list[Run]:
    """The newest runs of a workspace, newest first."""
    query = select(runs).where(runs.c.workspace == workspace).order_by(runs.c.created.desc(), runs.c.id.desc())
    return [_run(connection, row) for row in connection.execute(query.limit(LISTED))]


def unfinished(connection: Connection) -> list[tuple[str, Status, float]]:
    """Every run that has not ended, oldest first: id, status, and when it last gave a sign of life."""
    query = select(runs.c.id, runs.c.status, runs.c.progress).where(runs.c.status.in_([Status.QUEUED, Status.RUNNING]))
    rows = connection.execute(query.order_by(runs.c.created, runs.c.id))
    return [(row.id, Status(row.status), float(row.progress.get("updated", 0.0))) for row in rows]


def roots_of(connection: Connection, run_id: str) -> list[str]:
    """The folders that the run's submitter may read."""
    return list(connection.execute(select(runs.c.roots).where(runs.c.id == run_id)).scalar_one())


def move(
    connection: Connection, run_id: str, status: Status, *, at: float, message: str = "",
    result: Mapping[str, Any] | None = None, error: Mapping[str, Any] | None = None,
) -> bool:  # fmt: skip
    """Change a run's status if that is allowed from where it stands; False when it is not."""
    allowed = [before for before, after in MOVES.items() if status in after]
    values: dict[str, Any] = {"status": status}
    if status.ended:
        values |= {"ended": at, "progress": {"done": 1.0, "message": message or status.value, "updated": at}}
    if result is not None:
        values["result"] = dict(result)
    if error is not None:
        values["error"] = dict(error)
    changed = connection.execute(update(runs).where(runs.c.id == run_id, runs.c.status.in_(allowed)).values(**values))
    if changed.rowcount:
        done = 1.0 if status.ended else 0.0
        add_event(connection, run_id, at=at, kind=status.value, message=message or status.value, done=done)
    return bool(changed.rowcount)


def save_stage(
    connection: Connection, run_id: str, state: StageState, *, artifacts: Mapping[str, str], fingerprint: str,
    started: bool = False,
) -> None:  # fmt: skip
    """Keep how a stage stands; `started` counts one more beginning of its work."""
    values: dict[str, Any] = {"state": _state_json(state), "artifacts": dict(artifacts), "fingerprint": fingerprint}
    if started:
        values["starts"] = run_stages.c.starts + 1
    where = (run_stages.c.run_id == run_id) & (run_stages.c.name == state.name)
    connection.execute(update(run_stages).where(where).values(**values))


def artifacts_of(connection: Connection, run_id: str) -> dict[str, dict[str, str]]:
    """Stage -> output name -> content hash."""
    query = select(run_stages.c.name, run_stages.c.artifacts).where(run_stages.c.run_id == run_id)
    return {row.name: dict(row.artifacts) for row in connection.execute(query)}


def starts_of(connection: Connection, run_id: str) -> dict[str, int]:
    """Stage -> how often its work was begun."""
    query = select(run_stages.c.name, run_stages.c.starts).where(run_stages.c.run_id == run_id)
    return {row.name: row.starts for row in connection.execute(query)}


def set_progress(connection: Connection, run_id: str, *, done: float, message: str, at: float) -> bool:
    """Note how far a running run is; answers whether its cancelling was asked for."""
    progress = {"done": done, "message": message, "updated": at}
    connection.execute(
        update(runs).where(runs.c.id == run_id, runs.c.status == Status.RUNNING).values(progress=progress)
    )
    return cancel_requested(connection, run_id)


def set_result(connection: Connection, run_id: str, result: Mapping[str, Any]) -> None:
    """Keep what a run has to show, whatever becomes of it."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(result=dict(result)))


def cancel_requested(connection: Connection, run_id: str) -> bool:
    """Whether someone asked for this run to be cancelled."""
    return bool(connection.execute(select(runs.c.cancel_requested).where(runs.c.id == run_id)).scalar_one())


def request_cancel(connection: Connection, run_id: str, workspace: str, *, at: float) -> Run:
    """Ask for a run to be cancelled; one that has not begun is cancelled at once.

    Raises:
        Conflict: It has ended already.
        NotFound: No such run.
    """
    run = run_of(connection, run_id, workspace)
    if Status(run.status).ended:
        raise Conflict(f"run {run_id} has {run.status} already: there is nothing to cancel", do="start a new run")
    connection.execute(update(runs).where(runs.c.id == run_id).values(cancel_requested=1))
    if run.status == Status.QUEUED:
        move(connection, run_id, Status.CANCELLED, at=at, message="cancelled before it began")
    return run_of(connection, run_id, workspace)


def add_event(connection: Connection, run_id: str, *, at: float, kind: str, message: str, done: float) -> None:
    """Add one line to what happened in a run."""
    connection.execute(insert(run_events).values(run_id=run_id, at=at, kind=kind, message=message, done=done))


def events_after(connection: Connection, run_id: str, last_id: int) -> list[dict[str, Any]]:
    """What happened in a run after an event, in order."""
    query = select(run_events).where(run_events.c.run_id == run_id, run_events.c.id > last_id).order_by(run_events.c.id)
    return [
        {"id": row.id, "at": row.at, "kind": row.kind, "message": row.message, "done": row.done}
        for row in connection.execute(query)
    ]


def _run(connection: Connection, row: Row[Any]) -> Run:
    query = select(run_stages.c.state).where(run_stages.c.run_id == row.id).order_by(run_stages.c.position)
    result = row.result
    return Run(
        pipeline_id=row.pipeline_id, run_id=row.id, name=row.name, status=row.status, workspace=row.workspace,
        stages=tuple(_state(state) for state in connection.execute(query).scalars()),
        metrics=result.get("metrics", {}), baselines=result.get("baselines", {}), model=result.get("model", {}),
        evidence_recorded=tuple(result.get("evidence_recorded", ())), synthetic=result.get("synthetic", False),
        ablation=tuple(result.get("ablation", ())), progress=row.progress, error=row.error, created=row.created,
        ended=row.ended, forked_from=row.forked_from,
    )  # fmt: skip


def _state(state: Mapping[str, Any]) -> StageState:
    checks = tuple(StageCheck(**check) for check in state["checks"])
    parts: dict[str, Any] = {**state, "checks": checks}
    return StageState(**parts)


def _state_json(state: StageState) -> dict[str, Any]:
    return asdict(state)
