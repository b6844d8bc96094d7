from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from mcp import MCPError

if TYPE_CHECKING:
    from mcp import Client

TEMPLATES = {
    "context7://{workspace}/window/{n}",
    "context7://{workspace}/entry/{id}",
    "context7://{workspace}/thinking/{session}",
    "mlestar://{workspace}/score",
    "mlestar://check/{id}",
    "run://{run_id}",
}


async def text_of(client: Client, uri: str) -> str:
    contents = (await client.read_resource(uri)).contents
    return str(getattr(contents[0], "text", ""))


async def test_the_seven_windows_and_the_rubric_are_listed(client: Client) -> None:
    uris = [str(resource.uri) for resource in (await client.list_resources()).resources]
    assert [uri for uri in uris if not uri.startswith("ui://")] == [
        f"context7://window/{number}" for number in range(1, 8)
    ] + ["mlestar://rubric"]


async def test_every_template_of_the_contract_is_listed(client: Client) -> None:
    templates = (await client.list_resource_templates()).resource_templates
    assert {template.uri_template for template in templates} == TEMPLATES


async def test_a_window_reads_the_same_under_its_short_and_its_long_name(client: Client) -> None:
    await client.call_tool("context7_update", {"window": 3, "content": "recall fell to 0.81"})
    short = await text_of(client, "context7://window/3")
    assert "recall fell to 0.81" in short
    assert await text_of(client, "context7://default/window/3") == short


async def test_an_entry_reads_byte_for_byte(client: Client) -> None:
    written = "  zwei\n\tZeilen, 0.81 \u00e9  "
    await client.call_tool("context7_update", {"window": 7, "content": written})
    assert await text_of(client, "context7://default/entry/1") == written


async def test_nothing_crosses_workspaces(client: Client) -> None:
    await client.call_tool("context7_update", {"window": 1, "content": "only here", "workspace": "mine"})
    assert "only here" in await text_of(client, "context7://mine/window/1")
    assert "only here" not in await text_of(client, "context7://window/1")


async def test_the_score_resource_is_the_tool_s_answer(client: Client) -> None:
    tool = await client.call_tool("get_score", {})
    assert json.loads(await text_of(client, "mlestar://default/score")) == tool.structured_content


@pytest.mark.parametrize("uri", ["context7://default/entry/999", "run://nowhere", "mlestar://check/Z9.9"])
async def test_an_unknown_resource_is_a_protocol_error(client: Client, uri: str) -> None:
    with pytest.raises(MCPError) as raised:
        await client.read_resource(uri)
    assert "NOT_FOUND" in str(raised.value)


async def test_prompts_work_without_arguments(client: Client) -> None:
    prompts = (await client.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == ["evaluate_project", "think_with_context", "plan_improvements"]
    for prompt in prompts:
        message = (await client.get_prompt(prompt.name, {})).messages[0]
        assert getattr(message.content, "text", "")
