"""A run while it is being worked on: what it is doing now, written down as it moves, and stopped when asked."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio

from mlestar.core.pipeline import STAGES
from mlestar.core.run import Run, StageCheck, StageState, Status
from mlestar.errors import WorkFailed
from mlestar.execution.child import run_child
from mlestar.storage import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.execution.child import Limits
    from mlestar.storage.database import Database
    from mlestar.storage.processes import ProcessRecords

TICK_S = 0.25
"""How often a cancel is looked for, and at most how often progress is written."""
HEARTBEAT_S = 0.9
WORKERS = 3
"""Processes that one step may lose to a kill from outside, the last of them for good."""
SPANS = {
    "data": (0.0, 0.08),
    "features": (0.08, 0.14),
    "training": (0.14, 0.7),
    "evaluation": (0.7, 0.85),
    "deployment": (0.85, 1.0),
}
"""Stage -> the part of a run's progress that it stands for; measured on breast_cancer and the synthetic posts."""


class RunCancelled(Exception):
    """Someone asked for the run to be cancelled while it was worked on."""


@dataclass(kw_only=True)
class Doing:
    """What a run is at."""

    stage: str = STAGES[0]
    done: float = 0.0
    message: str = "starting a worker"


class LiveRun:
    """One run that this process works on."""

    def __init__(
        self, *, database: Database, clock: Callable[[], float], run: Run, stage: str, records: ProcessRecords,
        limits: Limits,
    ) -> None:  # fmt: skip
        """Begin at `stage`; its processes are bound by `limits` and written down in `records`."""
        self._records = records
        self._limits = limits
        self.run = run
        self.doing = Doing(stage=stage, done=SPANS[stage][0])
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Progress is written while the block runs; a cancel of the run ends it with RunCancelled."""
        cancelled = False

        async def watch(scope: anyio.CancelScope) -> None:
            nonlocal cancelled
            await self._until_cancelled()
            cancelled = True
            scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch, tasks.cancel_scope)
            yield
            tasks.cancel_scope.cancel()
        if cancelled:
            raise RunCancelled

    async def _until_cancelled(self) -> None:
        """Write progress when it moved, a heartbeat when it did not, until a cancel is asked for."""
        written, written_at = ("", -1.0), 0.0
        cancelled = False
        while not cancelled:
            now, state = self._clock(), (self.doing.message, self.doing.done)
            if state != written or now - written_at >= HEARTBEAT_S:
                written, written_at = state, now
                cancelled = await self._database.writing(
                    functools.partial(
                        runs.set_progress, run_id=self.run.run_id, done=state[1], message=state[0], at=now
                    )
                )
            else:
                cancelled = await self._database.reading(
                    functools.partial(runs.cancel_requested, run_id=self.run.run_id)
                )
            await anyio.sleep(TICK_S)

    async def child(self, task: str, payload: Callable[[], Awaitable[Mapping[str, Any]]]) -> dict[str, Any]:
        """Have a process do a task; one that was killed is started again, with the payload as it is then.

        What the killed one had finished is kept, so only the stage that was under way is done again.
        """
        for attempt in range(1, WORKERS + 1):
            try:
                return await run_child(
                    task, await payload(), on_progress=self.on_progress, on_event=self.on_stage, limits=self._limits,
                    records=self._records,
                )  # fmt: skip
            except WorkFailed as error:
                if not error.details.get("killed") or attempt == WORKERS:
                    raise
                self.doing.message = f"the worker was killed; starting another ({attempt + 1} of {WORKERS})"
        raise AssertionError("the last attempt returns or raises")

    async def on_progress(self, done: float, total: float | None, message: str) -> None:
        """Take over what the worker says of the stage it is in."""
        low, high = SPANS[self.doing.stage]
        share = min(1.0, done / total) if total else 0.0
        self.doing.done = max(self.doing.done, low + (high - low) * share)
        self.doing.message = message

    async def on_stage(self, event: Mapping[str, Any]) -> None:
        """Keep a stage's begin or end, as the worker told it."""
        status = Status(event["status"])
        low, high = SPANS[event["stage"]]
        self.doing.stage = event["stage"]
        self.doing.done = max(self.doing.done, high if status is Status.SUCCEEDED else low)
        self.doing.message = f"{event['stage']}: {'reused' if event['reused'] else status.value}"
        state = StageState(
            name=event["stage"], status=status, duration_s=event["duration_s"],
            output={**event["output"], **({"artifacts": event["artifacts"]} if event["artifacts"] else {})},
            checks=tuple(StageCheck(**check) for check in event["checks"]), reused=event["reused"],
            forced=any(stage.forced for stage in self.run.stages if stage.name == event["stage"]),
        )  # fmt: skip
        await self.save_stage(
            state,
            artifacts={**event["artifacts"], "source": event["source"]},
            fingerprint=event["fingerprint"],
        )

    async def save_stage(
        self, state: StageState, *, artifacts: Mapping[str, str] | None = None, fingerprint: str = ""
    ) -> None:
        """Write how a stage stands; one that is running counts as begun once more."""

        def save(connection: Connection) -> None:
            runs.save_stage(
                connection, self.run.run_id, state, artifacts=artifacts or {}, fingerprint=fingerprint,
                started=state.status == Status.RUNNING,
            )  # fmt: skip
            message = f"{state.name} {'reused' if state.reused else state.status}"
            at = self._clock()
            runs.add_event(connection, self.run.run_id, at=at, kind="stage", message=message, done=self.doing.done)

        await self._database.writing(save)

    async def end(self, status: Status, *, message: str, error: Mapping[str, Any] | None = None) -> None:
        """End the run; stages that were under way end with it."""

        def end(connection: Connection) -> None:
            for stage in runs.run_of(connection, self.run.run_id).stages:
                if stage.status == Status.RUNNING or (status is Status.CANCELLED and stage.status == Status.QUEUED):
                    state = replace(stage, status=status)
                    runs.save_stage(connection, self.run.run_id, state, artifacts={}, fingerprint="")
            runs.move(connection, self.run.run_id, status, at=self._clock(), message=message, error=error)

        await self._database.writing(end)
