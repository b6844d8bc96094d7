"""One run from queued to ended: its worker, its verification, its registration, and what is told meanwhile."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from mlestar.core.finding_json import from_json
from mlestar.core.pipeline import STAGES, parse
from mlestar.core.run import Run, StageCheck, StageState, Status
from mlestar.core.scoring import is_blocker
from mlestar.errors import Conflict, InvalidInput, MlestarError, WorkFailed
from mlestar.execution.child import Limits, run_child
from mlestar.storage import findings as stored_findings
from mlestar.storage import models, runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.evidence import Finding
    from mlestar.settings import Settings
    from mlestar.storage.database import Database

HandOver = Callable[[Run, Sequence["Finding"]], Awaitable[None]]
"""Is given an ended run with what it measured, before the run counts as ended. May be called twice for one run."""

WORK = "mlestar.execution.worker:work"
VERIFY = "mlestar.execution.verify:verify"
TICK_S = 0.2
"""How often a cancel is looked for, and at most how often progress is written."""
HEARTBEAT_S = 0.9
SPANS = {
    "data": (0.0, 0.08),
    "features": (0.08, 0.14),
    "training": (0.14, 0.7),
    "evaluation": (0.7, 0.85),
    "deployment": (0.85, 1.0),
}
"""Stage -> the part of a run's progress that it stands for; measured on breast_cancer and the synthetic posts."""
_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class _Live:
    """What a run that is being worked on is doing right now."""

    run: Run
    roots: list[str]
    config: Mapping[str, Any]
    stage: str = STAGES[0]
    done: float = 0.0
    message: str = "starting a worker"
    cancelled: bool = False
    artifacts: dict[str, Mapping[str, str]] = field(default_factory=dict)


class Runner:
    """Works runs off, one call a run."""

    def __init__(
        self, *, database: Database, settings: Settings, clock: Callable[[], float], hand_over: HandOver
    ) -> None:
        """Nothing starts yet."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hand_over = hand_over

    async def execute(self, run_id: str) -> None:
        """Work a run off. What goes wrong is in the run, not raised; being cancelled leaves it to be resumed."""
        live = await self._begin(run_id)
        if live is None:
            return
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._tick, live, tasks.cancel_scope)
                result = await self._work(live)
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            error = _first(group)
            if error is None:
                raise
            await self._fail(live, error)
            return
        if live.cancelled:
            await self._end_cancelled(live)
            return
        await self._write(runs.move, run_id, Status.SUCCEEDED, result=result, message="succeeded")

    async def _begin(self, run_id: str) -> _Live | None:
        def begin(connection: Connection) -> _Live | None:
            run = runs.run_of(connection, run_id)
            if Status(run.status).ended:
                return None
            if runs.cancel_requested(connection, run_id):
                runs.move(connection, run_id, Status.CANCELLED, at=self._clock(), message="cancelled")
                return None
            if run.status == Status.QUEUED:
                runs.move(connection, run_id, Status.RUNNING, at=self._clock(), message="running")
            else:
                runs.add_event(connection, run_id, at=self._clock(), kind="resumed", message="taken up again", done=0.0)
            pipeline = runs.pipeline_of(connection, run.workspace, run.pipeline_id)
            live = _Live(run=run, roots=runs.roots_of(connection, run_id), config=pipeline.config)
            live.artifacts |= runs.artifacts_of(connection, run_id)
            return live

        return await self._database.writing(begin)

    async def _tick(self, live: _Live, scope: anyio.CancelScope) -> None:
        """Write progress when it moved, a heartbeat when it did not, and look for a cancel."""
        written, written_at = ("", -1.0), 0.0
        while True:
            now = self._clock()
            if (live.message, live.done) != written or now - written_at >= HEARTBEAT_S:
                written, written_at = (live.message, live.done), now
                cancelled = await self._write(runs.set_progress, live.run.run_id, done=live.done, message=live.message)
            else:
                cancelled = await self._database.reading(
                    functools.partial(runs.cancel_requested, run_id=live.run.run_id)
                )
            if cancelled:
                live.cancelled = True
                scope.cancel()
            await anyio.sleep(TICK_S)

    async def _work(self, live: _Live) -> dict[str, Any]:
        payload = self._payload(live)
        made = await run_child(
            WORK,
            payload | {"source_digest": live.artifacts.get("data", {}).get("source", "")},
            on_progress=functools.partial(self._note_progress, live),
            on_event=functools.partial(self._note_stage, live),
            limits=Limits(memory_mb=self._settings.worker_memory_mb),
        )
        return await self._deploy(live, payload, made)

    def _payload(self, live: _Live) -> dict[str, Any]:
        return {
            "run_id": live.run.run_id, "name": live.run.name, "config": live.config, "roots": live.roots,
            "folder": str(self._settings.data_dir), "max_rows": self._settings.max_rows,
            "max_bytes": self._settings.max_file_mb * 2**20,
        }  # fmt: skip

    async def _deploy(self, live: _Live, payload: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
        begun = self._clock()
        live.stage = "deployment"
        await self._stage(live, StageState(name="deployment", status=Status.RUNNING), started=True)
        workspace, name = live.run.workspace, live.run.name

        def before(connection: Connection) -> tuple[dict[str, Any] | None, int]:
            newest = models.newest_version(connection, workspace, name)
            return newest, models.count_versions(connection, workspace, name)

        previous, versions = await self._database.reading(before)
        commit = await anyio.to_thread.run_sync(_code_commit, live.roots)
        known = {"previous": previous, "versions": versions, "code_commit": commit}
        verified = await run_child(
            VERIFY, {**payload, **made, **known}, on_progress=functools.partial(self._note_progress, live)
        )
        found = [from_json(parts) for parts in verified["findings"]]
        checks = [StageCheck(**check) for check in verified["checks"]]
        environment = parse(live.config).environment
        blockers = await self._blockers(live, found) if environment == "production" else []
        checks.append(_gate(environment, blockers))
        broken = next((check for check in checks[:-1] if check.outcome == "fail"), None)
        state = StageState(
            name="deployment", status=Status.FAILED if broken or blockers else Status.SUCCEEDED, checks=tuple(checks),
            duration_s=round(self._clock() - begun, 3), output={"latency_p95_ms": verified["latency_p95_ms"]},
        )  # fmt: skip
        if broken:
            await self._stage(live, state)
            raise InvalidInput(
                f"the deployment stage's test {broken.name!r} failed: {broken.says}; nothing was registered",
                do="run again",
                details={"stage": "deployment", "failed": [broken.name]},
            )
        result = await self._register(live, state, made, verified, commit, environment if not blockers else "none")
        result["evidence_recorded"] = sorted({finding.check for finding in found})
        await self._hand_over(_with_result(live.run, result, Status.FAILED if blockers else Status.SUCCEEDED), found)
        if blockers:
            await self._write(_keep_result, live.run.run_id, result=result)
            raise Conflict(
                f"production is refused while a critical finding stands: {blockers[0].check} {blockers[0].observed}",
                do=blockers[0].fix or "mend the finding, then run again",
                details={"findings": [finding.check for finding in blockers], "version": result["model"]["version"]},
            )
        return result

    async def _blockers(self, live: _Live, found: Sequence[Finding]) -> list[Finding]:
        standing = await self._database.reading(functools.partial(stored_findings.all_of, workspace=live.run.workspace))
        return [finding for finding in (*found, *(old for old in standing if not old.run_id)) if is_blocker(finding)]

    async def _register(
        self, live: _Live, state: StageState, made: Mapping[str, Any], verified: Mapping[str, Any], commit: str,
        environment: str,
    ) -> dict[str, Any]:  # fmt: skip
        run, evaluated = live.run, made["records"]["evaluation"]["summary"]
        sha256 = verified["model_sha256"]
        record = {
            "run_id": run.run_id, "pipeline_id": run.pipeline_id, "code_commit": commit,
            "data_sha256": verified["summary"]["data_sha256"], "params": made["records"]["training"]["private"]["params"],
            "metrics": evaluated["metrics"], "synthetic": verified["summary"]["synthetic"],
        }  # fmt: skip
        path = str(self._artifact_path(sha256))

        def register(connection: Connection) -> dict[str, Any]:
            at = self._clock()
            version = models.register(
                connection,
                workspace=run.workspace,
                name=run.name,
                run_id=run.run_id,
                sha256=sha256,
                record=record,
                at=at,
            )
            if environment != "none":
                models.point(
                    connection, workspace=run.workspace, name=run.name, environment=environment, version=version,
                    at=at, reason=f"deployed by run {run.run_id}",
                )  # fmt: skip
            model = {"name": run.name, "version": version, "sha256": sha256, "path": path, "environment": environment}
            output = {
                **state.output,
                "model": model,
                "pointer": models.pointers(connection, run.workspace, run.name, environment)[:5],
            }
            runs.save_stage(connection, run.run_id, replace(state, output=output), artifacts={}, fingerprint="")
            return model

        model = await self._database.writing(register)
        return {
            "model": model, "metrics": evaluated["metrics"], "baselines": evaluated["baselines"],
            "synthetic": record["synthetic"],
        }  # fmt: skip

    def _artifact_path(self, sha256: str) -> Path:
        from mlestar.storage.artifacts import Artifacts

        return Artifacts(self._settings.data_dir).path(sha256)

    async def _note_progress(self, live: _Live, done: float, total: float | None, message: str) -> None:
        low, high = SPANS[live.stage]
        share = min(1.0, done / total) if total else 0.0
        live.done = max(live.done, low + (high - low) * share)
        live.message = message

    async def _note_stage(self, live: _Live, event: Mapping[str, Any]) -> None:
        status = Status(event["status"])
        live.stage = event["stage"]
        low, high = SPANS[live.stage]
        live.done = max(live.done, high if status is Status.SUCCEEDED else low)
        live.message = f"{live.stage}: {'reused' if event['reused'] else status.value}"
        state = StageState(
            name=live.stage, status=status, duration_s=event["duration_s"], output=event["output"],
            checks=tuple(StageCheck(**check) for check in event["checks"]), reused=event["reused"],
        )  # fmt: skip
        artifacts = {**event["artifacts"], "source": event["source"]}
        await self._stage(
            live, state, artifacts=artifacts, fingerprint=event["fingerprint"], started=status is Status.RUNNING
        )

    async def _stage(
        self, live: _Live, state: StageState, *, artifacts: Mapping[str, str] | None = None, fingerprint: str = "",
        started: bool = False,
    ) -> None:  # fmt: skip
        def save(connection: Connection) -> None:
            runs.save_stage(
                connection, live.run.run_id, state, artifacts=artifacts or {}, fingerprint=fingerprint, started=started
            )
            word = "reused" if state.reused else state.status
            message = f"{state.name} {word}"
            runs.add_event(connection, live.run.run_id, at=self._clock(), kind="stage", message=message, done=live.done)

        await self._database.writing(save)

    async def _fail(self, live: _Live, error: MlestarError) -> None:
        def fail(connection: Connection) -> None:
            run = runs.run_of(connection, live.run.run_id)
            for stage in run.stages:
                if stage.status == Status.RUNNING:
                    state = replace(stage, status=Status.FAILED)
                    runs.save_stage(connection, run.run_id, state, artifacts={}, fingerprint="")
            at = self._clock()
            runs.move(connection, run.run_id, Status.FAILED, at=at, error=error.to_json(), message=str(error))

        await self._database.writing(fail)

    async def _end_cancelled(self, live: _Live) -> None:
        def end(connection: Connection) -> None:
            run = runs.run_of(connection, live.run.run_id)
            for stage in run.stages:
                if stage.status in {Status.RUNNING, Status.QUEUED}:
                    state = replace(stage, status=Status.CANCELLED)
                    runs.save_stage(connection, run.run_id, state, artifacts={}, fingerprint="")
            runs.move(connection, run.run_id, Status.CANCELLED, at=self._clock(), message="cancelled")

        await self._database.writing(end)

    async def _write(self, change: Callable[..., Any], run_id: str, *parts: Any, **named: Any) -> Any:
        at = self._clock()
        return await self._database.writing(lambda connection: change(connection, run_id, *parts, at=at, **named))


def _keep_result(connection: Connection, run_id: str, *, result: Mapping[str, Any], at: float) -> None:  # noqa: ARG001 - called like the other writes
    runs.set_result(connection, run_id, result)


def _gate(environment: str, blockers: Sequence[Finding]) -> StageCheck:
    if environment != "production":
        return StageCheck(name="production gate", outcome="pass", says="production was not asked for")
    says = "; ".join(f"{finding.check}: {finding.observed}" for finding in blockers) or "no critical finding stands"
    return StageCheck(name="production gate", outcome="fail" if blockers else "pass", says=says)


def _with_result(run: Run, result: Mapping[str, Any], status: Status) -> Run:
    return replace(
        run, status=status, metrics=result["metrics"], baselines=result["baselines"], model=result["model"],
        evidence_recorded=tuple(result["evidence_recorded"]), synthetic=result["synthetic"],
    )  # fmt: skip


def _first(group: BaseExceptionGroup[BaseException]) -> MlestarError | None:
    """The error a group is about; None when it is (also) a cancellation from outside."""
    found = [error for error in group.exceptions if not isinstance(error, anyio.get_cancelled_exc_class())]
    if len(found) < len(group.exceptions) or not found:
        return None
    first = found[0]
    if isinstance(first, BaseExceptionGroup):
        return _first(first)
    if isinstance(first, MlestarError):
        return first
    if isinstance(first, Exception):
        _log.error("a run broke", exc_info=first)
        return WorkFailed(f"the run broke with {type(first).__name__}: {first}", do="see the supervisor's log")
    return None


def _code_commit(roots: Sequence[str]) -> str:
    """HEAD of the first root that is (in) a git repository; empty when none is."""
    from mlestar.evidence.bounded import Limits as ReadLimits
    from mlestar.evidence.git import read_git

    for root in roots:
        facts = read_git(Path(root), Path(root), ReadLimits(commits=1))
        if facts is not None:
            return facts.head
    return ""
