"""MCP, REST and the command line answer the same question alike: one question, three doors, one answer."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from mcp import Client

from support.patience import PATIENCE_S
from support.rest import Rest, running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from mcp.types import CallToolResult

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer_screening"
API = "/api/mle-star"
OF_THE_CALL = {"workspace", "success", "at", "evaluatedAt", "createdAt", "durationS", "duration", "totalDuration"}
"""What differs between two calls that ask the same, whichever door they come through."""
CHECK = re.compile(r"\b[STARX][1-5]\.\d\b")
CLAIMS = {
    "projectDetails": {
        "businessContext": "Reduce missed diagnoses from 4% to 2% within two quarters",
        "dataset": "569 rows, 30 features, 2 classes",
        "baselines": "always benign: accuracy 0.63",
    }
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("parity") / "project"))


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Generator[Rest]:
    with running_server(tmp_path_factory.mktemp("data"), "--root", str(project)) as server:
        yield server


def alike(value: Any) -> Any:
    """The answer without what belongs to the one call."""
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return {name: alike(part) for name, part in named.items() if name not in OF_THE_CALL}
    if isinstance(value, list):
        return [alike(part) for part in cast("list[Any]", value)]
    return value


def data_of(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def over_mcp(rest: Rest, tool: str, **arguments: Any) -> dict[str, Any]:
    async with Client(f"{rest.url}/mcp") as client:
        return data_of(await client.call_tool(tool, arguments))


def command_line_alone(*arguments: str) -> str:
    command = [sys.executable, "-m", "mlestar", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=PATIENCE_S).stdout


def command_line(project: Path, data: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mlestar", *arguments, "--data-dir", str(data)],
        capture_output=True, encoding="utf-8", timeout=PATIENCE_S, check=False, cwd=project,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_dimension_is_judged_alike(rest: Rest, project: Path) -> None:
    body = {**CLAIMS, "workspace": "rest", "artifacts": {"project": str(project)}}
    answer = rest.post(f"{API}/evaluate/scoping", body)
    assert answer.status == 200, answer.text
    asked = {"dimension": "scoping", "evidence": CLAIMS, "project": str(project), "workspace": "mcp"}
    told = await over_mcp(rest, "evaluate_dimension", **asked)
    assert alike(answer.json["result"]) == alike(told)
    assert told["findings"]


async def test_a_project_is_judged_and_scored_alike(rest: Rest, project: Path, tmp_path: Path) -> None:
    told = await over_mcp(rest, "evaluate_dimension", dimension="all", project=str(project), workspace="all-mcp")
    printed = json.loads(command_line(project, tmp_path, "evaluate", str(project), "--format", "json"))
    shown = len(told["findings"])  # the tool shows the first, a program reads all
    assert alike(printed | {"findings": printed["findings"][:shown]}) == alike(told)
    assert len(printed["findings"]) == told["findingsTotal"] > shown
    score = await over_mcp(rest, "get_score", workspace="all-mcp")
    assert alike(rest.get(f"{API}/score?workspace=all-mcp").json) == alike(score)
    async with Client(f"{rest.url}/mcp") as client:
        resource = (await client.read_resource("mlestar://all-mcp/score")).contents[0]
    assert alike(json.loads(getattr(resource, "text", "{}"))) == alike(score)


@pytest.mark.parametrize("view", ["findings", "history", "ml_test_score", "sarif"])
async def test_every_view_of_the_score_is_alike(rest: Rest, view: str) -> None:
    rest.post(f"{API}/evaluate/scoping", {**CLAIMS, "workspace": "views"})
    told = await over_mcp(rest, "get_score", workspace="views", view=view)
    assert alike(rest.get(f"{API}/score?workspace=views&view={view}").json) == alike(told)


async def test_a_window_reads_alike(rest: Rest) -> None:
    await over_mcp(rest, "context7_update", window=1, content="Goal: recall 0.97", priority=5, workspace="notes")
    body = {"windowId": 1, "content": {"k": 1}, "priority": 3, "workspace": "notes"}
    assert rest.post(f"{API}/context7/update", body).status == 200
    for asked, query in ({}, ""), ({"query": "recall"}, "&query=recall"):
        told = await over_mcp(rest, "context7_read", window=1, workspace="notes", **asked)
        assert told["entries"]
        assert rest.get(f"{API}/context7/windows/1?workspace=notes{query}").json["window"] == told


async def test_the_command_line_shows_the_window_that_the_resource_shows(project: Path, tmp_path: Path) -> None:
    with running_server(tmp_path) as rest:
        await over_mcp(rest, "context7_update", window=2, content="Seed 7, five folds", priority=3)
        async with Client(f"{rest.url}/mcp") as client:
            resource = (await client.read_resource("context7://window/2")).contents[0]
        shown = getattr(resource, "text", "")
        assert "Seed 7, five folds" in shown
        assert command_line(project, tmp_path, "windows", "2").strip() == shown.strip()


async def test_a_run_reads_alike(rest: Rest) -> None:
    config = {"data": {"source": "sklearn:iris"}, "training": {"algorithm": "linear"}}
    told = await over_mcp(rest, "run_pipeline", name="iris", config=config, wait_s=25, workspace="runs")
    while told["status"] in {"queued", "running"}:
        told = await over_mcp(rest, "get_run", run_id=told["runId"], wait_s=25, workspace="runs")
    assert told["status"] == "succeeded"
    answer = rest.get(f"{API}/pipeline/runs/{told['runId']}?workspace=runs").json
    assert {name: answer["run"][name] for name in told} == told


async def test_a_check_and_the_rubric_read_alike(rest: Rest) -> None:
    async with Client(f"{rest.url}/mcp") as client:
        check = (await client.read_resource("mlestar://check/T2.1")).contents[0]
        rubric = (await client.read_resource("mlestar://rubric")).contents[0]
    explained = json.loads(getattr(check, "text", ""))
    assert rest.get(f"{API}/checks/T2.1").json["check"] == explained
    told = command_line_alone("explain", "T2.1")
    assert all(explained[part] in told for part in ("title", "claim", "threshold", "fix"))
    listed = set(CHECK.findall(command_line_alone("rubric")))
    assert len(listed) >= 90
    assert listed == set(CHECK.findall(getattr(rubric, "text", "")))


WRONG: dict[str, tuple[str, dict[str, Any], str, str, dict[str, Any] | None]] = {
    "a window that does not exist": (
        "context7_update", {"window": 9, "content": "x"}, "POST", "/context7/update", {"windowId": 9, "content": "x"},
    ),
    "nothing to remember": (
        "context7_update", {"window": 1, "content": " "}, "POST", "/context7/update", {"windowId": 1, "content": " "},
    ),
    "a run that does not exist": ("get_run", {"run_id": "run-none"}, "GET", "/pipeline/runs/run-none", None),
    "a project outside the roots": (
        "evaluate_dimension", {"dimension": "scoping", "project": "/etc"}, "POST", "/evaluate/scoping",
        {"artifacts": {"project": "/etc"}},
    ),
    "an unknown algorithm": (
        "run_pipeline", {"name": "p", "config": {"training": {"algorithm": "magic"}}}, "POST", "/pipeline/create",
        {"name": "p", "config": {"training": {"algorithm": "magic"}}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_bad_input_is_refused_alike(rest: Rest, name: str) -> None:
    tool, arguments, method, path, body = WRONG[name]
    async with Client(f"{rest.url}/mcp") as client:
        refused = await client.call_tool(tool, arguments)
    assert refused.is_error
    assert refused.structured_content is not None
    told = refused.structured_content["error"]
    answer = rest.send(method, API + path, body)
    assert 400 <= answer.status < 500
    assert answer.json["code"] == told["code"]
    assert answer.json["message"] == getattr(refused.content[0], "text", "")
