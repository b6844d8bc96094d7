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
    "mlestar://{workspace}/alerts",
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


UNREADABLE = {
    "context7://default/entry/999": "NOT_FOUND",
    "context7://default/window/9": "INVALID_INPUT",
    "context7://default/window/first": "INVALID_INPUT",
    "context7://no spaces!/window/1": "INVALID_INPUT",
    "run://nowhere": "NOT_FOUND",
    "mlestar://check/Z9.9": "NOT_FOUND",
    "nothing://at/all": "Unknown resource",
}


@pytest.mark.parametrize("uri", UNREADABLE)
async def test_an_address_that_names_nothing_is_invalid_params_and_says_why(client: Client, uri: str) -> None:
    with pytest.raises(MCPError) as raised:
        await client.read_resource(uri)
    assert raised.value.code == -32602
    assert UNREADABLE[uri] in raised.value.message
    assert raised.value.data == {"uri": uri}
