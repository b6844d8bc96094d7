"""X5.1: the project's tests, by running them, by report, by count, by word."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mlestar.checks.inspected import absent, attested, graded, inspected
from mlestar.checks.registry import check
from mlestar.checks.trial import lacking, not_settled, tried
from mlestar.core.code.defined_tests import TESTS_ELSEWHERE, TestCount, count_tests
from mlestar.core.code.idle_tests import idle_suite
from mlestar.core.evidence import Level, Outcome, Verdict
from mlestar.core.project.report_consistency import (
    cases_from_elsewhere,
    covered_here,
    impossible_coverage,
    share_measured,
    why_stale,
)
from mlestar.core.wording import counted, listed, percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.reports import TestReport
    from mlestar.core.facts.trial import TestTrial

_MOST_OF_THE_CODE = 0.5
"""A coverage report of less than half of the own code speaks for a part of it only (this project's own)."""


@check("X5.1")
def tests_pass_and_cover(facts: Facts) -> Iterator[Verdict]:
    """The tests pass and cover the code, at this commit.

    Why: Untested code is changed by hope.
    How: JUnit and coverage reports: the number of cases listed equals the number declared, none failed, the commit is
        HEAD (or the code has not changed since), the cases are defined in this tree and some of them ran, and line
        coverage is recounted over the files that are here. Claimed counts are held against the tests that the source
        defines; a suite in which every test is skipped, or calls and compares nothing, is none. With execute, the tests
        are run here, with line coverage of the project's own modules when its interpreter has coverage.
    Threshold: pass from 75% line coverage, partial from 60% or when the report looks at less than half of the own code,
        fail below or with a failure or a contradiction; inconclusive for a report of another tree or an older one.
    Source: Google Testing Blog, August 2020: 60% acceptable, 75% commendable, 90% exemplary.
    Fix: Run pytest --junitxml=junit.xml --cov --cov-report=xml in CI and keep both reports; test the files named.
    Limits: A report can be edited; it earns at most the level attested unless the tests are run here.
    """
    claim = facts.claims.get("excellence", {})
    claimed_tests, claimed_coverage = _number(claim, "tests"), _share(claim, "coverage")
    if claimed_tests is not None or claimed_coverage is not None:
        yield _claimed_tests(facts, claimed_tests, claimed_coverage)
    project = facts.project
    if project is None or not project.modules:
        return
    defined = count_tests(project)
    refuted = _refuted(project, defined, claimed_tests, claimed_coverage)
    if refuted is not None:
        yield refuted
    trial = facts.trial.tests if facts.trial is not None else None
    idle = idle_suite(project)
    if idle is not None and (trial is None or not (trial.problem or trial.failed or trial.unmet)):
        observed = f"none of {counted(defined.least, 'test')} can fail: skipped, or without a call or a comparison"
        verdict = inspected(Outcome.FAIL, f"{observed}, e.g. in {idle.path}", project.where(idle.path), n=defined.least)
        yield verdict if trial is None else replace(verdict, level=Level.MEASURED)
        return
    if trial is not None:
        yield _run_here(facts, trial, reported=bool(project.reports.coverage))
    reports = project.reports
    if reports.tests and defined.least == 0 and not project.paths(TESTS_ELSEWHERE):
        path = reports.tests[0].path
        observed = f"no test function in {counted(len(project.modules), 'module')}, whatever {path} lists"
        yield inspected(Outcome.FAIL, observed, project.where(path))
    elif reports.tests or reports.coverage:
        yield _reported(facts, project)
    elif defined.least == 0 and (others := project.paths(TESTS_ELSEWHERE)):
        yield absent(f"tests in another language, e.g. {others[0]}, and no JUnit or coverage report of a run")
    elif defined.least == 0:
        yield inspected(Outcome.FAIL, f"no test function in {counted(len(project.modules), 'module')}")
    else:
        yield absent(f"{counted(defined.least, 'test')} defined, but no JUnit or coverage report of a run")


def _run_here(facts: Facts, trial: TestTrial, *, reported: bool) -> Verdict:
    if trial.problem:
        return not_settled(facts, f"`{trial.command}`", trial.problem, trial.log)
    if trial.failed:
        observed = f"{len(trial.failed)} of {counted(trial.cases, 'test')} failed: {listed(list(trial.failed))}"
        return tried(facts, Outcome.FAIL, observed, n=trial.cases, fix=f"repair {trial.failed[0]}")
    if trial.unmet:
        return not_settled(facts, f"`{trial.command}`", lacking(trial), "")
    if trial.cases == 0:
        return tried(facts, Outcome.FAIL, "no test was found by pytest")
    passed = f"{counted(trial.cases, 'test')} passed"
    if trial.lines is None or not trial.lines[1]:
        fix = "install coverage beside the project's pytest, so that lines are counted too"
        outcome = Outcome.INCONCLUSIVE if reported else Outcome.PARTIAL  # a report of coverage is worth more than none
        value = None if reported else Fraction(1, 4)
        return tried(facts, outcome, f"{passed}; lines were not counted", value=value, n=trial.cases, fix=fix)
    covered, lines = trial.lines
    outcome = graded(covered / lines, facts.limit("X5.1", "pass"), facts.limit("X5.1", "partial"))
    least = f"; least covered: {listed(list(trial.uncovered))}" if trial.uncovered else ""
    return tried(facts, outcome, f"{passed}; {percent(covered / lines)} of {lines} lines covered{least}", n=lines)


def _claimed_tests(facts: Facts, tests: float | None, coverage: float | None) -> Verdict:
    said = [f"{tests:g} tests"] if tests is not None else []
    said += [f"{percent(coverage)} coverage"] if coverage is not None else []
    if tests is not None and tests <= 0:
        outcome = Outcome.FAIL
    elif coverage is None:
        outcome = Outcome.PARTIAL
    else:
        outcome = graded(coverage, facts.limit("X5.1", "pass"), facts.limit("X5.1", "partial"))
        outcome = Outcome.FAIL if coverage > 1 else outcome
    fix = "give the project or its JUnit and coverage reports, so that the numbers can be checked"
    return Verdict(outcome=outcome, level=Level.CLAIMED, observed=f"stated: {' and '.join(said)}", fix=fix)


def _refuted(project: ProjectFacts, defined: TestCount, tests: float | None, coverage: float | None) -> Verdict | None:
    listed_cases = max((report.cases for report in project.reports.tests), default=None)
    if tests is not None and listed_cases is not None and tests != listed_cases:
        where = project.where(project.reports.tests[0].path)
        return attested(Outcome.FAIL, f"{tests:g} tests claimed, {listed_cases} in the report", where)
    if tests is not None and listed_cases is None and defined.most is not None and tests > defined.most:
        return inspected(Outcome.FAIL, f"{tests:g} tests claimed, the source defines {defined.most}", n=defined.most)
    best = max((report.share for report in project.reports.coverage), default=None)
    if coverage is not None and best is not None and coverage > best + 0.005:
        where = project.where(project.reports.coverage[0].path)
        return attested(Outcome.FAIL, f"{percent(coverage)} coverage claimed, {percent(best)} in the report", where)
    return None


def _reported(facts: Facts, project: ProjectFacts) -> Verdict:
    tests, coverage = project.reports.tests, project.reports.coverage
    for report in tests:
        wrong = _wrong_report(project, report)
        if wrong is not None:
            return wrong
    impossible = next((said for report in coverage if (said := impossible_coverage(project, report))), "")
    if impossible:
        return attested(Outcome.FAIL, impossible, project.where(coverage[0].path))
    if not coverage:
        return attested(
            Outcome.PARTIAL, (f"{counted(tests[0].cases, 'test')} passed; "
f"no coverage report"), project.where(tests[0].path),
            value=Fraction(1, 4), n=tests[0].cases, fix="keep a coverage report beside the JUnit report",
        )  # fmt: skip
    return _covered(facts, project)


def _wrong_report(project: ProjectFacts, report: TestReport) -> Verdict | None:
    """What keeps a report from being believed; None when nothing does."""
    where = project.where(report.path)
    if report.declared != report.cases:
        return attested(Outcome.FAIL, f"{report.path} declares {report.declared} tests and lists {report.cases}", where)
    if report.failures or report.cases == 0:
        observed = f"{report.failures} of {counted(report.cases, 'test')} failed"
        return attested(Outcome.FAIL, observed, where, n=report.cases)
    if report.skipped >= report.cases:
        return attested(Outcome.FAIL, f"all {report.cases} cases of {report.path} were skipped", where, n=report.cases)
    doubt = why_stale(project, report) or cases_from_elsewhere(project, report)
    return (
        attested(Outcome.INCONCLUSIVE, doubt, where, fix="run the tests again and keep the report") if doubt else None
    )


def _covered(facts: Facts, project: ProjectFacts) -> Verdict:
    tests, coverage = project.reports.tests, project.reports.coverage
    best = max(coverage, key=lambda report: report.lines)
    worst = sorted(best.files, key=lambda name: best.files[name][0] - best.files[name][1])[:3]
    hit, lines = covered_here(project, best)
    where = project.where(best.path)
    if not lines:
        return attested(Outcome.INCONCLUSIVE, f"no file that {best.path} names is here: {listed(worst)}", where)
    outcome = graded(hit / lines, facts.limit("X5.1", "pass"), facts.limit("X5.1", "partial"))
    passed = f"{counted(sum(report.cases - report.skipped for report in tests), 'test')} passed; " if tests else ""
    observed = f"{passed or 'no JUnit report; '}{percent(hit / lines)} of {lines} lines covered"
    looked_at = share_measured(project, best)
    if looked_at < _MOST_OF_THE_CODE:
        observed += f", which are of {percent(looked_at)} of the own code only"
    if outcome is Outcome.PASS and (not tests or looked_at < _MOST_OF_THE_CODE):
        outcome = Outcome.PARTIAL
    return attested(outcome, f"{observed}; least covered: {listed(worst)}", where, n=lines)


def _number(claim: Any, key: str) -> float | None:
    value = claim.get(key)
    if isinstance(value, dict):
        value = value.get("count", value.get("total"))
    return _finite(value)


def _finite(value: object) -> float | None:
    """A stated number as a float; None for what is none, not finite, or beyond a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        return None
    return float(value)


def _share(claim: Any, key: str) -> float | None:
    value = claim.get(key)
    if isinstance(value, str) and re.fullmatch(r"\s*\d+(\.\d+)?\s*%?\s*", value):
        value = float(value.strip().rstrip("% ")) / (100 if "%" in value else 1)
    number = _finite(value)
    return number / 100 if number is not None and 1 < number <= 100 else number  # noqa: PLR2004 - a percentage
