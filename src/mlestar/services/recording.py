"""One write: findings in, the scorecard and its history brought up to date with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlestar.core.score.history import MOST_CHANGES, TREND_CHANGES, changes, state_of
from mlestar.core.score.summary import summary_of, to_json
from mlestar.core.score.views import Judgement
from mlestar.storage import findings as stored

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.evidence import Finding


def record(
    connection: Connection,
    *,
    workspace: str,
    at: float,
    cause: Mapping[str, Any],
    evaluated: Mapping[str, Iterable[Finding]] | None = None,
    terms: Mapping[str, Any] | None = None,
    measured: tuple[str, Iterable[Finding]] | None = None,
) -> tuple[Judgement, list[dict[str, Any]]]:
    """Replace findings, judge the workspace anew, write its scorecard and one line of history.

    Args:
        connection: Inside a write transaction.
        workspace: Whose findings.
        at: Seconds since 1970, UTC.
        cause: What this was: an evaluation or a run; kept in the history.
        evaluated: Dimension letter -> findings of an evaluation.
        terms: What those dimensions were judged under.
        measured: Run id and its findings.

    Returns:
        The new judgement, and every check that moved, most points first.
    """
    for dimension, found in (evaluated or {}).items():
        stored.replace_evaluated(
            connection, workspace=workspace, dimension=dimension, found=found, terms=terms or {}, at=at
        )
    if measured is not None:
        stored.replace_measured(connection, workspace=workspace, run_id=measured[0], found=measured[1])
    before = stored.scorecard_of(connection, workspace) or {}
    all_terms = stored.terms_of(connection, workspace)
    judgement = Judgement.of(stored.all_of(connection, workspace), all_terms)
    moved = changes(before.get("state", {}), judgement)
    scores = judgement.scores()
    entry = {
        "cause": dict(cause),
        "scores": scores,
        "change": round(scores["overall"] - before.get("summary", {}).get("score", {}).get("overall", 0.0), 1),
        "changes": moved[:MOST_CHANGES],
        "changes_total": len(moved),
    }
    trend = {"at": at, **entry, "changes": moved[:TREND_CHANGES]}
    summary = to_json(summary_of(judgement, all_terms, trend))
    shown = [asdict(judgement.view(finding)) for finding in judgement.ordered()]
    stored.write_scorecard(connection, workspace, {"state": state_of(judgement), "summary": summary}, shown)
    stored.append_history(connection, workspace, at=at, data=entry)
    return judgement, moved
