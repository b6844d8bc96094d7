"""The findings as SARIF 2.1.0, for code scanning and editors.

GitHub's code scanning takes a log only if each result has a file and a line, and raises an alert for each result of
whatever kind: so each has a place, and what passed is not among them.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlestar.core.score.rubric import CHECKS

if TYPE_CHECKING:
    from mlestar.core.report.content import CheckText, Report
    from mlestar.core.score.views import FindingView

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"fail": "error", "partial": "warning", "error": "note", "inconclusive": "note"}
KINDS = {"fail": "fail", "partial": "fail", "error": "review", "inconclusive": "review"}
SEVERITY = {3: "7.5", 2: "5.0", 1: "2.5"}
HOME = "README.md"
"""Where a finding without a place of its own is shown, unless its check has a usual file."""
CRITICAL_SEVERITY = "9.5"
"""OpenSSF Scorecard's risk weights: critical 10, high 7.5, medium 5, low 2.5; code scanning calls 9.0 up critical."""
WORD = re.compile(r"[A-Za-z]+")


def render_sarif(report: Report) -> dict[str, Any]:
    """One run with a rule for each check that is reported; what passed, is unknown or does not apply is left out."""
    shown = [view for view in report.findings if view.outcome in KINDS]
    rules = list(dict.fromkeys(view.check for view in shown))
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mlestar",
                        "semanticVersion": report.version,
                        "rules": [_rule(check, report.checks[check]) for check in rules],
                        "properties": {"rubricVersion": report.summary.rubric_version},
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(view, rules.index(view.check)) for view in shown],
                "properties": {
                    "score": dict(report.summary.score),
                    "declared": report.summary.declared,
                    "ceiling": report.summary.ceiling,
                    "coverage": report.summary.coverage,
                    "productionReady": report.summary.interpretation.production_ready,
                    "notes": list(report.summary.notes),
                },
            }
        ],
    }


def _rule(check: str, text: CheckText) -> dict[str, Any]:
    help_text = "\n\n".join(
        f"**{label}**: {part}"
        for label, part in (
            ("Why", text.why),
            ("How", text.how),
            ("Threshold", text.threshold),
            ("Source", text.source),
            ("Fix", text.fix),
            ("Limits", text.limits),
        )
        if part
    )
    return {
        "id": check,
        "name": "".join(word.capitalize() for word in WORD.findall(text.title)),
        "shortDescription": {"text": text.title},
        "fullDescription": {"text": text.claim or text.title},
        "help": {"text": help_text.replace("**", "") or text.title, "markdown": help_text or text.title},
        "defaultConfiguration": {"level": "error" if text.critical else "warning"},
        "properties": {
            "tags": ["ml-readiness", check[0], check.partition(".")[0]],
            "security-severity": CRITICAL_SEVERITY if text.critical else SEVERITY[min(3, text.weight)],
            "precision": "high",
        },
    }


def _result(view: FindingView, rule: int) -> dict[str, Any]:
    message = f"{view.title}: {view.observed}" + (f" Fix: {view.fix}" if view.fix else "")
    where = view.where
    found_there = bool(where.path) and "://" not in where.path
    path = where.path if found_there else CHECKS[view.check].home or HOME
    line = where.line if found_there and where.line is not None and where.line > 0 else 1
    return {
        "ruleId": view.check,
        "ruleIndex": rule,
        "kind": KINDS[view.outcome],
        "level": LEVELS[view.outcome] if KINDS[view.outcome] == "fail" else "none",
        "message": {"text": message},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": quote(path)}, "region": {"startLine": line}}}],
        "partialFingerprints": {"mlestar/v1": _fingerprint(view)},
        "properties": {
            "outcome": view.outcome,
            "evidence": view.level,
            "gain": view.gain,
            "critical": view.critical,
            "refuted": view.refuted,
        },
    }


def _fingerprint(view: FindingView) -> str:
    """The same finding keeps its fingerprint when lines above it move: check, file and column, not the line."""
    return hashlib.sha256(f"{view.check}\0{view.where.path}\0{view.where.column}".encode()).hexdigest()[:32]
