from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mcp import MCPError

if TYPE_CHECKING:
    from mcp import Client

REFUSED: dict[str, tuple[str, dict[str, str], str]] = {
    "an unknown prompt names the nearest": ("evaluate_projects", {}, "use 'evaluate_project'"),
    "an unknown argument names the nearest": ("evaluate_project", {"projct": "."}, "use 'project'"),
    "an unknown dimension names the valid ones": ("evaluate_project", {"dimension": "speed"}, "reliability"),
}


async def text_of(client: Client, name: str, **arguments: str) -> str:
    result = await client.get_prompt(name, arguments)
    return str(getattr(result.messages[0].content, "text", ""))


async def test_every_prompt_is_listed_with_a_title_and_described_arguments(client: Client) -> None:
    prompts = (await client.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == ["evaluate_project", "think_with_context", "plan_improvements"]
    for prompt in prompts:
        assert prompt.title
        assert prompt.description
        assert all(argument.description and not argument.required for argument in prompt.arguments or [])


async def test_a_prompt_without_arguments_names_the_tools_to_use(client: Client) -> None:
    text = await text_of(client, "evaluate_project")
    assert "evaluate_dimension" in text
    assert "workspace" not in text


async def test_arguments_reach_the_text(client: Client) -> None:
    text = await text_of(client, "think_with_context", problem="drift", session="s-1", workspace="churn")
    assert all(part in text for part in ("Problem: drift", "'s-1'", "workspace 'churn'"))
    assert "workspace 'churn'" in await text_of(client, "plan_improvements", workspace="churn")


@pytest.mark.parametrize("case", REFUSED)
async def test_a_wrong_request_is_invalid_params_and_says_what_is_valid(client: Client, case: str) -> None:
    name, arguments, told = REFUSED[case]
    with pytest.raises(MCPError) as refused:
        await client.get_prompt(name, arguments)
    assert refused.value.code == -32602
    assert told in refused.value.message


async def test_an_unknown_tool_is_a_tool_error_with_the_nearest_name(client: Client) -> None:
    result = await client.call_tool("evaluate_dimensions", {})
    assert result.is_error
    assert "use 'evaluate_dimension'" in getattr(result.content[0], "text", "")
