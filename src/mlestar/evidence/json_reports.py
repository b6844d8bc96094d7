"""Recognises JSON reports by their shape: coverage, SARIF, bandit, pip-audit, OSV, k6, locust, review exports."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mlestar.core.facts.reports import (
    Approval,
    AuditReport,
    CoverageReport,
    LoadTest,
    StaticReport,
    Vulnerability,
)


def coverage_json(path: str, value: Any) -> CoverageReport | None:
    """coverage.py's `coverage json`: recounted from its files, whatever its totals say."""
    files = _dict(_dict(value).get("files"))
    if "totals" not in _dict(value) or "meta" not in _dict(value):
        return None
    counted = {name: _summary(part) for name, part in files.items()}
    covered = sum(hit for hit, _ in counted.values())
    return CoverageReport(path=path, covered=covered, lines=sum(lines for _, lines in counted.values()), files=counted)


def static_report(path: str, value: Any) -> StaticReport | None:
    """SARIF 2.1.0 or bandit's JSON."""
    document = _dict(value)
    if isinstance(document.get("runs"), list) and "version" in document:
        results: list[tuple[str, int, str, str]] = []
        tools: set[str] = set()
        for run in _list(document["runs"]):
            tools.add(str(_dict(_dict(_dict(run).get("tool")).get("driver")).get("name", "")))
            results += [_sarif_result(_dict(result)) for result in _list(_dict(run).get("results"))]
        return StaticReport(path=path, tool=", ".join(sorted(tools)), results=tuple(results))
    if isinstance(document.get("results"), list) and "generated_at" in document and "metrics" in document:
        found = [_dict(result) for result in document["results"]]
        return StaticReport(
            path=path,
            tool="bandit",
            results=tuple(
                (
                    str(result.get("filename", "")),
                    _int(result.get("line_number")),
                    str(result.get("test_id", "")),
                    str(result.get("issue_severity", "")).upper(),
                )
                for result in found
            ),
        )
    return None


def audit_report(path: str, value: Any) -> AuditReport | None:
    """pip-audit's JSON (both shapes) or osv-scanner's."""
    document = _dict(value)
    entries = _list(document.get("dependencies")) or (_list(value) if _looks_like_pip_audit(value) else [])
    if entries and all("name" in _dict(entry) for entry in entries) and _looks_like_pip_audit(entries):
        return AuditReport(
            path=path,
            dependencies=len(entries),
            names=tuple(str(_dict(entry)["name"]) for entry in entries),
            skipped=tuple(
                (str(_dict(entry)["name"]), str(_dict(entry)["skip_reason"]))
                for entry in entries
                if _dict(entry).get("skip_reason")
            ),
            vulnerabilities=tuple(
                Vulnerability(
                    package=str(_dict(entry)["name"]),
                    version=str(_dict(entry).get("version", "")),
                    id=str(_dict(weakness).get("id", "")),
                    fixed_in=tuple(map(str, _list(_dict(weakness).get("fix_versions")))),
                )
                for entry in entries
                for weakness in _list(_dict(entry).get("vulns"))
            ),
        )
    return _osv(path, document)


def load_test(path: str, value: Any) -> LoadTest | None:
    """k6's summary export or locust's JSON statistics."""
    if isinstance(value, list) and value and "response_times" in _dict(value[0]):
        totals = [_dict(entry) for entry in value]
        requests = sum(_number(entry.get("num_requests")) or 0 for entry in totals)
        failures = sum(_number(entry.get("num_failures")) or 0 for entry in totals)
        return LoadTest(
            path=path, tool="locust", p95_ms=_locust_p95(totals), error_rate=failures / requests if requests else None
        )
    metrics = _dict(_dict(value).get("metrics"))
    if "http_req_duration" not in metrics:
        return None

    def read(metric: str, *keys: str) -> float | None:
        values = {**_dict(metrics.get(metric)), **_dict(_dict(metrics.get(metric)).get("values"))}
        return next((number for key in keys if (number := _number(values.get(key))) is not None), None)

    return LoadTest(
        path=path,
        tool="k6",
        p95_ms=read("http_req_duration", "p(95)"),
        error_rate=read("http_req_failed", "rate", "value"),
        rps=read("http_reqs", "rate"),
    )


def approvals(path: str, value: Any) -> Iterator[Approval]:
    """A pull-request export (`gh pr list --json author,reviews,mergeCommit`): human approvals only."""
    for entry in map(_dict, _list(value)):
        if "reviews" not in entry or "author" not in entry:
            continue
        author = str(_dict(entry["author"]).get("login", entry["author"]))
        approvers = tuple(
            str(_dict(review.get("author")).get("login", ""))
            for review in map(_dict, _list(entry["reviews"]))
            if review.get("state") == "APPROVED" and not _dict(review.get("author")).get("is_bot")
        )
        commit = str(_dict(entry.get("mergeCommit")).get("oid", ""))
        yield Approval(path=path, commit=commit, author=author, approvers=approvers)


def _osv(path: str, document: dict[str, Any]) -> AuditReport | None:
    packages = [
        _dict(package)
        for result in map(_dict, _list(document.get("results")))
        for package in _list(result.get("packages"))
    ]
    if not packages:
        return None
    return AuditReport(
        path=path,
        dependencies=len(packages),
        vulnerabilities=tuple(
            Vulnerability(
                package=str(_dict(package.get("package")).get("name", "")),
                version=str(_dict(package.get("package")).get("version", "")),
                id=str(_dict(weakness).get("id", "")),
                fixed_in=_osv_fixes(_dict(weakness)),
            )
            for package in packages
            for weakness in _list(package.get("vulnerabilities"))
        ),
    )


def _osv_fixes(weakness: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(event["fixed"])
        for affected in map(_dict, _list(weakness.get("affected")))
        for span in map(_dict, _list(affected.get("ranges")))
        for event in map(_dict, _list(span.get("events")))
        if "fixed" in event
    )


def _sarif_result(result: dict[str, Any]) -> tuple[str, int, str, str]:
    place = _dict(next(iter(_list(result.get("locations"))), {})).get("physicalLocation")
    uri = str(_dict(_dict(place).get("artifactLocation")).get("uri", ""))
    line = _int(_dict(_dict(place).get("region")).get("startLine"))
    severity = {"error": "HIGH", "warning": "MEDIUM"}.get(str(result.get("level", "warning")), "LOW")
    return uri, line, str(result.get("ruleId", "")), severity


def _looks_like_pip_audit(value: Any) -> bool:
    return isinstance(value, list) and any("vulns" in _dict(entry) or "skip_reason" in _dict(entry) for entry in value)


def _locust_p95(entries: list[dict[str, Any]]) -> float | None:
    counts: dict[float, int] = {}
    for entry in entries:
        for time, count in _dict(entry.get("response_times")).items():
            milliseconds = _number(time)
            if milliseconds is not None:
                counts[milliseconds] = counts.get(milliseconds, 0) + _int(count)
    left = 0.95 * sum(counts.values())
    for milliseconds in sorted(counts):
        left -= counts[milliseconds]
        if left <= 0:
            return milliseconds
    return None


def _summary(part: Any) -> tuple[int, int]:
    summary = _dict(_dict(part).get("summary"))
    return _int(summary.get("covered_lines")), _int(summary.get("num_statements"))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _int(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _number(value: Any) -> float | None:
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is not None and math.isfinite(number) else None
