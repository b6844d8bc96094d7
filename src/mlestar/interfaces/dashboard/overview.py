"""The scorecard, the findings behind it, and what one check means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlestar.core.evidence import Outcome
from mlestar.core.report.content import cause
from mlestar.core.report.radar import radar
from mlestar.core.score.rubric import CRITERIA, DIMENSIONS
from mlestar.interfaces.dashboard import charts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from mlestar.interfaces.dashboard.page import Page

PER_PAGE = 50
OUTCOMES = tuple(outcome.value for outcome in Outcome)
DECIDING, ALL = "deciding", "all"


async def overview(page: Page) -> Response:
    """Five dimensions and overall, what they rest on, what is wrong, what to do next, how it went."""
    score = await page.services.scores.score(workspace=page.workspace, view="history")
    values = [(entry["scores"]["overall"], cause(entry)) for entry in reversed(score.history)]
    return page.show(
        "overview.html",
        score=score,
        radar=radar(score.dimensions),
        trend=charts.trend(values),
        moved=charts.moved([value for value, _ in values]),
        causes=[cause(entry) for entry in score.history],
    )


async def findings(page: Page) -> Response:
    """The 25 criteria, and the findings: one a check, or all the evidence that was kept."""
    dimension = page.one_of("dimension", tuple(d.key for d in DIMENSIONS))
    criterion = page.one_of("criterion", tuple(c.id for c in CRITERIA))
    outcome = page.one_of("outcome", OUTCOMES)
    shown = page.one_of("show", (DECIDING, ALL)) or DECIDING
    offset = page.number("offset")
    within = criterion or next((d.id for d in DIMENSIONS if d.key == dimension), "")
    score, found, total = await _found(page, within=within, outcome=outcome, every=shown == ALL, offset=offset)
    return page.show(
        "findings.html",
        score=score,
        found=found,
        total=total,
        offset=offset,
        per_page=PER_PAGE,
        outcomes=OUTCOMES,
        asked={"dimension": dimension, "criterion": criterion, "outcome": outcome, "show": shown},
    )


async def check(page: Page) -> Response:
    """What a check claims, why, how it decides; and all the evidence that was kept for it."""
    explained = await page.services.scores.explain(check_id=page.request.path_params["check_id"])
    offset = page.number("offset")
    kept = await page.services.scores.evidence(
        workspace=page.workspace, within=explained.check, offset=offset, limit=PER_PAGE
    )
    return page.show(
        "check.html", check=explained, found=kept.findings, total=kept.total, offset=offset, per_page=PER_PAGE
    )


async def _found(page: Page, *, within: str, outcome: str, every: bool, offset: int) -> tuple[Any, Sequence[Any], int]:
    scores = page.services.scores
    if every:
        kept = await scores.evidence(
            workspace=page.workspace, within=within, outcome=outcome, offset=offset, limit=PER_PAGE
        )
        return await scores.score(workspace=page.workspace), kept.findings, kept.total
    score = await scores.score(workspace=page.workspace, view="findings")
    prefix = within if len(within) < 2 else f"{within}."  # noqa: PLR2004 - a criterion's id has two characters
    chosen = [
        finding
        for finding in score.findings
        if finding.check.startswith(prefix) and outcome in {"", finding.outcome}
    ]  # fmt: skip
    return score, chosen[offset : offset + PER_PAGE], len(chosen)
