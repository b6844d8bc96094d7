"""A run and its states: what is stored of it, and which change of state is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mlestar.core.pipeline import STAGES


class Status(StrEnum):
    """Where a run or a stage stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in _ENDED


_ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
MOVES: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED, Status.FAILED}),
    Status.RUNNING: frozenset({Status.QUEUED, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}
"""Status -> where it may go. Running goes back to queued when its worker was lost and another takes it up."""


@dataclass(frozen=True, kw_only=True)
class StageCheck:
    """One of a stage's own tests: `pass` and `warn` let its output through, `fail` stops the run."""

    name: str
    outcome: str
    says: str


@dataclass(frozen=True, kw_only=True)
class StageState:
    """One stage of one run.

    Attributes:
        duration_s: Seconds it took; of the first time when `reused`.
        output: What it found out, small JSON.
        reused: Taken over from an earlier run with the same inputs, params and code.
        forced: Done again in this run although an output was there: the run was forked from here or before.
    """

    name: str
    status: str = Status.QUEUED
    duration_s: float = 0.0
    checks: tuple[StageCheck, ...] = ()
    output: Mapping[str, Any] = field(default_factory=dict)
    reused: bool = False
    forced: bool = False


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run as its callers see it.

    Attributes:
        stages: The five, in order.
        metrics: Metric -> {value, low, high, n}: held-out rows, 95% interval.
        baselines: "dummy" and "simple" (and "best_reachable", where the truth is known) -> the same.
        model: name, version, sha256, path, environment; empty until it is registered.
        evidence_recorded: Ids of the checks whose findings this run measured.
        progress: done (0 to 1), message, updated (Unix seconds).
        error: code, message, valid, do, details of a failed run; empty otherwise.
        forked_from: The run whose first stages this one took over; empty for a run from the start.
    """

    pipeline_id: str
    run_id: str
    name: str
    status: str
    workspace: str = "default"
    stages: tuple[StageState, ...] = tuple(StageState(name=name) for name in STAGES)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    baselines: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    evidence_recorded: tuple[str, ...] = ()
    synthetic: bool = False
    progress: Mapping[str, Any] = field(default_factory=dict)
    ablation: tuple[Mapping[str, Any], ...] = ()
    error: Mapping[str, Any] = field(default_factory=dict)
    created: float = 0.0
    ended: float = 0.0
    forked_from: str = ""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A named config that can be run again and again."""

    id: str
    workspace: str
    name: str
    config: Mapping[str, Any]
    stages: tuple[str, ...] = STAGES
    status: str = "created"
    created: float = 0.0
