"""The deployment of one run: verified by a fresh process, judged, registered whole or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from mlestar.core.pipeline import parse
from mlestar.core.run import Run, StageCheck, StageState, Status
from mlestar.core.score.finding_json import from_json
from mlestar.core.score.scoring import is_blocker
from mlestar.errors import Conflict, InvalidInput, NotFound
from mlestar.storage import findings as stored_findings
from mlestar.storage import models, runs
from mlestar.storage.artifacts import PATIENCE_S, Artifacts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.evidence import Finding
    from mlestar.execution.live import LiveRun
    from mlestar.settings import Settings
    from mlestar.storage.database import Database

HandOver = Callable[[Run, Sequence["Finding"]], Awaitable[None]]
"""Is given a run's result and what it measured, before the run counts as ended. May be called twice for one run."""

VERIFY = "mlestar.execution.verify:verify"
HISTORY = 5


class Deployment:
    """Carries out the last stage of one run."""

    def __init__(
        self, *, database: Database, settings: Settings, clock: Callable[[], float], live: LiveRun, hand_over: HandOver
    ) -> None:
        """Nothing is done yet."""
        self._database = database
        self._artifacts = Artifacts(settings.data_dir, settings.artifacts, patience_s=PATIENCE_S)
        self._clock = clock
        self._live = live
        self._run = live.run
        self._hand_over = hand_over

    async def carry_out(self, payload: Mapping[str, Any], fingerprints: Mapping[str, str]) -> None:
        """Verify, judge, register, hand over.

        Raises:
            InvalidInput: The package failed a test: nothing was registered.
            Conflict: Production was asked for while a critical finding stands: registered, not deployed.
        """
        begun = self._clock()
        await self._live.save_stage(StageState(name="deployment", status=Status.RUNNING))
        records = await anyio.to_thread.run_sync(self._records, fingerprints)
        known = await self._known(payload["roots"])
        request = {**payload, "records": records, "at": begun, **known}

        async def requested() -> Mapping[str, Any]:
            return request

        verified = await self._live.child(VERIFY, requested)
        found = [from_json(parts) for parts in verified["findings"]]
        checks = tuple(StageCheck(**check) for check in verified["checks"])
        environment = parse(payload["config"]).environment
        blockers = await self._blockers(found) if environment == "production" else []
        state = StageState(
            name="deployment", status=Status.FAILED if blockers else Status.SUCCEEDED,
            checks=(*checks, _gate(environment, blockers)), duration_s=round(self._clock() - begun, 3),
            output={
                "latency_p95_ms": verified["latency_p95_ms"],
                "card": self._artifacts.location(verified["card_sha256"]),
                "reference_profile": self._artifacts.location(verified["reference_profile_sha256"]),
                "artifacts": {
                    "card.md": verified["card_sha256"],
                    "reference_profile.json": verified["reference_profile_sha256"],
                },
            },
        )  # fmt: skip
        await self._refuse_broken(state, checks)
        place = "none" if blockers else environment
        record = self._lineage(records, verified, known["code_commit"])
        model = await self._register(state, record, verified["model_sha256"], place)
        evaluated = records["evaluation"]["summary"]
        result = {
            "model": model, "metrics": evaluated["metrics"], "baselines": evaluated["baselines"],
            "synthetic": record["synthetic"], "ablation": evaluated["ablation"],
            "evidence_recorded": sorted({finding.check for finding in found}),
        }  # fmt: skip
        await self._database.writing(lambda connection: runs.set_result(connection, self._run.run_id, result))
        await self._hand_over(_with_result(self._run, result, state.status), found)
        if blockers:
            raise _refused(blockers, model)

    def _records(self, fingerprints: Mapping[str, str]) -> dict[str, Any]:
        records = {stage: self._artifacts.recall(fingerprint) for stage, fingerprint in fingerprints.items()}
        lost = [stage for stage, record in records.items() if record is None]
        if lost:
            raise NotFound(f"the output of the {lost[0]} stage is gone or damaged on disk", do="run the pipeline again")
        return records

    async def _known(self, roots: Sequence[str]) -> dict[str, Any]:
        def before(connection: Connection) -> dict[str, Any]:
            others = [
                version
                for version in models.versions_of(connection, self._run.workspace, self._run.name)
                if version["run_id"] != self._run.run_id
            ]
            return {"previous": others[0] if others else None, "versions": len(others)}

        commit = await anyio.to_thread.run_sync(_code_commit, roots)
        return await self._database.reading(before) | {"code_commit": commit}

    async def _refuse_broken(self, state: StageState, checks: Sequence[StageCheck]) -> None:
        broken = next((check for check in checks if check.outcome == "fail"), None)
        if broken is None:
            return
        await self._live.save_stage(replace(state, status=Status.FAILED))
        raise InvalidInput(
            f"the deployment stage's test {broken.name!r} failed: {broken.says}; nothing was registered",
            do="run again",
            details={"stage": "deployment", "failed": [broken.name]},
        )

    async def _blockers(self, found: Sequence[Finding]) -> list[Finding]:
        """Critical fails: of this run, and of the last evaluations of the workspace."""
        workspace = self._run.workspace
        standing = await self._database.reading(lambda connection: stored_findings.all_of(connection, workspace))
        return [finding for finding in (*found, *(old for old in standing if not old.run_id)) if is_blocker(finding)]

    def _lineage(self, records: Mapping[str, Any], verified: Mapping[str, Any], commit: str) -> dict[str, Any]:
        return {
            "run_id": self._run.run_id, "pipeline_id": self._run.pipeline_id, "code_commit": commit,
            "data_sha256": verified["summary"]["data_sha256"], "params": records["training"]["private"]["params"],
            "card_sha256": verified["card_sha256"], "reference_profile_sha256": verified["reference_profile_sha256"],
            "metrics": records["evaluation"]["summary"]["metrics"],
            "synthetic": verified["summary"]["synthetic"],
        }  # fmt: skip

    async def _register(
        self, state: StageState, record: Mapping[str, Any], sha256: str, environment: str
    ) -> dict[str, Any]:
        """Version, pointer and stage in one transaction."""
        run, at = self._run, self._clock()
        path = self._artifacts.location(sha256)

        def register(connection: Connection) -> dict[str, Any]:
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
            history = models.pointers(connection, run.workspace, run.name, environment)[:HISTORY]
            output = {**state.output, "model": model, "pointer": history}
            made = state.output["artifacts"]
            runs.save_stage(connection, run.run_id, replace(state, output=output), artifacts=made, fingerprint="")
            return model

        return await self._database.writing(register)


def _gate(environment: str, blockers: Sequence[Finding]) -> StageCheck:
    if environment != "production":
        return StageCheck(name="production gate", outcome="pass", says="production was not asked for")
    says = "; ".join(f"{finding.check}: {finding.observed}" for finding in blockers) or "no critical finding stands"
    return StageCheck(name="production gate", outcome="fail" if blockers else "pass", says=says)


def _refused(blockers: Sequence[Finding], model: Mapping[str, Any]) -> Conflict:
    return Conflict(
        f"production is refused while a critical finding stands: {blockers[0].check} {blockers[0].observed}",
        do=blockers[0].fix or "mend the finding, then run again",
        details={"findings": [finding.check for finding in blockers], "version": model["version"]},
    )


def _with_result(run: Run, result: Mapping[str, Any], status: str) -> Run:
    return replace(
        run, status=status, metrics=result["metrics"], baselines=result["baselines"], model=result["model"],
        evidence_recorded=tuple(result["evidence_recorded"]), synthetic=result["synthetic"],
    )  # fmt: skip


def _code_commit(roots: Sequence[str]) -> str:
    """HEAD of the first root that is a git repository; empty when none is."""
    from mlestar.evidence.bounded import Limits
    from mlestar.evidence.git import read_git

    for root in roots:
        facts = read_git(Path(root), Path(root), Limits(commits=1))
        if facts is not None:
            return facts.head
    return ""
