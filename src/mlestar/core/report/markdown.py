"""The report as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlestar.core.report.content import departures, judged

if TYPE_CHECKING:
    from mlestar.core.report.content import Report
    from mlestar.core.score.views import FindingView

UNKNOWN_SHOWN = 15


def render_markdown(report: Report) -> str:
    """Scorecard, blockers, next actions, findings, ML Test Score, terms: headings and tables."""
    summary = report.summary
    words = summary.interpretation
    lines = [
        f"# Readiness of `{report.workspace}`: {summary.score['overall']} of 100",
        "",
        (
            f"**{words.verdict}** ({words.overall}). Declared {summary.declared}, ceiling {summary.ceiling}, "
            f"coverage {summary.coverage}%. Rubric {summary.rubric_version}."
        ),
        *(line for entry in report.history[:1] for line in ("", f"As of {_inline(judged(entry))}.")),
        *(line for note in summary.notes for line in ("", f"Note: {_inline(note)}.")),
        "",
        "| dimension | score | declared | ceiling | coverage |",
        "|---|---:|---:|---:|---:|",
        *(f"| {d.name} | {d.score} | {d.declared} | {d.ceiling} | {d.coverage}% |" for d in summary.dimensions),
    ]
    if summary.blockers:
        lines += ["", "## Blocked by", "", *(_finding(view) for view in summary.blockers)]
    lines += ["", "## Next actions", ""]
    lines += [
        f"{number}. **{action.check}** (+{action.gain} points){_at(str(action.where))}: {_inline(action.text)}"
        for number, action in enumerate(summary.next_actions, 1)
    ]
    known = [view for view in report.findings if view.outcome not in {"unknown", "pass", "not_applicable"}]
    passed = [view for view in report.findings if view.outcome == "pass"]
    unknown = [view for view in report.findings if view.outcome == "unknown"]
    lines += ["", "## Findings", "", *(_finding(view) for view in known)] if known else []
    lines += ["", "## Passed", "", *(_finding(view) for view in passed)] if passed else []
    if unknown:
        lines += ["", f"## Unknown ({len(unknown)})", ""]
        lines += [f"- {view.check} {view.title} (+{view.gain})" for view in unknown[:UNKNOWN_SHOWN]]
        lines += [f"- and {len(unknown) - UNKNOWN_SHOWN} more"] * (len(unknown) > UNKNOWN_SHOWN)
    mts = report.ml_test_score
    sections = ", ".join(f"{name} {points:g}" for name, points in mts.sections.items())
    lines += ["", "## ML Test Score", "", f"{mts.score:g} (minimum of {sections}). {mts.sentence}"]
    changed = departures(summary.terms)
    lines += ["", "## Departures from the rubric", "", *(f"- {_inline(line)}" for line in changed)] if changed else []
    if report.history:
        lines += ["", "## History", ""]
        lines += [
            f"- {entry['scores']['overall']} ({entry['change']:+g}), {_inline(judged(entry))}: {_moves(entry)}"
            for entry in report.history[:5]
        ]
    return "\n".join(lines) + "\n"


def _moves(entry: object) -> str:
    changes = entry["changes"] if isinstance(entry, dict) else []
    return ", ".join(f"{c['check']} {c['before']} -> {c['after']}" for c in changes[:3]) or "nothing moved"


def _finding(view: FindingView) -> str:
    refuted = ", refutes a claim" if view.refuted else ""
    fix = f" Fix: {_inline(view.fix)}" if view.fix else ""
    gain = f" (+{view.gain} points)" if view.gain else ""
    return (
        f"- **{view.check}** {view.outcome} ({view.level}{refuted}){_at(str(view.where))}: "
        f"{_inline(view.observed)}.{fix}{gain}"
    )


def _at(where: str) -> str:
    return f" at `{where.replace('`', '')}`" if where else ""


def _inline(text: str) -> str:
    """Foreign text on one line, its markup shown rather than obeyed."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
