"""Pipelines as a use case: create, run, watch, cancel; the work itself happens in the supervisor's workers."""

from __future__ import annotations

import time as clocks
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.to_thread

from mlestar.core.pipeline import ALGORITHMS, EXTRAS, STAGES, parse
from mlestar.core.run import Pipeline, Run, Status
from mlestar.core.run_text import run_summary
from mlestar.errors import InvalidInput, MissingDependency, WorkFailed
from mlestar.services.memory.arguments import checked_workspace
from mlestar.storage import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.evidence import Finding
    from mlestar.execution.supervisor import SupervisorLink
    from mlestar.settings import Settings
    from mlestar.storage.database import Database

Progress = Callable[[float, float | None, str], Awaitable[None]]

POLL_S = 0.2
TELL_EVERY_S = 0.9
"""Progress is told at least this often, moved or not: a silent call looks like a hanging one."""
LOOK_EVERY_S = 2.0
"""How often a waiting call makes sure that the supervisor is alive."""
MOST_STARTS = 4
LOG_TAIL = 2_000
CANCEL_WAIT_S = 3.0
RUN_WINDOW = 7
RUN_PRIORITY = 3
NAME_LENGTH = 200


class Windows(Protocol):
    """The part of the windows that runs are written to."""

    async def update(
        self, *, workspace: str, window: int, content: Any, priority: int, key: str, request_id: str
    ) -> object:
        """Keep an entry; the same request twice is one entry."""
        ...


class Evaluation(Protocol):
    """The part of the judge that keeps what a run measured."""

    async def record_run_findings(
        self, *, workspace: str, run_id: str, findings: Sequence[Finding], name: str
    ) -> object:
        """Keep findings in the place of those of earlier runs."""
        ...


class PipelinesService:
    """Creates pipelines, queues runs, answers how they stand."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        windows: Windows,
        evaluation: Evaluation,
        clock: Callable[[], float] = clocks.time,
    ) -> None:
        """Keep the parts; nothing is opened or started."""
        self._database = database
        self._settings = settings
        self._windows = windows
        self._evaluation = evaluation
        self._clock = clock
        self._supervisor: SupervisorLink | None = None

    async def create(
        self, *, workspace: str = "default", name: str = "", config: Mapping[str, Any] | None = None
    ) -> Pipeline:
        """Check a config and keep it as a pipeline.

        Raises:
            InvalidInput: The config is wrong: which key, what is valid, the nearest valid name.
            MissingDependency: Its algorithm needs a library that is not installed.
        """
        pipeline = self._pipeline(workspace, name, config)
        await self._database.writing(lambda connection: runs.insert_pipeline(connection, pipeline))
        return pipeline

    async def run(
        self,
        *,
        workspace: str = "default",
        name: str = "",
        config: Mapping[str, Any] | None = None,
        pipeline_id: str = "",
        wait_s: float = 20.0,
        progress: Progress | None = None,
    ) -> Run:
        """Queue a run of a new config or an existing pipeline; wait for it up to `wait_s` seconds.

        Returns:
            The run as it stands then; `status` says whether it has ended.
        """
        if bool(pipeline_id) == (config is not None):
            raise InvalidInput("give either a config or a pipeline_id", valid=("config", "pipeline_id"))
        new = None if pipeline_id else self._pipeline(workspace, name, config)
        run_id = f"run-{uuid.uuid4().hex[:20]}"
        roots = [str(root.resolve()) for root in self._settings.roots]

        def queue(connection: Connection) -> None:
            if new is not None:
                runs.insert_pipeline(connection, new)
            pipeline = new or runs.pipeline_of(connection, workspace, pipeline_id)
            if new is None:
                _check_library(pipeline.config)
            runs.insert_run(connection, run_id=run_id, pipeline=pipeline, roots=roots, at=self._clock())

        self._check_store()
        await self._database.writing(queue)
        await self._ensure_supervisor()
        return await self._wait(workspace, run_id, wait_s, progress)

    async def fork(
        self,
        *,
        workspace: str = "default",
        run_id: str,
        stage: str,
        wait_s: float = 20.0,
        progress: Progress | None = None,
    ) -> Run:
        """A new run that takes over what `run_id` left before `stage` and does that stage and the later ones again.

        Raises:
            InvalidInput: There is no such stage.
            Conflict: A stage before it has not succeeded in that run.
            NotFound: No such run.
        """
        if stage not in STAGES:
            raise InvalidInput(f"there is no stage {stage!r}", valid=STAGES)
        new_id = f"run-{uuid.uuid4().hex[:20]}"

        def queue(connection: Connection) -> None:
            source = runs.run_of(connection, run_id, workspace)
            runs.insert_fork(connection, run_id=new_id, source=source, stage=stage, at=self._clock())

        self._check_store()
        await self._database.writing(queue)
        await self._ensure_supervisor()
        return await self._wait(workspace, new_id, wait_s, progress)

    async def runs(self, *, workspace: str = "default") -> list[Run]:
        """The newest runs, newest first."""
        named = checked_workspace(workspace)
        return await self._database.reading(lambda connection: runs.runs_of(connection, named))

    async def get(
        self, *, run_id: str, workspace: str = "default", wait_s: float = 0.0, progress: Progress | None = None
    ) -> Run:
        """One run, waiting up to `wait_s` seconds for its end.

        Raises:
            NotFound: No such run; `valid` lists the newest.
        """
        run = await self._load(workspace, run_id)
        if not Status(run.status).ended:
            await self._ensure_supervisor()  # a killed one left it: it goes on by itself
        return await self._wait(workspace, run_id, wait_s, progress)

    async def cancel(self, *, workspace: str = "default", run_id: str) -> Run:
        """Cancel a run and see it stopped.

        Raises:
            Conflict: It has ended already.
            NotFound: No such run.
        """
        at = self._clock()
        await self._database.writing(lambda connection: runs.request_cancel(connection, run_id, workspace, at=at))
        await self._ensure_supervisor()
        return await self._wait(workspace, run_id, CANCEL_WAIT_S, None)

    async def events(self, run_id: str, *, after: int = 0) -> list[dict[str, Any]]:
        """What happened in a run after the event with id `after`: id, at, kind, message, done (0 to 1).

        Raises:
            NotFound: No such run.
        """

        def read(connection: Connection) -> list[dict[str, Any]]:
            runs.run_of(connection, run_id)
            return runs.events_after(connection, run_id, after)

        return await self._database.reading(read)

    async def record_run(self, run: Run, findings: Sequence[Finding]) -> None:
        """Hand a run's evidence to the judge and its summary to window 7; the same run twice changes nothing."""
        await self._evaluation.record_run_findings(
            workspace=run.workspace, run_id=run.run_id, findings=findings, name=run.name
        )
        await self._windows.update(
            workspace=run.workspace, window=RUN_WINDOW, content=run_summary(run), priority=RUN_PRIORITY,
            key=f"run:{run.name}", request_id=f"{run.run_id}:summary",
        )  # fmt: skip

    def _pipeline(self, workspace: str, name: str, config: Mapping[str, Any] | None) -> Pipeline:
        if len(name) > NAME_LENGTH:
            raise InvalidInput(f"the name has {len(name)} characters, over the limit of {NAME_LENGTH}")
        parse(config or {})
        _check_library(config or {})
        return Pipeline(
            id=f"pipeline-{uuid.uuid4().hex[:16]}",
            workspace=checked_workspace(workspace),
            name=name.strip() or "model",
            config=dict(config or {}), created=self._clock(),
        )  # fmt: skip

    async def _load(self, workspace: str, run_id: str) -> Run:
        return await self._database.reading(lambda connection: runs.run_of(connection, run_id, workspace or None))

    async def _ensure_supervisor(self) -> bool:
        from mlestar.execution.supervisor import SupervisorLink

        if self._supervisor is None:
            self._supervisor = SupervisorLink(self._settings)
        return await anyio.to_thread.run_sync(self._supervisor.ensure)

    def _check_store(self) -> None:
        """A run whose artifacts could go nowhere is not queued."""
        if self._settings.artifacts:
            from mlestar.storage.artifact_store import check_installed

            check_installed(self._settings.artifacts)

    def _cannot_start(self, run_id: str) -> WorkFailed:
        from mlestar.execution.supervisor import log_of

        log = log_of(self._settings.data_dir)
        return WorkFailed(
            f"the supervisor ended {MOST_STARTS} times while run {run_id} was waiting for it; the run stays queued",
            do=f"read {log}",
            details={"log": log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:] if log.exists() else ""},
        )

    async def _wait(self, workspace: str, run_id: str, wait_s: float, progress: Progress | None) -> Run:
        deadline = anyio.current_time() + wait_s
        told, told_at = ("", -1.0), 0.0
        looked_at, started = anyio.current_time(), 0
        while True:
            run = await self._load(workspace, run_id)
            now = anyio.current_time()
            state = (run.progress.get("message", ""), run.progress.get("done", 0.0))
            if progress is not None and (state != told or now - told_at >= TELL_EVERY_S):
                told, told_at = state, now
                await progress(state[1], 1.0, state[0])
            if Status(run.status).ended or now >= deadline:
                return run
            if now - looked_at >= LOOK_EVERY_S:
                looked_at = now
                started += await self._ensure_supervisor()
                if started >= MOST_STARTS:
                    raise self._cannot_start(run_id)
            await anyio.sleep(POLL_S)


def _check_library(config: Mapping[str, Any]) -> None:
    from importlib.util import find_spec

    algorithm = parse(config).training.algorithm
    absent = {name: [one for one in needs if find_spec(one) is None] for name, needs in ALGORITHMS.items()}
    if absent[algorithm]:
        raise MissingDependency(
            f"algorithm {algorithm!r} needs the library {absent[algorithm][0]!r}, which is not installed",
            valid=[name for name, missing in absent.items() if not missing],
            do=f'pip install "mlestar[{EXTRAS.get(algorithm, algorithm)}]", or choose another algorithm',
        )  # fmt: skip
