from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.rest import Rest

API = "/api/mle-star"


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with running_server(tmp_path_factory.mktemp("operation")) as server:
        yield server


def samples(rest: Rest) -> dict[tuple[str, frozenset[str]], float]:
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(rest.get("/metrics").text)
        for sample in family.samples
    }


def test_metrics_follow_what_was_written_measured_and_judged(rest: Rest) -> None:
    rest.post(f"{API}/context7/update", {"windowId": 2, "content": "a note of several words"})
    rest.post(f"{API}/context7/sequential-think", {"problem": "p", "steps": ["one", "two"]})
    rest.post(f"{API}/evaluate/analysis", {"modelMetrics": {"accuracy": 0.92, "f1": 0.9}})
    config = {"data": {"source": "sklearn:iris"}, "training": {"algorithm": "linear"}}
    created = rest.post(f"{API}/pipeline/create", {"name": "iris", "config": config}).json["pipeline"]["id"]
    run = rest.post(f"{API}/pipeline/execute/{created}", {"wait": 60}).json
    seen = samples(rest)
    score = rest.get(f"{API}/score").json["score"]
    assert seen["mlestar_score_points", frozenset({"default", "overall"})] == score["overall"]
    assert seen["mlestar_window_used_tokens", frozenset({"default", "2"})] > 0
    assert seen["mlestar_thinking_steps", frozenset({"default"})] == 2
    assert seen["mlestar_run_succeeded", frozenset({"default", "iris"})] == 1
    assert seen["mlestar_stage_duration_seconds", frozenset({"default", "iris", "training"})] > 0
    metric, estimate = next(iter(run["metrics"].items()))
    assert seen["mlestar_model_metric", frozenset({"default", "iris", metric})] == estimate["value"]


def test_the_openapi_document_lists_every_path_of_the_contract(rest: Rest) -> None:
    paths = set(rest.get("/openapi.json").json["paths"])
    dimensions = ("scoping", "training", "analysis", "reliability", "excellence")
    expected = {f"{API}/evaluate/{dimension}" for dimension in dimensions} | {
        f"{API}/score",
        f"{API}/report",
        f"{API}/pipeline/create",
        f"{API}/pipeline/execute/{{pipeline_id}}",
        f"{API}/pipeline/runs/{{run_id}}",
        f"{API}/pipeline/runs/{{run_id}}/cancel",
        f"{API}/pipeline/runs/{{run_id}}/events",
        f"{API}/model/train",
        f"{API}/context7/initialize",
        f"{API}/context7/update",
        f"{API}/context7/report",
        f"{API}/context7/windows",
        f"{API}/context7/windows/{{number}}",
        f"{API}/context7/sequential-think",
        f"{API}/context7/integrate-mle",
        "/health",
        "/metrics",
    }
    assert expected <= paths


def test_every_answer_carries_the_security_headers(rest: Rest) -> None:
    headers = {name.lower(): value for name, value in rest.get("/health").headers.items()}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in headers["content-security-policy"]
