"""Reports of other tools: recounted, recognised by shape, harmless when hostile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.evidence.reports import read_reports

if TYPE_CHECKING:
    from mlestar.core.facts.reports import Reports

LAUGHS = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><testsuites>&b;</testsuites>'
JUNIT = """<testsuites><testsuite name="s" tests="3" failures="1">
<properties><property name="commit" value="abc1234"/></properties>
<testcase name="a"/><testcase name="b"><failure/></testcase><testcase name="c"><skipped/></testcase>
</testsuite></testsuites>"""
SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "CodeQL"}},
            "results": [
                {
                    "ruleId": "py/x",
                    "level": "error",
                    "locations": [
                        {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 7}}}
                    ],
                }
            ],
        }
    ],
}
LOCUST = [{"num_requests": 100, "num_failures": 2, "response_times": {"50": 90, "200": 6, "900": 4}}]
REVIEWS = [
    {
        "author": {"login": "ada"},
        "mergeCommit": {"oid": "c" * 40},
        "reviews": [
            {"state": "APPROVED", "author": {"login": "bob"}},
            {"state": "APPROVED", "author": {"login": "helper", "is_bot": True}},
            {"state": "COMMENTED", "author": {"login": "eve"}},
        ],
    }
]


def read(path: str, value: Any) -> Reports:
    if isinstance(value, str):
        return read_reports({path: value}, {})
    return read_reports({path: json.dumps(value)}, {path: (value,)})


def test_junit_is_counted_case_by_case() -> None:
    (report,) = read("junit.xml", JUNIT).tests
    assert (report.declared, report.cases, report.failures, report.skipped) == (3, 3, 1, 1)
    assert report.commit == "abc1234"


def test_coverage_is_recounted_whatever_its_totals_say() -> None:
    value = {
        "meta": {"version": "7"},
        "totals": {"percent_covered": 99.0},
        "files": {"a.py": {"summary": {"covered_lines": 3, "num_statements": 10}}},
    }
    (report,) = read("coverage.json", value).coverage
    assert report.share == pytest.approx(0.3)


def test_sarif_results_keep_their_place_and_severity() -> None:
    (report,) = read("codeql.sarif", SARIF).static
    assert (report.tool, report.own, report.results) == ("CodeQL", False, (("a.py", 7, "py/x", "HIGH"),))


def test_locust_percentiles_come_from_the_counts() -> None:
    (report,) = read("locust.json", LOCUST).load_tests
    assert (report.p95_ms, report.error_rate) == (200.0, 0.02)


def test_only_approvals_by_people_count() -> None:
    (approval,) = read("prs.json", REVIEWS).approvals
    assert (approval.author, approval.approvers) == ("ada", ("bob",))


@pytest.mark.parametrize(
    "text", [LAUGHS, "<testsuites>", "", ("<coverage><class filename='a'><line/></class></coverage>")]
)
def test_odd_xml_is_no_crash_and_proves_nothing(text: str) -> None:
    reports = read("r.xml", text)
    assert reports.tests == ()
    assert all(report.covered == 0 for report in reports.coverage)


ODD = [[], {}, [1, None], {"results": 3, "runs": []}, {"metrics": {"http_req_duration": None}}]


@pytest.mark.parametrize("value", ODD)
def test_odd_json_is_no_crash(value: Any) -> None:
    reports = read("runs.json", value)
    assert (reports.audits, reports.tests, reports.runs) == ((), (), ())
