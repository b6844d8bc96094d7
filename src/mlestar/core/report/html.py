"""The report as one self-contained HTML page: a radar chart and every check's details; no script, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from mlestar.core.report.content import departures, judged
from mlestar.core.report.radar import radar

if TYPE_CHECKING:
    from mlestar.core.report.content import CheckText, Report
    from mlestar.core.score.views import DimensionView, FindingView

WIDTH = 400
READY = 70
OUTCOME_ORDER = ("fail", "partial", "inconclusive", "error", "unknown", "pass", "not_applicable")
STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--line:#d1d9e0;--back:#fff;--panel:#f6f8fa;--good:#1a7f37;
--bad:#cf222e;--warn:#9a6700;--accent:#0969da}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--back:#0d1117;--panel:#151b23;
--good:#3fb950;--bad:#f85149;--warn:#d29922;--accent:#4493f8}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:64rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .6rem}
.top{display:flex;flex-wrap:wrap;gap:2rem;align-items:center}
table{border-collapse:collapse}td,th{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:right}
td:first-child,th:first-child{text-align:left}
details{border:1px solid var(--line);border-radius:6px;margin:.35rem 0;background:var(--panel)}
summary{cursor:pointer;padding:.4rem .7rem}details>div{padding:.2rem .9rem .7rem}
.fail,.error{color:var(--bad)}.partial,.inconclusive{color:var(--warn)}.pass{color:var(--good)}
.unknown,.not_applicable,.soft{color:var(--soft)}.tag{font-weight:600}code{font-size:.9em;overflow-wrap:anywhere}
dl{margin:.3rem 0;display:grid;grid-template-columns:max-content 1fr;gap:.15rem .8rem}dt{color:var(--soft)}dd{margin:0}
svg text{fill:var(--ink);font-size:12px}
"""


def render_html(report: Report) -> str:
    """The page. Everything that came from a project or a request is escaped: it is data, never markup."""
    summary = report.summary
    words = summary.interpretation
    body = [
        f"<h1>Readiness of {escape(report.workspace)}: {summary.score['overall']} of 100</h1>",
        (
            f'<p class="tag {"pass" if words.production_ready else "fail"}">{escape(words.verdict)} '
            f'<span class="soft">({escape(words.overall)})</span></p>'
        ),
        *(f'<p class="soft">As of {escape(judged(entry))}.</p>' for entry in report.history[:1]),
        *(f"<p><b>Note:</b> {escape(note)}.</p>" for note in summary.notes),
        '<div class="top">',
        _radar(summary.dimensions),
        _dimension_table(summary.dimensions),
        "</div>",
        (
            f'<p class="soft">Overall: declared {summary.declared}, ceiling {summary.ceiling}, coverage '
            f"{summary.coverage}%. Solid: proven score; dashed: declared; outer line: ceiling.</p>"
        ),
        _list("Blocked by", (f"<b>{v.check}</b> {escape(v.observed)} {_place(v)}" for v in summary.blockers)),
        _list("Alerts", (escape(alert.message) for alert in summary.alerts)),
        _list(
            "Next actions",
            (
                f"<b>{escape(a.check)}</b> (+{a.gain} points) {escape(a.text)} <code>{escape(str(a.where))}</code>"
                for a in summary.next_actions
            ),
        ),
        "<h2>Checks</h2>",
        *_dimensions(report),
        _ml_test_score(report),
        _list("Departures from the rubric", map(escape, departures(summary.terms))),
        _history(report),
        f'<p class="soft">mlestar {escape(report.version)}, rubric {escape(summary.rubric_version)}</p>',
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Readiness of {escape(report.workspace)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def _radar(dimensions: Sequence[DimensionView]) -> str:
    """The ceiling's outline, the declared scores dashed, the proven ones filled; a dotted ring where ready begins."""
    drawn = radar(dimensions)
    rings = "".join(f'<polygon points="{ring}" fill="none" stroke="var(--line)"/>' for ring in drawn.rings)
    labels = "".join(
        f'<text x="{axis.label_x}" y="{axis.label_y}" text-anchor="{axis.anchor}">{escape(axis.name)}'
        f'<tspan x="{axis.label_x}" dy="{drawn.line}">{axis.score}</tspan></text>'
        for axis in drawn.axes
    )
    spoken = ", ".join(f"{d.name} {d.score} of 100" for d in dimensions)
    return (
        f'<svg width="{WIDTH}" viewBox="{drawn.view_box}" role="img" aria-label="{escape(spoken)}">{rings}'
        f'<polygon points="{drawn.ring(READY)}" fill="none" stroke="var(--good)" stroke-dasharray="2 4"/>'
        f'<polygon points="{drawn.ceiling}" fill="none" stroke="var(--soft)"/>'
        f'<polygon points="{drawn.declared}" fill="none" stroke="var(--accent)" stroke-dasharray="5 3"/>'
        f'<polygon points="{drawn.score}" fill="var(--accent)" fill-opacity=".35" stroke="var(--accent)" '
        f'stroke-width="2"/>{labels}</svg>'
    )


def _dimension_table(dimensions: Iterable[DimensionView]) -> str:
    rows = "".join(
        f"<tr><td>{escape(d.name)}</td><td><b>{d.score}</b></td><td>{d.declared}</td><td>{d.ceiling}</td>"
        f"<td>{d.coverage}%</td></tr>"
        for d in dimensions
    )
    return f"<table><tr><th>Dimension<th>Score<th>Declared<th>Ceiling<th>Coverage</tr>{rows}</table>"


def _dimensions(report: Report) -> Iterable[str]:
    ordered = sorted(report.findings, key=lambda view: "STARX".index(view.check[0]))
    by_letter = {letter: list(views) for letter, views in groupby(ordered, key=lambda view: view.check[0])}
    for dimension in report.summary.dimensions:
        views = by_letter.get(dimension.id, [])
        counts = [
            f'<span class="{outcome}">{n} {outcome.replace("_", " ")}</span>'
            for outcome in OUTCOME_ORDER
            if (n := sum(view.outcome == outcome for view in views))
        ]
        inner = "".join(_check(view, report.checks[view.check]) for view in views)
        yield (
            f"<details><summary><b>{escape(dimension.name)}</b> {dimension.score} &middot; {', '.join(counts)}"
            f"</summary><div>{inner}</div></details>"
        )


def _check(view: FindingView, text: CheckText) -> str:
    rows = {
        "Observed": escape(view.observed),
        "Where": _place(view),
        "Evidence": escape(view.level) + (", refutes a weaker claim" if view.refuted else ""),
        "Threshold": escape(text.threshold),
        "Fix": escape(view.fix),
        "Why": escape(text.why),
        "How": escape(text.how),
        "Source": escape(text.source),
        "Limits": escape(text.limits),
    }
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items() if value)
    gain = f' <span class="soft">+{view.gain} points</span>' if view.gain else ""
    critical = " (critical)" if view.critical else ""
    return (
        f'<details><summary><code>{view.check}</code> <span class="tag {view.outcome}">{view.outcome}</span> '
        f"{escape(view.title)}{critical}{gain}</summary><div><dl>{items}</dl></div></details>"
    )


def _place(view: FindingView) -> str:
    return f"<code>{escape(str(view.where))}</code>" if str(view.where) else ""


def _list(title: str, items: Iterable[str]) -> str:
    shown = "".join(f"<li>{item}</li>" for item in items)
    return f"<h2>{title}</h2><ul>{shown}</ul>" if shown else ""


def _ml_test_score(report: Report) -> str:
    score = report.ml_test_score
    rows = "".join(
        f"<tr><td>{escape(test.name)}</td><td>{test.points:g}</td>"
        f"<td>{', '.join(test.checks) or 'not judged'}</td></tr>"
        for tests in score.tests.values()
        for test in tests
    )
    sections = ", ".join(f"{name} {points:g}" for name, points in score.sections.items())
    return (
        f"<h2>ML Test Score {score.score:g}</h2><p>{escape(score.sentence)} Minimum of {sections}.</p>"
        f"<details><summary>The 28 tests</summary><div><table>{rows}</table></div></details>"
    )


def _history(report: Report) -> str:
    return _list(
        "History",
        (
            f"{entry['scores']['overall']} ({entry['change']:+g}), {escape(judged(entry))} "
            + ", ".join(
                f"{escape(c['check'])}: {escape(c['before'])} &rarr; {escape(c['after'])}" for c in entry["changes"][:3]
            )
            for entry in report.history[:10]
        ),
    )
