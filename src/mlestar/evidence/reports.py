"""Finds and parses the reports of other tools: tests, coverage, scanners, audits, load tests, reviews, runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from mlestar.core.facts.reports import CoverageReport, Reports, TestReport
from mlestar.evidence.json_reports import approvals, audit_report, coverage_json, load_test, static_report
from mlestar.evidence.tracked_runs import read_runs

_MOST_NAMES = 5_000
_MOST_DIGITS = 19  # what 64 bits hold: no tool counts further


def read_reports(texts: Mapping[str, str], manifests: Mapping[str, tuple[Any, ...]]) -> Reports:
    """Every report among the texts (XML) and the parsed JSON; what does not have a report's shape is not one."""
    tests: list[TestReport] = []
    coverage: list[CoverageReport] = []
    for path, text in texts.items():
        root = _xml_root(text) if path.endswith(".xml") else None
        if root is None:
            continue
        if root.tag in {"testsuites", "testsuite"}:
            tests.append(_junit(path, root))
        elif root.tag == "coverage":
            coverage.append(_cobertura(path, root))
    documents = [(path, parts[0]) for path, parts in manifests.items() if path.endswith((".json", ".sarif")) and parts]
    return Reports(
        tests=tuple(tests),
        coverage=(*coverage, *(report for path, value in documents if (report := coverage_json(path, value)))),
        static=tuple(report for path, value in documents if (report := static_report(path, value))),
        audits=tuple(report for path, value in documents if (report := audit_report(path, value))),
        runs=read_runs(texts, manifests),
        load_tests=tuple(report for path, value in documents if (report := load_test(path, value))),
        approvals=tuple(approval for path, value in documents for approval in approvals(path, value)),
    )


def _xml_root(text: str) -> ET.Element | None:
    if ("<!DOCTYPE" in text and "cobertura" not in text[:2000]) or "<!ENTITY" in text:
        return None  # no report needs entities; only an attack does
    try:
        return ET.fromstring(text)  # noqa: S314 - entity declarations were refused above
    except (ET.ParseError, ValueError, RecursionError):
        return None


def _junit(path: str, root: ET.Element) -> TestReport:
    suites = list(root.iter("testsuite"))
    cases = list(root.iter("testcase"))
    declared = sum(_integer(suite.get("tests")) for suite in suites)
    commit = next(
        (
            item.get("value", "")
            for item in root.iter("property")
            if item.get("name", "").lower() in {"commit", "revision", "git.sha", "git_commit", "sha"}
        ),
        "",
    )
    return TestReport(
        path=path,
        declared=declared,
        cases=len(cases),
        failures=sum(any(part.tag in {"failure", "error"} for part in case) for case in cases),
        skipped=sum(any(part.tag == "skipped" for part in case) for case in cases),
        commit=commit,
        timestamp=next((suite.get("timestamp", "") for suite in suites), ""),
        names=tuple((case.get("classname", ""), case.get("name", "")) for case in cases[:_MOST_NAMES]),
    )


def _cobertura(path: str, root: ET.Element) -> CoverageReport:
    files: dict[str, tuple[int, int]] = {}
    for entry in root.iter("class"):
        lines = list(entry.iter("line"))
        hit = sum(_integer(line.get("hits")) > 0 for line in lines)
        files[entry.get("filename", "")] = (hit, len(lines))
    covered = sum(hit for hit, _ in files.values())
    return CoverageReport(path=path, covered=covered, lines=sum(count for _, count in files.values()), files=files)


def _integer(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < _MOST_DIGITS else 0
