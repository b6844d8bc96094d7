"""A run's steps: work the stages off, deploy. Each may be done again after a kill and changes nothing twice."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mlestar.core.pipeline import STAGES
from mlestar.core.run import Status
from mlestar.errors import MlestarError, WorkFailed
from mlestar.execution.child import Limits
from mlestar.execution.deploy import Deployment, HandOver
from mlestar.execution.engine import Steps
from mlestar.execution.live import LiveRun, RunCancelled
from mlestar.storage import runs
from mlestar.storage.processes import ProcessRecords

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.settings import Settings
    from mlestar.storage.database import Database

WORK = "mlestar.execution.worker:work"
_log = logging.getLogger(__name__)


class Runner:
    """Does the steps of runs. What goes wrong in one is in the run, not raised."""

    def __init__(
        self, *, database: Database, settings: Settings, clock: Callable[[], float], hand_over: HandOver
    ) -> None:
        """Nothing starts yet."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hand_over = hand_over
        self._records = ProcessRecords(settings.data_dir)

    @property
    def steps(self) -> Steps:
        """What the engine does for each run."""
        return Steps(work=self.work, deploy=self.deploy)

    async def _begin(self, run_id: str) -> bool:
        """Mark a run as running, or as cancelled when that was asked for; answers whether there is work."""

        def begin(connection: Connection) -> bool:
            run = runs.run_of(connection, run_id)
            if runs.cancel_requested(connection, run_id):
                runs.move(connection, run_id, Status.CANCELLED, at=self._clock(), message="cancelled")
            elif run.status == Status.QUEUED:
                return runs.move(connection, run_id, Status.RUNNING, at=self._clock(), message="running")
            return Status(runs.run_of(connection, run_id).status) is Status.RUNNING

        return await self._database.writing(begin)

    async def work(self, run_id: str) -> list[str]:
        """The first four stages in a worker process; answers their fingerprints, none when the run ended on them."""
        if not await self._begin(run_id):
            return []
        live = await self._live(run_id)
        left: list[str] = []
        async with self._outcome_of(live):
            made = await live.child(WORK, lambda: self._payload(live))
            left.extend(made["fingerprints"])
        return left

    async def deploy(self, run_id: str, fingerprints: list[str]) -> None:
        """Verify and register what `work` left, hand its evidence over, end the run."""
        if not await self._begin(run_id):
            return
        live = await self._live(run_id, stage="deployment")
        async with self._outcome_of(live):
            payload = await self._payload(live)
            deployment = Deployment(
                database=self._database, settings=self._settings, clock=self._clock, live=live,
                hand_over=self._hand_over,
            )  # fmt: skip
            await deployment.carry_out(payload, dict(zip(STAGES, fingerprints, strict=False)))
            await live.end(Status.SUCCEEDED, message="succeeded")

    @asynccontextmanager
    async def _outcome_of(self, live: LiveRun) -> AsyncGenerator[None]:
        """Whatever ends the block is how the run stands afterwards; being stopped from outside is not an end."""
        try:
            async with live.watched():
                yield
        except RunCancelled:
            await live.end(Status.CANCELLED, message="cancelled")
        except MlestarError as error:
            await live.end(Status.FAILED, message=str(error), error=error.to_json())
        except BaseExceptionGroup as group:
            error = _as_error(group)
            if error is None:
                raise
            await live.end(Status.FAILED, message=str(error), error=error.to_json())

    async def _live(self, run_id: str, *, stage: str = STAGES[0]) -> LiveRun:
        run = await self._database.reading(lambda connection: runs.run_of(connection, run_id))
        return LiveRun(
            database=self._database, clock=self._clock, run=run, stage=stage, records=self._records,
            limits=Limits(memory_mb=self._settings.worker_memory_mb),
        )  # fmt: skip

    async def _payload(self, live: LiveRun) -> dict[str, Any]:
        run = live.run

        def read(connection: Connection) -> dict[str, Any]:
            source = runs.artifacts_of(connection, run.run_id)["data"].get("source", "")
            stages = runs.run_of(connection, run.run_id).stages
            redo = [stage.name for stage in stages if stage.forced and stage.status != Status.SUCCEEDED]
            config = runs.pipeline_of(connection, run.workspace, run.pipeline_id).config
            roots = runs.roots_of(connection, run.run_id)
            return {"config": config, "roots": roots, "source_digest": source, "redo": redo}

        return await self._database.reading(read) | {
            "run_id": run.run_id, "name": run.name, "folder": str(self._settings.data_dir),
            "store": self._settings.artifacts, "cluster": self._settings.cluster,
            "max_rows": self._settings.max_rows, "max_bytes": self._settings.max_file_mb * 2**20,
        }  # fmt: skip


def _as_error(group: BaseExceptionGroup[BaseException]) -> MlestarError | None:
    """The one error a group is about; None when it holds anything that is not ours to settle."""
    first = group.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return _as_error(first)
    if isinstance(first, MlestarError):
        return first
    if isinstance(first, Exception):
        _log.error("a run broke", exc_info=first)
        return WorkFailed(f"the run broke with {type(first).__name__}: {first}", do="see logs/supervisor.log")
    return None
