"""What the judge makes of statements alone: little, but told apart."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.errors import InputTooLarge, InvalidInput
from support.judging import services_over
from support.payloads import GUIDE

if TYPE_CHECKING:
    from mlestar.app import Services
    from mlestar.services.evaluation import Evaluation

DIMENSIONS = ("scoping", "training", "analysis", "reliability", "excellence")


@pytest.fixture
async def services(tmp_path: Path, database_url: str) -> AsyncIterator[Services]:
    root = tmp_path / "root"
    root.mkdir()
    services = services_over(tmp_path / "data", root, database_url=database_url)
    yield services
    services.close()


async def judged(services: Services, dimension: str, evidence: object) -> Evaluation:
    return await services.evaluation.evaluate(dimension=dimension, evidence=evidence)


async def test_the_guides_five_objects_score_as_published(services: Services) -> None:
    result = await judged(services, "all", GUIDE)
    assert result.scores == {
        "scoping": 2.1,
        "training": 0.5,
        "analysis": 1.6,
        "reliability": 1.8,
        "excellence": 2.5,
        "overall": 1.7,
    }
    assert (result.score, result.declared, result.coverage) == (1.7, 6.9, 0.0)
    points = {criterion.id: criterion.score for criterion in result.criteria if criterion.score}
    assert points == {
        "S1": 1.6, "S2": 4.7, "S3": 1.5, "S5": 2.5, "T3": 0.6, "T4": 2.0, "A1": 6.2, "A2": 1.7,
        "R1": 1.8, "R2": 7.2, "X1": 1.0, "X3": 1.0, "X5": 10.7,
    }  # fmt: skip
    assert [alert.kind for alert in result.alerts] == ["overall", *["dimension"] * 5]
    assert result.interpretation is not None
    assert (result.interpretation.overall, result.interpretation.production_ready) == ("Poor", False)


@pytest.mark.parametrize("dimension", DIMENSIONS)
async def test_an_empty_object_scores_nothing(services: Services, dimension: str) -> None:
    result = await judged(services, dimension, {})
    assert (result.score, result.declared, result.ceiling) == (0.0, 0.0, 100.0)
    assert {finding.outcome for finding in result.findings} == {"unknown"}


@pytest.mark.parametrize(("dimension", "key"), list(zip(DIMENSIONS, GUIDE, strict=True)))
async def test_an_object_counts_the_same_bare_and_under_its_key(services: Services, dimension: str, key: str) -> None:
    bare = await judged(services, dimension, GUIDE[key])
    keyed = await judged(services, dimension, {key: GUIDE[key]})
    assert (bare.score, bare.findings) == (keyed.score, keyed.findings)


async def test_a_claims_only_answer_says_what_it_read_what_it_lacks_and_what_to_do(services: Services) -> None:
    result = await judged(services, "scoping", GUIDE["projectDetails"])
    success = next(finding for finding in result.findings if finding.check == "S2.1")
    assert "missing: baseline, how measured" in success.observed
    assert "1,772 users per arm" in success.observed
    assert result.statements["unused"] == {"scoping": ["name"]}
    assert len(result.next_actions) == 3
    assert all(action.gain > 0 for action in result.next_actions)
    assert "`project`" in result.next_actions[0].text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"f1": 0.95}, "F1 within"),
        ({"accuracy": 0.7}, "share of positives"),
        ({"recall": 1.7, "precision": 1.2}, "outside"),
        ({"auc": 0.3}, "below chance"),
    ],
)
async def test_numbers_that_cannot_be_true_together_are_refuted(
    services: Services, change: dict[str, float], words: str
) -> None:
    result = await judged(services, "analysis", {**GUIDE["modelMetrics"], **change})
    finding = next(finding for finding in result.findings if finding.check == "A1.2")
    assert (finding.outcome, finding.level) == ("fail", "measured")
    assert words in finding.observed
    assert "A1.2" in result.statements["contradictions"]


STUFFED: dict[str, dict[str, Any]] = {
    "scoping": {"goal": "TODO", "users": "TBD", "unit": "<unit>", "timeline": "to be defined", "baseline": "n/a"},
    "training": {"algorithm": "TBD", "architecture": "<your model>", "searchSpace": "complete", "trials": "yes"},
    "analysis": {"split": "yes", "fairness metric": "TODO", "errorAnalysis": "complete"},
    "reliability": {"logging": "enabled", "slo": "defined", "rollback": "tested", "runbook": "complete"},
    "excellence": {"codeReviewers": "yes", "results": "excellent", "license": "TBD", "lock": "done"},
}


@pytest.mark.parametrize("dimension", DIMENSIONS)
async def test_placeholders_and_adjectives_fill_no_slot(services: Services, dimension: str) -> None:
    assert (await judged(services, dimension, STUFFED[dimension])).score == 0.0


async def test_pasting_the_criterion_names_earns_nothing(services: Services) -> None:
    criteria = [criterion.name for criterion in (await judged(services, "all", {})).criteria]
    stuffed = {key: {"text": ". ".join(criteria)} for key in GUIDE}
    assert (await judged(services, "all", stuffed)).score == 0.0


@pytest.mark.parametrize(
    ("dimension", "evidence", "valid"),
    [
        ("scopping", {}, "scoping"),
        ("Overall", {}, "all"),
        ("all", {"projectDetail": {}}, "projectDetails"),
        ("all", {"accuracy": 0.9}, "modelMetrics"),
        ("scoping", {"projectDetails": {}, "goal": "x"}, "projectDetails"),
    ],
)
async def test_a_wrong_name_is_refused_with_the_valid_ones(
    services: Services, dimension: str, evidence: dict[str, Any], valid: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await judged(services, dimension, evidence)
    assert valid in refused.value.valid


@pytest.mark.parametrize("evidence", ["text", 5, ["goal"], {"projectDetails": "x", "modelConfig": {}}])
async def test_evidence_that_is_no_object_is_refused(services: Services, evidence: object) -> None:
    with pytest.raises(InvalidInput):
        await judged(services, "all", evidence)


async def test_five_megabytes_of_evidence_are_refused_and_nothing_is_kept(services: Services) -> None:
    with pytest.raises(InputTooLarge):
        await judged(services, "scoping", {"goal": "x" * 5_000_000})
    assert (await services.scores.score(view="history")).history == ()


async def test_odd_values_are_read_without_an_error(services: Services) -> None:
    odd = {
        "goal": None,
        "data": [1, {"a": [[]]}],
        "timeline": {"weeks": -1e300},
        "é☃": True,
        "": "",
        "1": float(10**15),
    }
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"a": deep}
    result = await judged(services, "scoping", {**odd, "deep": deep})
    assert "error" not in {finding.outcome for finding in result.findings}


async def test_the_same_statements_give_the_same_answer_in_any_key_order(services: Services) -> None:
    backwards = {key: dict(reversed(GUIDE[key].items())) for key in reversed(GUIDE)}
    assert (await judged(services, "all", GUIDE)).scores == (await judged(services, "all", backwards)).scores
    text = json.dumps([vars(criterion) for criterion in (await judged(services, "all", GUIDE)).criteria])
    assert text == json.dumps([vars(criterion) for criterion in (await judged(services, "all", backwards)).criteria])
