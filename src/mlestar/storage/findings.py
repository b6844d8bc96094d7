"""Findings, scorecards and their history in the database; each function runs inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select

from mlestar.core.score.finding_json import from_json, to_json
from mlestar.core.score.rubric import CHECKS
from mlestar.storage.tables_findings import findings, judged, score_history, scorecards

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.evidence import Finding


def replace_evaluated(
    connection: Connection,
    *,
    workspace: str,
    dimension: str,
    found: Iterable[Finding],
    terms: Mapping[str, Any],
    at: float,
) -> None:
    """Put an evaluation's findings of one dimension (its letter) in the place of its earlier ones."""
    connection.execute(
        delete(findings).where(
            findings.c.workspace == workspace, findings.c.run_id == "", findings.c.dimension == dimension
        )
    )
    _insert(connection, workspace, [finding for finding in found if finding.check.startswith(dimension)], "")
    connection.execute(delete(judged).where(judged.c.workspace == workspace, judged.c.dimension == dimension))
    connection.execute(
        insert(judged).values(workspace=workspace, dimension=dimension, at=at, terms=json.dumps(terms, sort_keys=True))
    )


def replace_measured(connection: Connection, *, workspace: str, run_id: str, found: Iterable[Finding]) -> None:
    """Put a run's measured findings in the place of those of any earlier run."""
    connection.execute(delete(findings).where(findings.c.workspace == workspace, findings.c.run_id != ""))
    _insert(connection, workspace, found, run_id)


def _insert(connection: Connection, workspace: str, found: Iterable[Finding], run_id: str) -> None:
    rows = [
        {
            "workspace": workspace,
            "dimension": CHECKS[finding.check].dimension,
            "run_id": run_id,
            "check_id": finding.check,
            "data": json.dumps(to_json(finding), sort_keys=True, ensure_ascii=False),
        }
        for finding in found
    ]
    if rows:
        connection.execute(insert(findings), rows)


def all_of(connection: Connection, workspace: str) -> list[Finding]:
    """Every finding of a workspace, evaluated and measured, in the order written."""
    query = select(findings.c.data).where(findings.c.workspace == workspace).order_by(findings.c.id)
    return [from_json(json.loads(data)) for (data,) in connection.execute(query)]


def page_of(
    connection: Connection, workspace: str, *, within: str, outcome: str, offset: int, limit: int
) -> tuple[list[Finding], int]:
    """Some findings in the order written, and how many there are.

    Args:
        connection: Of a transaction.
        workspace: Whose findings.
        within: A dimension's letter, a criterion (`T1`) or a check (`T1.3`); empty for all.
        outcome: Only this one; empty for all.
        offset: Findings to pass over.
        limit: Findings to answer with, at most.
    """
    table = findings.c
    where = [table.workspace == workspace]
    if within:
        where.append(table.check_id == within if "." in within else table.check_id.startswith(_prefix(within)))
    if outcome:  # quotes within a value are escaped, so this stands nowhere but in the finding's own outcome
        where.append(table.data.contains(f'"outcome": "{outcome}"', autoescape=True))
    total = connection.execute(select(func.count()).select_from(findings).where(*where)).scalar_one()
    query = select(table.data).where(*where).order_by(table.id).offset(offset).limit(limit)
    return [from_json(json.loads(data)) for (data,) in connection.execute(query)], total


def _prefix(within: str) -> str:
    return within if len(within) == 1 else f"{within}."


def terms_of(connection: Connection, workspace: str) -> dict[str, dict[str, Any]]:
    """Dimension letter -> what it was last judged under."""
    query = select(judged.c.dimension, judged.c.terms).where(judged.c.workspace == workspace)
    return {dimension: json.loads(terms) for dimension, terms in connection.execute(query)}


def write_scorecard(
    connection: Connection, workspace: str, data: Mapping[str, Any], deciding: Sequence[Mapping[str, Any]]
) -> None:
    """Keep the summary that `scorecard_of` answers with, and the findings that `deciding_of` does."""
    connection.execute(delete(scorecards).where(scorecards.c.workspace == workspace))
    texts = {"data": json.dumps(data, ensure_ascii=False), "findings": json.dumps(deciding, ensure_ascii=False)}
    connection.execute(insert(scorecards).values(workspace=workspace, **texts))


def deciding_of(connection: Connection, workspace: str) -> list[dict[str, Any]]:
    """The finding that decides each check, as shown, most important first; none when nothing was ever found."""
    query = select(scorecards.c.findings).where(scorecards.c.workspace == workspace)
    data = connection.execute(query).scalar_one_or_none()
    return [] if data is None else json.loads(data)


_SCORECARD = select(scorecards.c.data).where(scorecards.c.workspace == bindparam("workspace"))


def scorecard_of(connection: Connection, workspace: str) -> dict[str, Any] | None:
    """The summary of a workspace; None when nothing was ever found in it."""
    data = connection.execute(_SCORECARD, {"workspace": workspace}).scalar_one_or_none()
    return None if data is None else json.loads(data)


def append_history(connection: Connection, workspace: str, *, at: float, data: Mapping[str, Any]) -> None:
    """Add one line to the history of a workspace's score."""
    connection.execute(
        insert(score_history).values(workspace=workspace, at=at, data=json.dumps(data, ensure_ascii=False))
    )


def history_of(connection: Connection, workspace: str, *, limit: int) -> list[dict[str, Any]]:
    """The newest entries of the history, newest first."""
    query = (
        select(score_history.c.at, score_history.c.data)
        .where(score_history.c.workspace == workspace)
        .order_by(score_history.c.id.desc())
        .limit(limit)
    )
    return [{"at": at, **json.loads(data)} for at, data in connection.execute(query)]
