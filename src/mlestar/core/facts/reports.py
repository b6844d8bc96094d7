"""Reports that other tools wrote into a project: read, never believed beyond the level `attested`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TestReport:
    """One JUnit file. `declared` is what its header counts, `cases` how many test cases it really lists.

    `names` are (class name, name) of the cases listed first; `timestamp` is the first suite's, as it stands there.
    """

    __test__ = False  # not a test class, whatever its name starts with

    path: str
    declared: int
    cases: int
    failures: int
    skipped: int
    commit: str = ""
    timestamp: str = ""
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class CoverageReport:
    """Line coverage: of everything, and file -> (covered lines, lines)."""

    path: str
    covered: int
    lines: int
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Covered lines of all lines, 0 to 1."""
        return self.covered / self.lines if self.lines else 0.0


@dataclass(frozen=True, kw_only=True)
class StaticReport:
    """Findings of a code scanner (SARIF, bandit or ruff JSON): (path, line, rule, severity) each.

    `own` is True when the scanner was run by us over these files; its `path` is then empty.
    """

    path: str
    tool: str
    results: tuple[tuple[str, int, str, str], ...] = ()
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Vulnerability:
    """One known weakness of one dependency."""

    package: str
    version: str
    id: str
    fixed_in: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """A pip-audit or OSV report. `skipped` names dependencies that were not looked at, with the reason.

    `names` are all that were looked at; empty for a tool that lists the weak ones only.
    """

    path: str
    dependencies: int
    names: tuple[str, ...] = ()
    vulnerabilities: tuple[Vulnerability, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """One training run as a tracker (MLflow, W&B, DVC, a JSON log) recorded it."""

    path: str
    tool: str
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    commit: str = ""
    data_hash: str = ""


@dataclass(frozen=True, kw_only=True)
class LoadTest:
    """A load test's summary; a part that the report does not state is None."""

    path: str
    tool: str
    p95_ms: float | None = None
    error_rate: float | None = None
    rps: float | None = None


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One pull request of an export: who wrote it, who approved it."""

    path: str
    commit: str
    author: str
    approvers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Every report found, each in path order."""

    tests: tuple[TestReport, ...] = ()
    coverage: tuple[CoverageReport, ...] = ()
    static: tuple[StaticReport, ...] = ()
    audits: tuple[AuditReport, ...] = ()
    runs: tuple[TrackedRun, ...] = ()
    load_tests: tuple[LoadTest, ...] = ()
    approvals: tuple[Approval, ...] = ()
