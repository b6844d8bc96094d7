"""X5.3 and X5.4: continuous integration, licence and size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import inspected
from mlestar.checks.registry import check
from mlestar.core.code.defined_tests import TESTS_ELSEWHERE, count_tests
from mlestar.core.evidence import Level, Outcome, Verdict, Where, slots
from mlestar.core.project.ci import jobs, reached
from mlestar.core.project.commands import Command, runs_tests
from mlestar.core.wording import counted, listed, percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts

_LICENCE_TEXT = re.compile(
    r"MIT License|Permission is hereby granted, free of charge|Apache License|BSD \d-Clause|"
    r"Redistribution and use in source|GNU (AFFERO |LESSER )?GENERAL PUBLIC LICENSE|Mozilla Public License|ISC License|"
    r"The Unlicense|SPDX-License-Identifier|Boost Software License|CC0|Creative Commons|EUPL|proprietary|"
    r"All rights reserved",
    re.IGNORECASE,
)
_OTHER_CODE = re.compile(r"\.(r|jl|scala|java|kt|go|rs|cc|cpp|hpp|c|h|[jt]sx?)$", re.IGNORECASE)
_MIB = 1 << 20


@check("X5.3")
def ci_runs_the_tests(facts: Facts) -> Iterator[Verdict]:
    """Continuous integration runs the tests on every push or pull request.

    Why: Tests that nobody runs protect nothing.
    How: Workflows of GitHub, GitLab, CircleCI, Azure, Travis, Bitbucket, Drone, CodeBuild, Buildkite and Jenkins; their
        commands are followed through make, just, tox, nox, task tables and scripts to a test runner.
    Threshold: pass when a job on push or pull request runs tests that there are and its failure counts, partial for CI
        without that, fail without CI.
    Source: OpenSSF Scorecard CI-Tests; ML Test Score.
    Fix: Add a workflow on push and pull_request that runs the test suite.
    Limits: Configuration only: whether the last run was green is not seen. Remote templates are not followed.
    """
    project = facts.project
    if project is None or not project.files:
        return
    found = jobs(project)
    if not found:
        yield inspected(Outcome.FAIL, f"no CI configuration among {counted(len(project.files), 'file')}")
        return
    runs = [(job, command) for job in found for command in reached(project, job) if runs_tests(command)]
    good = [(job, command) for job, command in runs if job.on_change and not command.ignored]
    if good and not _has_tests(project, good[0][1]):
        observed = f"job {good[0][0].name} runs `{good[0][1].text[:80]}`, and there is no test for it to find"
        yield inspected(Outcome.PARTIAL, observed, project.where(good[0][1].path, good[0][1].line))
        return
    if good:
        job, command = good[0]
        via = "" if command.path == job.path else f", called by {job.path}"
        where = project.where(command.path, command.line)
        yield inspected(Outcome.PASS, f"job {job.name} ({job.service}) runs `{command.text[:80]}`{via}", where)
        return
    if runs:
        job, command = runs[0]
        why = "its failure is ignored" if command.ignored else f"only on {listed(sorted(job.triggers))}"
        where = project.where(command.path, command.line)
        yield inspected(Outcome.PARTIAL, f"job {job.name} runs `{command.text[:80]}`, but {why}", where)
        return
    observed = f"{counted(len(found), 'CI job')} and no test run in {listed(sorted({job.path for job in found}))}"
    yield inspected(Outcome.PARTIAL, observed, project.where(found[0].path))


def _has_tests(project: ProjectFacts, command: Command) -> bool:
    """Whether a run of pytest could find a test; of other runners it is taken for granted."""
    code = any(module.text.strip() for module in project.own_modules.values())
    if not code or not re.search(r"\bpytest\b", command.text) or "doctest" in command.text or project.truncated:
        return True
    return count_tests(project).least > 0 or bool(project.paths(TESTS_ELSEWHERE))


@check("X5.4")
def licence_and_size(facts: Facts) -> Iterator[Verdict]:
    """There is a licence, no large file is tracked, and the code is not mostly notebooks.

    Why: Without a licence nobody may use it; large files in git slow every clone for ever; notebooks hide state.
    How: A licence file with a known text or an SPDX entry in pyproject; tracked files above 10 MB; non-blank lines of
        notebooks against those of modules, whatever their language.
    Threshold: v = share of the three that hold.
    Source: OpenSSF Scorecard License; mllint.
    Fix: Add LICENSE; move large files to DVC or LFS; move notebook code into modules.
    Limits: Whether the licence fits the data is not judged.
    """
    project = facts.project
    if project is None or not project.files:
        return
    texts = project.documents(r"^(licen[cs]e|copying)[^/]*$")
    licence = any(_LICENCE_TEXT.search(text) for text in texts.values()) or _declares_licence(project)
    limit = facts.limit("X5.4", "max_file_mb") * _MIB
    large = [file for file in project.files.values() if file.size > limit and project.is_tracked(file.path)]
    lines = {True: 0, False: 0}
    for module in project.modules.values():
        lines[module.is_notebook] += sum(bool(line.strip()) for line in module.text.splitlines())
    for path, text in project.texts.items():
        lines[False] += sum(bool(line.strip()) for line in text.splitlines()) if _OTHER_CODE.search(path) else 0
    total = sum(lines.values())
    share = lines[True] / total if total else 0.0
    problems = [] if licence else ["no licence"]
    problems += [f"large tracked files: {listed([f'{f.path} ({f.size // _MIB} MiB)' for f in large])}"] if large else []
    problems += [f"{percent(share)} of the code in notebooks"] if share > facts.limit("X5.4", "notebook_share") else []
    where = project.where(large[0].path) if large else Where()
    observed = f"{3 - len(problems)} of 3" + (f"; {'; '.join(problems)}" if problems else "")
    yield slots(3 - len(problems), 3, Level.INSPECTED, observed, where=where)


def _declares_licence(project: ProjectFacts) -> bool:
    for document in project.manifests.get("pyproject.toml", ()):
        section = document.get("project") if isinstance(document, dict) else None
        if isinstance(section, dict) and section.get("license"):
            return True
    return False
