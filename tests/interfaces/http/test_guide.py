"""The integration guide's own requests, taken from its text, against a real server."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.rest import Rest, running_server

if TYPE_CHECKING:
    from collections.abc import Generator

GUIDE = (Path(__file__).parents[2] / "data" / "integration-guide.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```http\n(GET|POST) (\S+)\n(.*?)```", GUIDE, re.DOTALL)
HAS_TORCH = find_spec("torch") is not None


def body_of(text: str) -> dict[str, Any] | None:
    text = text.split("Response:", maxsplit=1)[0].strip()
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with running_server(tmp_path_factory.mktemp("guide")) as server:
        yield server


@pytest.fixture(scope="module")
def pipeline_id(rest: Rest) -> str:
    config = {"data": {"source": "sklearn:iris"}, "training": {"algorithm": "linear"}}
    return str(rest.post("/api/mle-star/pipeline/create", {"name": "iris", "config": config}).json["pipeline"]["id"])


def test_the_guide_shows_twelve_requests() -> None:
    assert len(BLOCKS) == 12


@pytest.mark.parametrize(("method", "path", "text"), BLOCKS, ids=[block[1] for block in BLOCKS])
def test_a_request_of_the_guide_works_as_written(
    rest: Rest, pipeline_id: str, method: str, path: str, text: str
) -> None:
    body = body_of(text)
    answer = rest.send(method, path.replace("{pipelineId}", pipeline_id), body)
    if "transformer" in text and path.endswith(("/create", "/train")) and not HAS_TORCH:
        assert answer.status == 422
        assert answer.json["code"] == "MISSING_DEPENDENCY"
        assert 'pip install "mlestar[torch]"' in answer.json["message"]
        return
    assert answer.status in {200, 202}, answer.json
    assert answer.json["success"] is True


def test_the_score_has_the_guide_s_shape(rest: Rest) -> None:
    answer = rest.get("/api/mle-star/score").json
    assert set(answer["score"]) == {"scoping", "training", "analysis", "reliability", "excellence", "overall"}
    assert answer["interpretation"]["overall"] in {"Excellent", "Good", "Needs Improvement", "Poor"}
    assert answer["interpretation"]["productionReady"] is False


def test_executing_answers_one_result_a_stage(rest: Rest, pipeline_id: str) -> None:
    answer = rest.post(f"/api/mle-star/pipeline/execute/{pipeline_id}", {"wait": 60}).json
    assert answer["status"] == "succeeded", answer
    assert [stage["name"] for stage in answer["results"]] == [
        "data",
        "features",
        "training",
        "evaluation",
        "deployment",
    ]
    run = rest.get(f"/api/mle-star/pipeline/runs/{answer['runId']}").json["run"]
    assert run["metrics"] == answer["metrics"]
    events = rest.get(f"/api/mle-star/pipeline/runs/{answer['runId']}/events").text
    assert events.rstrip().endswith('data: {"status": "succeeded"}')


def test_training_measures_a_model_on_the_synthetic_set(rest: Rest) -> None:
    body = {"name": "Optimizer", "dataSize": 600, "algorithm": "linear", "wait": 60}
    model = rest.post("/api/mle-star/model/train", body).json["model"]
    assert model["status"] == "succeeded", model
    assert model["synthetic"] is True
    assert model["version"] == 1
    assert 0 < model["metrics"]["accuracy"] < 1
    assert model["baselines"]["dummy"]["accuracy"]["value"] < 1


def test_integrating_loads_five_windows_and_thinks_through_five_dimensions(rest: Rest) -> None:
    parts = {"name": "E", "training": {"epochs": 10}, "metrics": {"accuracy": 0.89}, "docs": {"complete": True}}
    body = {"modelConfig": parts, "workspace": "integrate"}
    result = rest.post("/api/mle-star/context7/integrate-mle", body).json["result"]
    assert len(result["thinking"]["sequentialSteps"]) == 5
    assert result["starScore"] == result["evaluation"]["overall"]
    assert result["recommendations"]
    windows = rest.get("/api/mle-star/context7/windows?workspace=integrate").json["windows"]
    assert all(window["used"] > 0 for window in windows[:5])


def test_thinking_answers_a_brief_a_step_and_real_durations(rest: Rest) -> None:
    rest.post("/api/mle-star/context7/update", {"windowId": 1, "content": "Goal: 5.2% engagement", "priority": 5})
    body = {"problem": "Raise engagement", "steps": ["Look at the data", "Choose a model"]}
    result = rest.post("/api/mle-star/context7/sequential-think", body).json["result"]
    assert [step["description"] for step in result["sequentialSteps"]] == body["steps"]
    assert all("Goal: 5.2% engagement" in step["output"] for step in result["sequentialSteps"])
    assert result["results"] == [step["output"] for step in result["sequentialSteps"]]
    assert result["totalDuration"] > 0


def test_initializing_keeps_what_is_there_unless_a_reset_is_asked_for(rest: Rest) -> None:
    rest.post("/api/mle-star/context7/update", {"windowId": 7, "content": "keep", "workspace": "start"})
    kept = rest.post("/api/mle-star/context7/initialize", {"workspace": "start"}).json
    assert len(kept["windows"]) == 7
    assert kept["windows"][6]["used"] > 0
    cleared = rest.post("/api/mle-star/context7/initialize", {"workspace": "start", "reset": True}).json
    assert cleared["windows"][6]["used"] < kept["windows"][6]["used"]
    recalled = rest.get("/api/mle-star/context7/windows/7?workspace=start&query=keep").json
    assert recalled["window"]["entries"][0]["text"] == "keep"
