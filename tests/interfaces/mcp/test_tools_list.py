from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp import Client

    from mlestar.app import Services

SNAPSHOT = Path(__file__).parent / "tools_list.json"
MOST_TOKENS = 4000
CONTRACT = [
    "evaluate_dimension",
    "get_score",
    "context7_update",
    "context7_read",
    "context7_compact",
    "sequential_think",
    "run_pipeline",
    "get_run",
    "cancel_run",
]


async def listed(client: Client) -> list[dict[str, Any]]:
    result = await client.list_tools()
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in result.tools]


async def test_the_listing_equals_its_snapshot(client: Client) -> None:
    tools = await listed(client)
    assert tools == json.loads(SNAPSHOT.read_text(encoding="utf-8")), (
        "the tools changed: if that is meant, write the new listing with `python .ci/documents.py`"
    )


async def test_the_listing_fits_its_token_budget(client: Client, services: Services) -> None:
    text = json.dumps(await listed(client), separators=(",", ":"), ensure_ascii=False)
    assert services.tokenizer.count(text) <= MOST_TOKENS


async def test_every_tool_of_the_contract_is_listed_in_its_order(client: Client) -> None:
    assert [tool["name"] for tool in await listed(client)] == CONTRACT


async def test_every_tool_has_a_title_and_all_four_hints(client: Client) -> None:
    for tool in await listed(client):
        assert tool["title"]
        assert set(tool["annotations"]) == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}


async def test_every_tool_takes_a_workspace_and_nothing_unlisted(client: Client) -> None:
    for tool in await listed(client):
        assert tool["inputSchema"]["properties"]["workspace"]["default"] == "default"
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["outputSchema"]["type"] == "object"
