"""X3.2, X3.4 and X5.2: what scanners say about the code and its dependencies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, attested
from mlestar.checks.registry import check
from mlestar.core.evidence import Level, Outcome, Verdict, Where
from mlestar.core.facts.project import TEST_PATH
from mlestar.core.project.report_consistency import audited_elsewhere
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.reports import StaticReport

_SECURITY_TOOLS = ("bandit", "semgrep", "codeql", "snyk", "sonar", "trivy")
_LINT_TOOLS = ("ruff", "flake8", "pylint")
_LINES = 1000


def _lines(project: ProjectFacts) -> float:
    """Thousands of non-blank lines of own modules, at least one."""
    total = sum(
        sum(bool(line.strip()) for line in module.text.splitlines())
        for module in project.own_modules.values()
        if not module.is_notebook
    )
    return max(total / _LINES, 1.0)


def _verdict(
    project: ProjectFacts,
    report: StaticReport,
    outcome: Outcome,
    observed: str,
    first: tuple[str, int, str, str] | None,
) -> Verdict:
    where = project.where(first[0], first[1]) if first else project.where(report.path) if report.path else Where()
    level = Level.MEASURED if report.own else Level.ATTESTED
    run = "run here" if report.own else f"report {report.path}"
    return Verdict(outcome=outcome, level=level, observed=f"{report.tool} ({run}): {observed}", where=where)


@check("X3.2")
def static_security_analysis_is_clean(facts: Facts) -> Iterator[Verdict]:
    """A security scanner finds nothing serious in the code.

    Why: Shell injection, unsafe loading and disabled certificates are found by machines in seconds, also by attackers.
    How: bandit, run here over own modules when it is installed, else bandit's rules as ruff has them; tests left out.
        Without either a SARIF or bandit report.
    Threshold: pass with no high finding and at most one medium per thousand lines, partial with no high, fail
        otherwise.
    Source: OpenSSF Scorecard SAST.
    Fix: Repair the lines named; python -m pip install bandit (or ruff) to have it measured here.
    Limits: Patterns, not data flow; ruff lacks a few of bandit's rules (imports of insecure modules). A report of
        another tool is believed up to the level attested.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    reports = [
        report for report in project.reports.static if any(tool in report.tool.lower() for tool in _SECURITY_TOOLS)
    ]
    if not reports:
        yield absent("no security scanner installed here (bandit or ruff), and no report of one in the project")
        return
    allowed = facts.limit("X3.2", "medium_per_kloc") * _lines(project)
    for report in reports:
        results = [result for result in report.results if not TEST_PATH.search(result[0])]
        high = [result for result in results if result[3] == "HIGH"]
        medium = [result for result in results if result[3] == "MEDIUM"]
        outcome = Outcome.FAIL if high else Outcome.PASS if len(medium) <= allowed else Outcome.PARTIAL
        named = listed([f"{path}:{line} {rule}" for path, line, rule, _ in (high or medium)])
        observed = f"{len(high)} high and {len(medium)} medium findings" + (f": {named}" if named else "")
        yield _verdict(project, report, outcome, observed, next(iter(high or medium), None))


@check("X3.4")
def dependencies_have_no_known_weakness(facts: Facts) -> Iterator[Verdict]:
    """An audit of the dependencies finds no known vulnerability, and skipped none.

    Why: Most break-ins come through a library with a published hole.
    How: Reports of pip-audit and osv-scanner in the project; a dependency that was skipped was not audited.
    Threshold: pass with none, partial when none of them has a fixed version yet, fail when a fix is ignored;
        inconclusive when anything was skipped, or fewer than half of the imported packages were looked at.
    Source: OpenSSF Scorecard Vulnerabilities.
    Fix: Upgrade the packages named; run pip-audit -f json in CI and keep the report.
    Limits: As old as the report; offline audits report nothing and skip everything.
    """
    project = facts.project
    if project is None or not project.files:
        return
    if not project.reports.audits:
        yield absent("no pip-audit or osv-scanner report in the project")
        return
    for report in project.reports.audits:
        where = project.where(report.path)
        fixable = [weakness for weakness in report.vulnerabilities if weakness.fixed_in]
        named = listed([f"{w.package} {w.version} {w.id} (fixed in {', '.join(w.fixed_in)})" for w in fixable])
        if fixable:
            yield attested(Outcome.FAIL, f"known fixes ignored: {named}", where, n=report.dependencies)
        elif report.skipped:
            name, reason = report.skipped[0]
            observed = (
                f"{len(report.skipped)} of "
                f"{counted(report.dependencies, 'dependency').replace('dependencys', 'dependencies')} "
                f"skipped, e.g. {name}: {reason}"
            )
            yield attested(
                Outcome.INCONCLUSIVE, observed, where, n=report.dependencies, fix="audit again with access to the index"
            )
        elif others := audited_elsewhere(project, report):
            yield attested(
                Outcome.INCONCLUSIVE, others, where, n=report.dependencies, fix="audit the project's packages"
            )
        elif report.vulnerabilities:
            known = listed([f"{weakness.package} {weakness.id}" for weakness in report.vulnerabilities])
            yield attested(Outcome.PARTIAL, f"without a fix so far: {known}", where, n=report.dependencies)
        else:
            yield attested(
                Outcome.PASS,
                f"{report.dependencies} dependencies, none with a known weakness",
                where,
                n=report.dependencies,
            )


@check("X5.2")
def linter_finds_little(facts: Facts) -> Iterator[Verdict]:
    """The linter finds few errors and likely bugs per thousand lines.

    Why: Unused names and mutable defaults are where the next bug hides.
    How: ruff with E9, F and B over own modules, in isolation from the project's settings, when it is installed; else a
        SARIF report of a linter.
    Threshold: pass up to 5 findings per thousand lines, partial up to 20, fail above.
    Source: This project's own.
    Fix: ruff check --select E9,F,B --fix
    Limits: Notebooks are not linted.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    reports = [report for report in project.reports.static if any(tool in report.tool.lower() for tool in _LINT_TOOLS)]
    if not reports:
        yield absent("no linter installed here (ruff), and no report of one in the project")
        return
    own = [report for report in reports if report.own] or reports
    results = [result for result in own[0].results if not TEST_PATH.search(result[0])]
    rate = len(results) / _lines(project)
    passing, partial = facts.limit("X5.2", "pass"), facts.limit("X5.2", "partial")
    outcome = Outcome.PASS if rate <= passing else Outcome.PARTIAL if rate <= partial else Outcome.FAIL
    named = listed([f"{path}:{line} {rule}" for path, line, rule, _ in results])
    observed = f"{rate:.1f} findings per thousand lines" + (f": {named}" if named else "")
    yield _verdict(project, own[0], outcome, observed, next(iter(results), None))
