"""Doing a stage once: its output is kept by fingerprint, and taken from there when nothing it depends on changed."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.pipeline import SCHEMA_VERSION, fingerprint
from mlestar.core.run import StageCheck, Status
from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    from mlestar.execution.work import Channel
    from mlestar.storage.artifacts import Artifacts

LIBRARIES = ("numpy", "pandas", "scikit-learn", "lightgbm", "skops")


@dataclass(frozen=True, kw_only=True)
class StageOutput:
    """What a stage hands on: named files, a small JSON summary, and how its own tests went."""

    files: Mapping[str, bytes]
    summary: Mapping[str, Any]
    checks: tuple[StageCheck, ...]
    private: Mapping[str, Any] = field(default_factory=dict)


class StageStore:
    """The stages of one run: done or recalled, and told to the parent either way."""

    def __init__(
        self, artifacts: Artifacts, report: Channel, source: str, *, redo: frozenset[str] = frozenset()
    ) -> None:
        """Stages are told to `report` as events; `source` is the digest that every one of them rests on.

        Stages in `redo` are done again whatever is kept of them.
        """
        self._redo = redo
        self._artifacts = artifacts
        self._report = report
        self._source = source

    def stage(self, name: str, inputs: Any, do: Callable[[], StageOutput]) -> dict[str, Any]:
        """The stage's record: artifacts (name -> hash), summary, checks, private, duration_s.

        Args:
            name: One of the five.
            inputs: All that the output depends on, as JSON.
            do: Does the work.

        Raises:
            InvalidInput: One of the stage's own tests failed: its output is not passed on.
        """
        key = fingerprint(SCHEMA_VERSION, code_version(), name, inputs)
        record = None if name in self._redo else self._artifacts.recall(key)
        reused = record is not None
        if record is None:
            self._tell(name, Status.RUNNING, key)
            begun = time.monotonic()
            output = do()
            checks = [asdict(check) for check in output.checks]
            self._refuse_failed(name, key, output, time.monotonic() - begun)
            record = {
                "artifacts": {file: self._artifacts.put(data) for file, data in output.files.items()},
                "summary": dict(output.summary),
                "checks": checks,
                "private": dict(output.private),
                "duration_s": round(time.monotonic() - begun, 3),
            }
            self._artifacts.remember(key, record)
        self._tell(name, Status.SUCCEEDED, key, record=record, reused=reused)
        return record | {"fingerprint": key}

    def file(self, record: Mapping[str, Any], name: str) -> bytes:
        """One of a stage's files."""
        return self._artifacts.get(record["artifacts"][name])

    def _refuse_failed(self, name: str, key: str, output: StageOutput, seconds: float) -> None:
        failed = [check for check in output.checks if check.outcome == "fail"]
        if not failed:
            return
        record = {
            "artifacts": {}, "summary": dict(output.summary), "duration_s": round(seconds, 3),
            "checks": [asdict(check) for check in output.checks],
        }  # fmt: skip
        self._tell(name, Status.FAILED, key, record=record)
        raise InvalidInput(
            f"the {name} stage's test {failed[0].name!r} failed: {failed[0].says}",
            do="mend what the test names and run again; the stages before it are kept",
            details={"stage": name, "failed": [check.name for check in failed]},
        )

    def _tell(
        self, name: str, status: Status, key: str, *, record: Mapping[str, Any] | None = None, reused: bool = False
    ) -> None:
        told = record or {"artifacts": {}, "summary": {}, "checks": [], "duration_s": 0.0}
        self._report.event(
            {
                "stage": name, "status": status.value, "fingerprint": key, "reused": reused,
                "source": self._source,
                "artifacts": told["artifacts"], "output": told["summary"], "checks": told["checks"],
                "duration_s": told["duration_s"],
            }
        )  # fmt: skip


@functools.cache
def code_version() -> str:
    """Changes when the stages' code, that of the worker who writes their records, or a library of theirs does."""
    import mlestar.stages

    folder = Path(mlestar.stages.__file__ or "").parent
    digest = hashlib.sha256()
    for path in (*sorted(folder.glob("*.py")), Path(__file__).with_name("worker.py")):
        digest.update(path.read_bytes())
    return fingerprint(digest.hexdigest(), {name: version(name) for name in LIBRARIES})
