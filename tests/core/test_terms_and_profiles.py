from __future__ import annotations

from typing import Any

import pytest

from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts
from mlestar.core.facts.git import GitFacts
from mlestar.core.facts.project import ProjectFacts, ProjectFile
from mlestar.core.facts.source import SourceModule
from mlestar.core.score.limits import LIMITS
from mlestar.core.score.profiles import profile_of
from mlestar.core.score.terms import Terms, terms_of

HEAD = GitFacts(head="a" * 40, head_time=1_790_000_000)  # 2026-09-21


def project(section: dict[str, Any], git: GitFacts | None = HEAD) -> ProjectFacts:
    return ProjectFacts(root="x", manifests={"pyproject.toml": ({"tool": {"mlestar": section}},)}, git=git)


def test_no_project_and_no_section_are_the_rubrics_own_terms() -> None:
    assert terms_of(None) == terms_of(ProjectFacts(root="x")) == Terms()
    assert Terms().to_json() == {}


WAIVER = {"check": "X2.3", "reason": "one maintainer", "expires": "2026-09-21"}


def test_a_waiver_holds_to_its_last_day_counted_from_head() -> None:
    assert [waiver.valid for waiver in terms_of(project({"waivers": [WAIVER]})).waivers] == [True]
    late = terms_of(project({"waivers": [{**WAIVER, "expires": "2026-09-20"}]}))
    assert ([waiver.valid for waiver in late.waivers], late.problems) == ([False], ("waiver of X2.3: expired",))


@pytest.mark.parametrize(
    "waivers", [[{"check": "Z1.1"}], [{"check": "X2.3", "reason": "x"}], ["X2.3"], [{**WAIVER, "reason": " "}]]
)
def test_an_incomplete_waiver_is_named_and_ignored(waivers: list[Any]) -> None:
    terms = terms_of(project({"waivers": waivers}))
    assert (terms.waivers, len(terms.problems)) == ((), 1)


def test_without_history_no_waiver_holds() -> None:
    terms = terms_of(project({"waivers": [WAIVER]}, git=None))
    assert [waiver.valid for waiver in terms.waivers] == [False]
    assert "no git history" in terms.problems[0]


@pytest.mark.parametrize("weight", [0, 11, True, 1.5, "3"])
def test_a_weight_out_of_range_is_not_honoured(weight: object) -> None:
    terms = terms_of(project({"weights": {"T1.1": weight}}))
    assert (terms.weights, len(terms.problems)) == ({}, 1)


def test_an_overridden_limit_is_what_a_check_reads() -> None:
    terms = terms_of(project({"limits": {"T1.2": {"pass": 0.1, "typo": 1}}}))
    facts = Facts(limits=terms.limits)
    assert (facts.limit("T1.2", "pass"), facts.limit("T1.2", "partial")) == (0.1, LIMITS["T1.2"]["partial"])
    assert "valid are T1.2.pass, T1.2.partial" in terms.problems[0]


def source(text: str) -> dict[str, SourceModule]:
    return {"job.py": SourceModule(path="job.py", text=text)}


CRON_JOB = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "score"}}
WEEKLY = {".github/workflows/w.yml": ProjectFile(path=".github/workflows/w.yml", size=1, kind="config")}


def weekly(command: str) -> dict[str, Any]:
    job = {"runs-on": "ubuntu", "steps": [{"run": command}]}
    return {".github/workflows/w.yml": ({"on": {"schedule": [{"cron": "0 3 * * 1"}]}, "jobs": {"weekly": job}},)}


SERVING: dict[str, tuple[ProjectFacts, str]] = {
    "a web service": (ProjectFacts(root="x", modules=source("from fastapi import FastAPI\n")), "online"),
    "a deployment": (ProjectFacts(root="x", manifests={"d.yaml": ({"kind": "Deployment"},)}), "online"),
    "a nightly job": (ProjectFacts(root="x", manifests={"d.yaml": (CRON_JOB,)}), "batch"),
    "a nightly job of an example": (ProjectFacts(root="x", manifests={"examples/d.yaml": (CRON_JOB,)}), ""),
    "a job beside a service": (
        ProjectFacts(root="x", modules=source("from flask import Flask\n"), manifests={"d.yaml": (CRON_JOB,)}),
        "online",
    ),
    "a DAG": (ProjectFacts(root="x", modules=source("from airflow import DAG\nwith DAG('a'):\n    ...\n")), "batch"),
    "a plugin that only imports the scheduler": (
        ProjectFacts(root="x", modules=source("from airflow.hooks.base import BaseHook\n")),
        "",
    ),
    "a model that CI trains every week": (
        ProjectFacts(root="x", modules=source("model.fit(x, y)\n"), manifests=weekly("python job.py"), files=WEEKLY),
        "batch",
    ),
    "a library that CI tests every night": (
        ProjectFacts(root="x", modules=source("model.fit(x, y)\n"), manifests=weekly("pytest"), files=WEEKLY),
        "",
    ),
    "nothing that serves": (ProjectFacts(root="x", modules=source("import pandas")), ""),
}


@pytest.mark.parametrize("case", SERVING)
def test_how_it_is_served_follows_from_artefacts(case: str) -> None:
    facts, serving = SERVING[case]
    profile = profile_of(Facts(project=facts))
    assert profile.serving == serving
    assert not profile.not_applicable


def test_a_claim_cannot_choose_the_profile() -> None:
    claims = {"training": {"task": "regression"}, "reliability": {"serving": "batch"}}
    assert profile_of(Facts(claims=claims)).not_applicable == {}


def test_a_regression_has_no_checks_of_classes() -> None:
    assert set(profile_of(Facts(data=DataFacts(task="regression"))).not_applicable) == {"A1.5", "A2.2", "A3.1"}
