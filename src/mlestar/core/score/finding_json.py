"""Findings as JSON and back, exactly: between processes and in the database."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mlestar.core.evidence import Finding, Level, Outcome, Where


def to_json(finding: Finding) -> dict[str, Any]:
    """Every part of a finding; the value as an exact fraction, empty parts left out."""
    where = finding.where
    parts: dict[str, Any] = {
        "check": finding.check,
        "outcome": finding.outcome.value,
        "level": finding.level.value,
        "value": str(finding.value),
        "observed": finding.observed,
        "threshold": finding.threshold,
        "source": finding.source,
        "fix": finding.fix,
        "where": {
            key: value
            for key, value in {
                "path": where.path,
                "line": where.line,
                "column": where.column,
                "rows": list(where.rows),
                "sha256": where.sha256,
            }.items()
            if value not in ("", None, [])
        },
        "n": finding.n,
        "run_id": finding.run_id,
        "refuted": finding.refuted,
    }
    return {
        key: value for key, value in parts.items() if value is not None and value is not False and value not in ("", {})
    }


def from_json(parts: Mapping[str, Any]) -> Finding:
    """The finding that `to_json` took apart."""
    where = parts.get("where", {})
    return Finding(
        check=parts["check"],
        outcome=Outcome(parts["outcome"]),
        level=Level(parts["level"]),
        value=Fraction(parts["value"]),
        observed=parts.get("observed", ""),
        threshold=parts.get("threshold", ""),
        source=parts.get("source", ""),
        fix=parts.get("fix", ""),
        where=Where(
            path=where.get("path", ""),
            line=where.get("line"),
            column=where.get("column", ""),
            rows=tuple(where.get("rows", ())),
            sha256=where.get("sha256", ""),
        ),
        n=parts.get("n"),
        run_id=parts.get("run_id", ""),
        refuted=parts.get("refuted", False),
    )
