"""What the judge has found so far, in several views; and what the rubric says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from mlestar import __version__
from mlestar.checks import catalogue
from mlestar.core.report.content import CheckText, Report
from mlestar.core.report.html import render_html
from mlestar.core.report.markdown import render_markdown
from mlestar.core.report.sarif import render_sarif
from mlestar.core.score import rubric as table
from mlestar.core.score.alerting import GUIDE
from mlestar.core.score.limits import LIMITS
from mlestar.core.score.ml_test_score import ml_test_score
from mlestar.core.score.scoring import resolve
from mlestar.core.score.summary import ScoreSummary, finding_view, from_json, summary_of
from mlestar.core.score.views import FindingView, Judgement
from mlestar.errors import InvalidInput, NotFound
from mlestar.services.memory.arguments import checked_workspace
from mlestar.storage import findings as stored
from mlestar.storage.alerts import alerts_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.evidence import Finding
    from mlestar.core.score.alerting import Thresholds
    from mlestar.storage.database import Database

VIEWS = ("summary", "findings", "history", "ml_test_score", "sarif", "markdown", "html")
HISTORY_ENTRIES = 50


@dataclass(frozen=True, kw_only=True)
class Score(ScoreSummary):
    """The summary of a workspace, and what the view asked for beside it.

    Attributes:
        findings: View `findings`: one a check, most important first.
        history: View `history`: newest first, each with what changed since the one before and why.
        extra: `ml_test_score` (the 28 tests of Breck et al. 2017), `sarif` (a SARIF 2.1.0 log) or `text` (the whole
            report, of the views markdown and html).
    """

    workspace: str
    view: str
    findings: tuple[FindingView, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Everything there is to say about a check.

    `in_batch` has the same texts (claim, why, how, threshold, source, fix, limits) of the question that a batch job is
    asked in its place; empty where the question is the same.
    """

    check: str
    title: str
    dimension: str
    criterion: str
    weight: int
    critical: bool
    best_level: str
    measured_by_run: bool
    needs: tuple[str, ...]
    limits: Mapping[str, float]
    claim: str
    why: str
    how: str
    threshold: str
    source: str
    fix: str
    limitations: str
    rubric_version: str
    in_batch: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FindingPage:
    """Some of the findings behind a score, in the order written, of `total`."""

    findings: tuple[Finding, ...]
    total: int


@dataclass(frozen=True, kw_only=True)
class RubricView:
    """The whole rubric: dimensions with their criteria with their checks."""

    version: str
    dimensions: tuple[Mapping[str, Any], ...]


class ScoresService:
    """Reads what evaluations and runs wrote."""

    def __init__(self, database: Database, thresholds: Thresholds = GUIDE) -> None:
        """Keep the database; nothing is opened. `thresholds` are those of the alerts."""
        self._database = database
        self._thresholds = thresholds

    async def score(self, *, workspace: str = "default", view: str = "summary") -> Score:
        """The scorecard, with the findings, history or report that `view` asks for.

        Raises:
            InvalidInput: There is no such view.
        """
        if view not in VIEWS:
            close = get_close_matches(str(view), VIEWS, n=1)
            raise InvalidInput(
                f"there is no view {view!r}", valid=VIEWS, do=f"did you mean {close[0]}?" if close else "name one"
            )
        name = checked_workspace(workspace)
        return await self._database.reading(lambda connection: _read(connection, name, view, self._thresholds))

    async def evidence(
        self, *, workspace: str = "default", within: str = "", outcome: str = "", offset: int = 0, limit: int = 50
    ) -> FindingPage:
        """Every finding that was kept, also those that a stronger one of the same check overrules, page by page.

        Args:
            workspace: Whose findings.
            within: A dimension's letter, a criterion (`T1`) or a check (`T1.3`); empty for all.
            outcome: Only this one; empty for all.
            offset: Findings to pass over.
            limit: Findings to answer with, at most.
        """
        findings, total = await self._database.reading(
            lambda connection: stored.page_of(
                connection, workspace, within=within, outcome=outcome, offset=offset, limit=limit
            )
        )
        return FindingPage(findings=tuple(findings), total=total)

    async def explain(self, *, check_id: str) -> Explanation:
        """What a check claims, why, how it decides, its threshold, source, fix and limits.

        Raises:
            NotFound: There is no such check.
        """
        wanted = check_id.strip().upper()
        spec = table.CHECKS.get(wanted)
        if spec is None:
            close = get_close_matches(wanted, table.CHECKS, n=3)
            raise NotFound(f"there is no check {check_id!r}", valid=close or list(table.CHECKS), do="name one of these")
        entry = catalogue.load().get(wanted)
        doc = entry.doc if entry else catalogue.NO_DOC
        other = catalogue.load("batch").get(wanted)
        return Explanation(
            check=spec.id,
            title=spec.title,
            dimension=next(d.name for d in table.DIMENSIONS if d.id == spec.dimension),
            criterion=table.criterion_of(spec.criterion).name,
            weight=spec.weight,
            critical=spec.critical,
            best_level=spec.best.value,
            measured_by_run=spec.by_run,
            needs=spec.needs,
            limits=LIMITS.get(wanted, {}),
            claim=doc.claim,
            why=doc.why,
            how=doc.how,
            threshold=doc.threshold,
            source=doc.source,
            fix=doc.fix,
            limitations=doc.limits,
            rubric_version=table.RUBRIC_VERSION,
            in_batch=vars(other.doc) if other is not None and other is not entry else {},
        )

    async def rubric(self) -> RubricView:
        """Every dimension, criterion and check with its weight and thresholds."""
        return RubricView(
            version=table.RUBRIC_VERSION,
            dimensions=tuple(
                {
                    "id": dimension.id,
                    "key": dimension.key,
                    "name": dimension.name,
                    "criteria": [
                        {"id": c.id, "name": c.name, "checks": [_check(spec) for spec in table.checks_of(c.id)]}
                        for c in table.CRITERIA
                        if c.dimension == dimension.id
                    ],
                }
                for dimension in table.DIMENSIONS
            ),
        )


def _check(spec: table.CheckSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": spec.title,
        "weight": spec.weight,
        "critical": spec.critical,
        "best": spec.best.value,
        "measured_by_run": spec.by_run,
        "limits": dict(LIMITS.get(spec.id, {})),
    }


def _read(connection: Connection, workspace: str, view: str, thresholds: Thresholds) -> Score:
    kept = stored.scorecard_of(connection, workspace)
    summary = from_json(kept["summary"]) if kept else _unjudged()
    summary = replace(summary, alerts=alerts_of(connection, workspace, summary, thresholds))
    score = _score(workspace, view, summary)
    if view == "summary":
        return score
    if view == "history":
        return replace(score, history=tuple(stored.history_of(connection, workspace, limit=HISTORY_ENTRIES)))
    views = tuple(map(finding_view, stored.deciding_of(connection, workspace)))
    if view == "findings":
        return replace(score, findings=views)
    tests = ml_test_score(resolve(stored.all_of(connection, workspace)))
    if view == "ml_test_score":
        return replace(score, extra={"ml_test_score": tests})
    report = Report(
        workspace=workspace,
        summary=summary,
        findings=views,
        ml_test_score=tests,
        history=stored.history_of(connection, workspace, limit=HISTORY_ENTRIES),
        checks=check_texts(_serving(summary.terms)),
        version=__version__,
    )
    if view == "sarif":
        return replace(score, extra={"sarif": render_sarif(report)})
    return replace(score, extra={"text": render_markdown(report) if view == "markdown" else render_html(report)})


@cache
def _unjudged() -> ScoreSummary:
    """The card of a workspace that nothing was evaluated in: judging the whole rubric takes milliseconds."""
    return summary_of(Judgement.of([], {}), {})


def _serving(terms: Mapping[str, Mapping[str, Any]]) -> str:
    """How the project is served, as the evaluation of reliability found it."""
    return str(terms.get("R", {}).get("profile", {}).get("serving", ""))


def check_texts(serving: str = "") -> dict[str, CheckText]:
    """Check id -> what the catalogue and the rubric's table say of it, as the profile asks it."""
    known = catalogue.load(serving)
    return {
        check: CheckText(
            title=spec.title,
            critical=spec.critical,
            weight=spec.weight,
            **vars(known[check].doc if check in known else catalogue.NO_DOC),
        )
        for check, spec in table.CHECKS.items()
    }


def _score(workspace: str, view: str, summary: ScoreSummary) -> Score:
    return Score(workspace=workspace, view=view, **vars(summary))
