from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mcp import Client

REFUSED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "an unknown argument is refused by name with the nearest one": (
        "get_score",
        {"veiw": "summary"},
        ["'veiw'", "use 'view'", "view, workspace"],
    ),
    "an unknown choice is refused with the valid ones": (
        "get_score",
        {"view": "everything"},
        ["view", "summary, findings, history"],
    ),
    "an unknown dimension is refused with the valid ones": (
        "evaluate_dimension",
        {"dimension": "speed"},
        ["dimension", "scoping, training, analysis, reliability, excellence, all"],
    ),
    "a missing argument is named": ("context7_compact", {"ids": ["1"]}, ["summary", "required"]),
    "one argument in two spellings is refused": (
        "run_pipeline",
        {"pipeline_id": "a", "pipelineId": "b"},
        ["'pipeline_id'", "twice"],
    ),
    "window 8 is refused with the seven": ("context7_update", {"window": 8, "content": "x"}, ["8", "1 (Scoping)"]),
    "priority 9 is refused with the valid ones": (
        "context7_update",
        {"window": 1, "content": "x", "priority": 9},
        ["9", "critical"],
    ),
    "content over 1 MiB is refused": (
        "context7_update",
        {"window": 1, "content": "x" * 5_000_000},
        ["INPUT_TOO_LARGE"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_call(client: Client, case: str) -> None:
    tool, arguments, expected = REFUSED[case]
    result = await client.call_tool(tool, arguments)
    text = getattr(result.content[0], "text", "")
    assert result.is_error
    assert result.structured_content is not None
    assert result.structured_content["error"]["code"] in text
    for part in expected:
        assert part in text
    overview = await client.call_tool("context7_read", {})
    assert overview.structured_content is not None
    assert overview.structured_content["version"] == 0, "a refused call stored something"


async def test_camel_case_and_snake_case_name_the_same_argument(client: Client) -> None:
    await client.call_tool("context7_update", {"window": 1, "content": "x", "requestId": "one"})
    result = await client.call_tool("context7_read", {"window": 1, "budgetTokens": 500, "min_priority": 0})
    assert not result.is_error


async def test_text_that_looks_like_json_stays_text(client: Client) -> None:
    text = '{"b": 1,   "a": 2}'
    await client.call_tool("context7_update", {"window": 7, "content": text})
    result = await client.call_tool("context7_read", {"id": "1"})
    assert result.structured_content is not None
    assert result.structured_content["entries"][0]["text"] == text


async def test_an_unexpected_exception_shows_its_kind_and_a_reference_but_no_internals(
    client: Client, services: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(**_: object) -> None:
        raise RuntimeError("secret internal detail")

    monkeypatch.setattr(services.windows, "read", broken)
    result = await client.call_tool("context7_read", {})
    text = getattr(result.content[0], "text", "")
    assert result.is_error
    assert "RuntimeError" in text
    assert "secret" not in text
    reference = text.split("reference ")[1][:8]
    assert reference in caplog.text
