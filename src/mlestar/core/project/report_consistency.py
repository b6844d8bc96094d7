"""Reports of other tools held against the tree and the history that they speak of."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlestar.core.code.imports import normalized
from mlestar.core.facts.project import TEST_PATH, is_own
from mlestar.core.project.dependencies import covers, dependencies
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.reports import AuditReport, CoverageReport, TestReport

MOST_COMMITS_READ = 400
"""As many commits as the reader of git reads: what is not among so many may still be further back."""
_DAY_S = 86_400
"""A run may precede the commit of what it ran by so much; this project's own."""
_DEFINED = re.compile(r"\bdef[ \t]+(test\w*)")
_MOST_KNOWN = 0.5
"""A report is of this tree when it knows at least half of the cases; the rest may be made at run time (ours)."""


def unknown_commit(project: ProjectFacts, commit: str) -> bool:
    """Whether a report's commit is certainly none of this history: read to its start, and not in it."""
    git = project.git
    if git is None or not commit or git.shallow or len(git.commits) >= MOST_COMMITS_READ:
        return False
    return not any(known.sha.startswith(commit.lower()) for known in git.commits)


def why_stale(project: ProjectFacts, report: TestReport) -> str:
    """How the code has changed since the tests were run; empty when it has not, or nobody can tell.

    The run's time is that of the commit that the report names; else that of the commit that last touched the report, or
    a day after its own time stamp when that is earlier.
    """
    git = project.git
    if git is None:
        return ""
    if report.commit and unknown_commit(project, report.commit):
        return f"{report.path} is of commit {report.commit[:7]}, which is not in this history"
    code = {path: time for path, time in git.changed.items() if path.endswith((".py", ".ipynb")) and _counts(path)}
    newest = max(code, key=lambda path: (code[path], path), default="")
    named = next(
        (known for known in git.commits if report.commit and known.sha.startswith(report.commit.lower())), None
    )
    if report.commit and named is None:
        return f"{report.path} is of commit {report.commit[:7]}, not of HEAD"
    ran = min(_times_of(project, report), default=None) if named is None else named.time
    if ran is None or not newest or code[newest] <= ran:
        return ""
    at, of = (datetime.fromtimestamp(time, UTC).date().isoformat() for time in (code[newest], ran))
    return f"{report.path} is of {of}, and {newest} was changed on {at}"


def _times_of(project: ProjectFacts, report: TestReport) -> list[int]:
    written = project.git.changed.get(report.path) if project.git is not None else None
    stamped = _time_of(report.timestamp, _DAY_S)
    return [time for time in (written, stamped) if time is not None]


def _counts(path: str) -> bool:
    return is_own(path) or bool(TEST_PATH.search(path))


def _time_of(text: str, grace_s: int) -> int | None:
    """Seconds since 1970 of an ISO time stamp, in UTC when it names no zone, plus the grace."""
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    try:
        return int(stamp.timestamp()) + grace_s
    except (OverflowError, ValueError):
        return None


def cases_from_elsewhere(project: ProjectFacts, report: TestReport) -> str:
    """How the cases of a report are not those of this tree; empty when they are, or it lists no names of modules.

    A case is known when a test of its name is defined in a module, or its class name holds a test module's name.
    """
    named = [(owner, name) for owner, name in report.names if owner]
    if not named or not project.test_modules or project.truncated:
        return ""
    defined = {match for module in project.modules.values() for match in _DEFINED.findall(module.text)}
    modules = {module.dotted.rpartition(".")[2] for module in project.test_modules.values()}
    strange = [
        f"{owner}.{name}"
        for owner, name in named
        if re.split(r"[\[(]", name)[0] not in defined and not modules & set(re.split(r"[./]", owner))
    ]
    if len(strange) <= (1 - _MOST_KNOWN) * len(named):
        return ""
    return (
        f"{len(strange)} of the {counted(len(named), 'case')} in {report.path} are not defined here, e.g. {strange[0]}"
    )


def impossible_coverage(project: ProjectFacts, report: CoverageReport) -> str:
    """Where a coverage report counts more lines than a file has; empty where it is possible."""
    for name, (_, lines) in sorted(report.files.items()):
        found = [path for path in _matches(project, name) if path in project.modules]
        there = max((len(project.modules[path].text.splitlines()) for path in found), default=lines)
        if lines > there:
            return f"{report.path} counts {counted(lines, 'line')} in {name}, which has {there}"
    return ""


def covered_here(project: ProjectFacts, report: CoverageReport) -> tuple[int, int]:
    """Covered lines and lines of the files that are in the tree: what is not there cannot be covered."""
    if project.truncated:
        return report.covered, report.lines
    here = [counts for name, counts in report.files.items() if _matches(project, name)]
    return sum(hit for hit, _ in here), sum(lines for _, lines in here)


def share_measured(project: ProjectFacts, report: CoverageReport) -> float:
    """Share of the own modules' non-blank lines that stand in files which the report looks at, 0 to 1."""
    sizes = {
        path: sum(bool(line.strip()) for line in module.text.splitlines())
        for path, module in project.own_modules.items()
        if not module.is_notebook
    }
    measured = {path for name in report.files for path in _matches(project, name)}
    total = sum(sizes.values())
    return sum(size for path, size in sizes.items() if path in measured) / total if total else 1.0


def _matches(project: ProjectFacts, name: str) -> list[str]:
    """Files that a report's name may mean: it counts from the root, from a source folder, or from the disk's root."""
    name = name.replace("\\", "/").removeprefix("./")
    by_last = project.derived("files by last name", _by_last_name)
    return [
        path
        for path in by_last.get(name.rpartition("/")[2], ())
        if name and (path == name or path.endswith("/" + name) or name.endswith("/" + path))
    ]


def _by_last_name(project: ProjectFacts) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in project.files:
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return found


def audited_elsewhere(project: ProjectFacts, report: AuditReport) -> str:
    """How an audit is not of this project's packages: it looked at fewer than half of those that the code imports."""
    imported = dependencies(project).imported
    looked = frozenset(map(normalized, report.names))
    missing = sorted(name for name in imported if not covers(looked, name))
    if not looked or len(missing) <= (1 - _MOST_KNOWN) * len(imported):
        return ""
    return f"{report.path} looked at {counted(len(looked), 'package')}, not at {listed(missing)} that the code imports"
