"""The engine on DBOS: its queue and step log make runs durable; our lock, ids and serializer keep it out of its traps.

Traps (each with a regression test): a second process with the default executor id would recover live runs, so the id
is unique and only the holder of the folder's lock launches; the default application version is a hash of the code, so
every upgrade would strand runs: it is the schema version; values are pickled unless the portable serializer is given;
synchronous steps cannot be killed: ours only watch a child process; recovery of other executors is private API: every
run is queued, and one that a dead process left is resumed by its id.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from mlestar.core.pipeline import SCHEMA_VERSION

if TYPE_CHECKING:
    from mlestar.execution.engine import Steps

QUEUE = "runs"
POLL_S = 0.2
STEPS = {"deployment": 2}
"""Stage -> the workflow's step that does it, counted from 1; the others are all done by the first."""


class DbosEngine:
    """One process's DBOS. Only one may be alive in a process."""

    def __init__(self, *, url: str, steps: Steps, at_once: int) -> None:
        """Nothing is opened yet.

        Args:
            url: SQLAlchemy URL of DBOS's own tables.
            steps: What a run consists of.
            at_once: Runs worked on side by side in this process.
        """
        self._url = url
        self._steps = steps
        self._at_once = at_once
        self._live: set[str] = set()
        self._workflow: Any = None

    async def launch(self) -> None:
        """Open DBOS; costs about half a second."""
        await anyio.to_thread.run_sync(self._launch)

    def _launch(self) -> None:
        from dbos import DBOS, DBOSConfig
        from dbos._serialization import DBOSPortableJSONSerializer

        config: DBOSConfig = {
            "name": "mlestar",
            "system_database_url": self._url,
            "application_version": SCHEMA_VERSION,
            "executor_id": f"mlestar-{uuid.uuid4().hex}",
            "serializer": DBOSPortableJSONSerializer(),
            "enable_otlp": False,
            "log_level": "WARNING",
        }
        DBOS(config=config)
        steps = self._steps

        @DBOS.step(name="work")
        async def work(run_id: str) -> list[str]:
            return await steps.work(run_id)

        @DBOS.step(name="deploy")
        async def deploy(run_id: str, fingerprints: list[str]) -> None:
            await steps.deploy(run_id, fingerprints)

        @DBOS.workflow(name="run")
        async def run() -> None:
            run_id = str(DBOS.workflow_id)  # no input: a fork has that of the run it comes from
            self._live.add(run_id)
            try:
                if left := await work(run_id):
                    await deploy(run_id, left)
            finally:
                self._live.discard(run_id)

        self._workflow = run
        DBOS.launch()
        logging.getLogger("dbos").setLevel(logging.WARNING)
        DBOS.register_queue(
            QUEUE, worker_concurrency=self._at_once, polling_interval_sec=POLL_S, on_conflict="always_update"
        )

    async def submit(self, run_id: str) -> None:
        """Queue a run under its own id; the same id twice is one workflow."""
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(run_id):
            await DBOS.enqueue_workflow_async(QUEUE, self._workflow)

    async def fork(self, source_id: str, run_id: str, *, stage: str) -> None:
        """Queue a run under its own id with the recorded answers of another one's steps before that of `stage`."""
        from dbos import DBOS, SetWorkflowID

        if await DBOS.get_workflow_status_async(source_id) is None:
            await self.submit(run_id)
        elif await DBOS.get_workflow_status_async(run_id) is None:
            with SetWorkflowID(run_id):
                await DBOS.fork_workflow_async(
                    source_id, STEPS.get(stage, 1), application_version=SCHEMA_VERSION, queue_name=QUEUE
                )

    async def resume(self, run_id: str) -> bool:
        """Put a dead process's run back on the queue, unless it waits there already."""
        from dbos import DBOS

        known = await DBOS.get_workflow_status_async(run_id)
        if known is not None and known.status != "ENQUEUED":
            await DBOS.resume_workflow_async(run_id, queue_name=QUEUE)
        return known is not None

    async def taken(self, run_id: str) -> bool:
        """Whether a process, dead or alive, has taken the run off the queue and not ended it."""
        from dbos import DBOS

        known = await DBOS.get_workflow_status_async(run_id)
        return known is not None and known.status == "PENDING"

    async def live(self) -> set[str]:
        """Runs whose workflow is under way in this process."""
        return set(self._live)

    async def stop(self) -> None:
        """End DBOS in this process."""
        from dbos import DBOS

        await anyio.to_thread.run_sync(DBOS.destroy)
