"""Each client configuration is started as written and talked to, with the handshake that clients send today."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from support.rest import running_server

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "examples" / "clients"
PLACEHOLDER = "/path/to/your/projects"
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def entry(name: str, **variables: str) -> dict[str, Any]:
    """The one server of a configuration, its variables replaced as the client replaces them."""
    text = (CLIENTS / f"{name}.json").read_text(encoding="utf-8")
    text = VARIABLE.sub(lambda match: variables.get(match[1], match[2] or match[0]), text)
    (servers,) = json.loads(text).values()
    (server,) = servers.values()
    return server


def environment(data_dir: Path) -> dict[str, str]:
    """A user's: `mlestar` is on the path, and the data folder is the test's own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "MLESTAR_DATA_DIR": str(data_dir)}


@pytest.mark.parametrize("name", ["claude-desktop", "claude-code", "vscode", "cursor"])
async def test_a_configured_command_starts_and_may_read_that_folder_only(name: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    configured = entry(name, workspaceFolder=str(project))
    arguments = [str(project) if argument == PLACEHOLDER else argument for argument in configured["args"]]
    assert not any("$" in argument for argument in arguments), "a variable that nothing replaces"
    parameters = StdioServerParameters(
        command=configured["command"], args=arguments, cwd=project, env=environment(tmp_path / "state")
    )
    async with Client(parameters, mode="legacy") as client:
        assert len((await client.list_tools()).tools) == 9
        outside = await client.call_tool("evaluate_dimension", {"dimension": "scoping", "project": str(tmp_path)})
        error = (outside.structured_content or {})["error"]
        assert (error["code"], error["valid"]) == ("OUTSIDE_ROOTS", [str(project)])


async def test_the_configured_address_and_header_reach_a_server_with_a_token(tmp_path: Path) -> None:
    configured = entry("http", MLESTAR_TOKEN="secret")  # noqa: S106 - the test server's own
    assert configured["url"] == "http://127.0.0.1:8765/mcp", "the address that mlestar serve listens on by default"
    with running_server(tmp_path, "--token", "secret") as server:
        url = configured["url"].replace("http://127.0.0.1:8765", server.url)
        async with (
            create_mcp_http_client(headers=configured["headers"]) as http,
            Client(streamable_http_client(url, http_client=http), mode="legacy") as client,
        ):
            assert len((await client.list_tools()).tools) == 9


def test_every_configuration_is_described_and_every_description_is_of_a_configuration() -> None:
    described = (CLIENTS / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`([\w-]+\.json)` \| ", described)) == {file.name for file in CLIENTS.glob("*.json")}


def test_the_readme_s_configuration_is_the_desktop_s() -> None:
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    desktop = json.loads((CLIENTS / "claude-desktop.json").read_text(encoding="utf-8"))
    assert desktop in [json.loads(block) for block in blocks]
