"""What the judge makes of files: paths, columns, records, windows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.errors import InvalidInput, MlestarError, NotFound, OutsideRoots
from support.findings import finding
from support.judging import services_over
from support.trees import write_tree

if TYPE_CHECKING:
    from mlestar.app import Services

PYPROJECT = """
[project]
name = "toy"
[[tool.mlestar.waivers]]
check = "X2.3"
reason = "one maintainer until the hire in spring"
expires = 2999-01-01
[[tool.mlestar.waivers]]
check = "X2.2"
reason = "too late"
expires = 2001-01-01
[tool.mlestar.weights]
"A3.1" = 5
"Z9.9" = 1
[tool.mlestar.limits."T1.2"]
partial = 0.4
typo = 1
"""


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    root = tmp_path / "root"
    root.mkdir()
    services = services_over(tmp_path / "data", root)
    yield services
    services.close()


@pytest.fixture
def project(services: Services) -> Path:
    folder = services.settings.roots[0] / "toy"
    (folder / "data").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "README.md").write_text("# Toy\n\n## Goal\n\nFind malignant masses early.\n", encoding="utf-8")
    rows = [f"{i % 7},{i * 0.37:.2f},{'yes' if i % 3 else 'no'}" for i in range(120)]
    (folder / "data" / "train.csv").write_text("\n".join(["size,shade,sick", *rows]), encoding="utf-8")
    (folder / "data" / "empty.csv").write_text("", encoding="utf-8")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Start"]):
        subprocess.run(["git", "-c", "user.name=A B", "-c", "user.email=a@b.c", *command], cwd=folder, check=True)
    return folder


@pytest.mark.usefixtures("project")
async def test_paths_are_found_in_the_project_and_the_place_is_shown_from_it(services: Services) -> None:
    result = await services.evaluation.evaluate(
        dimension="scoping", project="toy", train="data/train.csv", target="sick"
    )
    assert result.read["train"]["path"] == "data/train.csv"
    assert result.read["project"]["files"] == 4
    goal = next(view for view in result.findings if view.check == "S1.2")
    assert (goal.level, goal.where.path) == ("documented", "README.md")
    assert result.score > 0


BAD: dict[str, tuple[dict[str, Any], type[MlestarError], str]] = {
    "outside the roots": ({"project": "/etc"}, OutsideRoots, "/etc"),
    "up and out": ({"project": "../data"}, OutsideRoots, "outside"),
    "a missing folder": ({"project": "tooy"}, NotFound, "tooy"),
    "a missing file": ({"train": "data/trian.csv"}, NotFound, "trian"),
    "a column that is not there": ({"train": "data/train.csv", "target": "sik"}, NotFound, "'sik'"),
    "an empty file": ({"train": "data/empty.csv", "target": "sick"}, InvalidInput, "empty"),
    "a folder as data": ({"train": "data", "target": "sick"}, InvalidInput, "folder"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.usefixtures("project")
async def test_bad_input_is_refused_by_name_and_nothing_is_kept(services: Services, case: str) -> None:
    given, kind, words = BAD[case]
    arguments: dict[str, Any] = {"dimension": "all", "project": "toy", **given}
    with pytest.raises(kind) as refused:
        await services.evaluation.evaluate(**arguments)
    assert words in str(refused.value)
    assert refused.value.valid or refused.value.do
    assert (await services.scores.score(view="history")).history == ()


async def test_a_link_out_of_the_roots_is_refused(services: Services, project: Path, tmp_path: Path) -> None:
    (project / "link").symlink_to(tmp_path / "data")
    with pytest.raises(OutsideRoots) as refused:
        await services.evaluation.evaluate(dimension="all", project="toy/link")
    assert str(services.settings.roots[0]) in refused.value.valid


@pytest.mark.usefixtures("project")
async def test_waivers_and_overrides_are_shown_and_bounded(services: Services) -> None:
    await services.evaluation.evaluate(dimension="all", project="toy")
    score = await services.scores.score()
    terms = score.terms["X"]
    assert terms["weights"] == {"A3.1": 5}
    assert terms["limits"] == {"T1.2": {"partial": 0.4}}
    assert [(waiver["check"], waiver["valid"]) for waiver in terms["waivers"]] == [("X2.3", True), ("X2.2", False)]
    assert [problem.partition(":")[0] for problem in terms["problems"]] == [
        "waiver of X2.2",
        "weight of Z9.9",
        "limit T1.2.typo",
    ]
    assert score.interpretation.verdict.endswith(", under 2 overrides of the rubric")
    report = (await services.scores.score(view="markdown")).extra["text"]
    assert "waiver of X2.3 until 2999-01-01: one maintainer until the hire in spring" in report


@pytest.mark.usefixtures("project")
async def test_the_terms_of_a_project_hold_for_the_dimensions_it_was_evaluated_for(services: Services) -> None:
    other = services.settings.roots[0] / "other"
    write_tree(other, {"a.py": "x = 1\n"})
    await services.evaluation.evaluate(dimension="excellence", project="other")
    bare = await services.scores.score(view="findings")
    await services.evaluation.evaluate(dimension="scoping", project="toy")
    after = await services.scores.score(view="findings")
    assert after.score["excellence"] == bare.score["excellence"]
    assert [view for view in after.findings if view.check == "X2.3"] == [v for v in bare.findings if v.check == "X2.3"]


async def test_a_waiver_that_comes_or_goes_is_a_change(services: Services, project: Path) -> None:
    await services.evaluation.evaluate(dimension="excellence", project="toy")
    with_waiver = (project / "pyproject.toml").read_text(encoding="utf-8")
    (project / "pyproject.toml").write_text(with_waiver.replace("X2.3", "X2.1"), encoding="utf-8")
    result = await services.evaluation.evaluate(dimension="excellence", project="toy")
    moved = {change["check"]: change["points"] for change in result.changes}
    assert moved["X2.3"] < 0 < moved["X2.1"]


async def test_a_runs_findings_count_until_the_next_run(services: Services) -> None:
    await services.evaluation.record_run_findings(run_id="run-1", name="a", findings=[finding("T3.1"), finding("X4.4")])
    first = await services.scores.score(view="findings")
    assert {view.check for view in first.findings if view.run_id == "run-1"} == {"T3.1", "X4.4"}
    assert first.score["training"] > 0
    await services.evaluation.record_run_findings(run_id="run-2", findings=[finding("T3.1", 0)])
    second = await services.scores.score()
    assert second.score["training"] == 0
    assert [blocker.check for blocker in second.blockers] == ["T3.1"]


async def test_a_run_contradicts_a_statement(services: Services) -> None:
    await services.evaluation.evaluate(
        dimension="training", evidence={"algorithm": "gbm", "trials": 80, "cv": "5 folds"}
    )
    await services.evaluation.record_run_findings(run_id="run-1", findings=[finding("T4.2", 0)])
    view = next(v for v in (await services.scores.score(view="findings")).findings if v.check == "T4.2")
    assert (view.outcome, view.level, view.refuted) == ("fail", "measured", True)


async def test_evaluating_again_replaces_only_the_dimensions_asked_for(services: Services) -> None:
    await services.evaluation.evaluate(dimension="reliability", evidence={"replicas": 3})
    await services.evaluation.evaluate(dimension="scoping", evidence={"goal": "Improve engagement by 30%"})
    assert (await services.scores.score()).score["reliability"] > 0
    await services.evaluation.evaluate(dimension="reliability", evidence={})
    score = (await services.scores.score()).score
    assert (score["reliability"], score["scoping"] > 0) == (0.0, True)


async def test_the_history_says_what_changed_and_why(services: Services) -> None:
    await services.evaluation.evaluate(dimension="reliability", evidence={"replicas": 3})
    result = await services.evaluation.evaluate(dimension="reliability", evidence={"replicas": 1})
    assert [(change["check"], change["before"], change["after"]) for change in result.changes] == [
        ("R2.1", "pass (claimed)", "fail (claimed)")
    ]
    newest, oldest = (await services.scores.score(view="history")).history
    assert newest["changes"][0]["why"] == "1 replicas stated"
    assert newest["change"] < 0 < oldest["change"]
    assert newest["cause"] == {"evaluated": "reliability", "given": ["statement"]}


async def test_the_history_and_the_report_name_the_state_of_the_project_that_was_judged(
    services: Services, project: Path
) -> None:
    await services.evaluation.evaluate(dimension="scoping", project=str(project))
    (newest,) = (await services.scores.score(view="history")).history
    assert newest["cause"]["project"] == "toy"
    assert len(newest["cause"]["commit"]) == 40
    text = (await services.scores.score(view="html")).extra["text"]
    assert f"evaluated scoping of toy at commit {newest['cause']['commit'][:12]}." in text


async def test_every_report_says_what_the_rubric_was_not_made_for(services: Services) -> None:
    page = services.settings.roots[0] / "page"
    page.mkdir()
    (page / "index.html").write_text("<h1>Hello</h1>", encoding="utf-8")
    await services.evaluation.evaluate(dimension="excellence", project=str(page))
    (note,) = (await services.scores.score()).notes
    assert note.startswith("nothing of a machine learning system was found")
    for view in ("markdown", "html"):
        assert note[:40] in (await services.scores.score(view=view)).extra["text"]
    assert (await services.scores.score(view="sarif")).extra["sarif"]["runs"][0]["properties"]["notes"] == [note]


async def test_findings_stand_in_the_dimensions_window_and_leave_it_when_gone(services: Services) -> None:
    await services.evaluation.evaluate(dimension="analysis", evidence={"f1": 0.95, "precision": 0.8, "recall": 0.8})
    text = await services.windows.window_text(window=3)
    assert "A1.2 fail (measured)" in text
    await services.evaluation.evaluate(dimension="analysis", evidence={"f1": 0.80, "precision": 0.8, "recall": 0.8})
    assert "A1.2 fail" not in await services.windows.window_text(window=3)


async def test_workspaces_do_not_mix(services: Services) -> None:
    await services.evaluation.evaluate(workspace="one", dimension="reliability", evidence={"replicas": 3})
    assert (await services.scores.score(workspace="two")).score["overall"] == 0.0


async def test_a_run_with_an_unknown_check_is_refused(services: Services) -> None:
    with pytest.raises(InvalidInput, match="unknown checks: Q1"):
        await services.evaluation.record_run_findings(run_id="run-1", findings=[finding("Q1.1")])


async def test_an_unknown_view_and_an_unknown_check_name_the_nearest(services: Services) -> None:
    with pytest.raises(InvalidInput, match="findings"):
        await services.scores.score(view="finding")
    with pytest.raises(NotFound, match=r"T2\.1"):
        await services.scores.explain(check_id="T2.11")


async def test_a_check_that_asks_a_batch_job_something_else_explains_both(services: Services) -> None:
    explained = await services.scores.explain(check_id="R2.1")
    assert "three replicas" in explained.claim
    assert "tried again" in explained.in_batch["claim"]
    assert explained.in_batch.keys() >= {"why", "how", "threshold", "source", "fix", "limits"}
    assert (await services.scores.explain(check_id="R2.4")).in_batch == {}


async def test_a_check_is_explained_from_its_docstring(services: Services) -> None:
    explained = await services.scores.explain(check_id="a1.2")
    assert explained.critical is False
    assert "prevalence" in explained.how
    assert all([explained.claim, explained.why, explained.threshold, explained.source, explained.fix])


@pytest.mark.usefixtures("project")
async def test_the_answer_is_the_same_whatever_the_key_order_and_process(services: Services) -> None:
    first = await services.evaluation.evaluate(dimension="all", project="toy", workspace="a")
    second = await services.evaluation.evaluate(dimension="all", project="toy", workspace="b")
    assert json.dumps([vars(v) for v in first.findings], default=str) == json.dumps(
        [vars(v) for v in second.findings], default=str
    )
