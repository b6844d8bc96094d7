from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mlestar.interfaces.access import digest
from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.conftest import Era

    from support.rest import Rest

API = "/api/mle-star"
GRANTS = [
    {"name": "team", "sha256": digest("team-token"), "workspaces": ["team"]},
    {"name": "viewer", "sha256": digest("viewer-token"), "workspaces": ["*"], "read_only": True},
]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def rest(data_dir: Path) -> Generator[Rest]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "MLESTAR_TOKENS", json.dumps(GRANTS))
        patch.setitem(os.environ, "MLESTAR_ALLOWED_ORIGINS", '["https://platform.example"]')
        with running_server(data_dir, "--token", "root-token") as server:
            yield server


def update(workspace: str) -> dict[str, Any]:
    return {"windowId": 1, "content": "x", "workspace": workspace}


CASES = {
    "no token is refused": ("", "GET", "/score", None, 401),
    "an unknown token is refused": ("nobody", "GET", "/score", None, 401),
    "the server's token opens everything": ("root-token", "POST", "/context7/update", update("any"), 200),
    "a workspace token opens its own": ("team-token", "POST", "/context7/update", update("team"), 200),
    "a workspace token writes to no other": ("team-token", "POST", "/context7/update", update("other"), 403),
    "a workspace token reads no other": ("team-token", "GET", "/score?workspace=other", None, 403),
    "a workspace token does not open the default": ("team-token", "GET", "/score", None, 403),
    "a workspace in the query does not open another in the body": (
        "team-token",
        "POST",
        "/context7/update?workspace=team",
        update("other"),
        403,
    ),
    "a workspace in the query does not open the default": (
        "team-token",
        "POST",
        "/context7/update?workspace=team",
        {"windowId": 1, "content": "x"},
        403,
    ),
    "a workspace in the body does not open another in the query": (
        "team-token",
        "POST",
        "/pipeline/runs/any/cancel?workspace=other",
        {"workspace": "team"},
        403,
    ),
    "an empty workspace is not every workspace": ("team-token", "GET", "/pipeline/runs/any?workspace=", None, 403),
    "the alerts of another workspace stay closed": ("team-token", "GET", "/alerts?workspace=other", None, 403),
    "the events of another workspace stay closed": ("team-token", "GET", "/events?workspace=other", None, 403),
    "a read-only token reads": ("viewer-token", "GET", "/score?workspace=any", None, 200),
    "a read-only token does not write": ("viewer-token", "POST", "/context7/update", update("any"), 403),
}


@pytest.mark.parametrize("case", CASES)
def test_rest_access(rest: Rest, case: str) -> None:
    token, method, path, body, status = CASES[case]
    answer = rest.send(method, API + path, body, **(bearer(token) if token else {}))
    assert answer.status == status, answer.text
    if status >= 400:
        assert set(answer.json) >= {"error", "message", "code"}


def test_a_refusal_carries_the_security_headers_too(rest: Rest) -> None:
    headers = {name.lower() for name in rest.get(f"{API}/score").headers}
    assert {"www-authenticate", "content-security-policy", "x-content-type-options"} <= headers


def test_a_browser_of_an_allowed_origin_may_ask_first_and_read_a_refusal(rest: Rest) -> None:
    origin = {"Origin": "https://platform.example"}
    asked = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert rest.send("OPTIONS", f"{API}/score", **asked).status == 200
    refused = rest.get(f"{API}/score", **origin)
    assert refused.status == 401
    assert {name.lower(): value for name, value in refused.headers.items()}["access-control-allow-origin"] == (
        "https://platform.example"
    )
    strange = rest.send("OPTIONS", f"{API}/score", **{**asked, "Origin": "https://other.example"})
    assert strange.status == 400


def test_a_browser_may_send_the_token_as_a_password(rest: Rest) -> None:
    basic = base64.b64encode(b"me:root-token").decode()
    assert rest.get(f"{API}/score", Authorization=f"Basic {basic}").status == 200


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_mcp_tools_and_resources_obey_the_token(rest: Rest, mode: Era) -> None:
    import httpx2

    async with (
        httpx2.AsyncClient(headers=bearer("team-token")) as http,
        Client(streamable_http_client(f"{rest.url}/mcp", http_client=http), mode=mode) as client,
    ):
        own = await client.call_tool("context7_update", {"window": 1, "content": "ours", "workspace": "team"})
        assert not own.is_error
        other = await client.call_tool("context7_read", {"workspace": "other"})
        assert other.is_error
        assert "FORBIDDEN" in getattr(other.content[0], "text", "")
        with pytest.raises(Exception, match="FORBIDDEN"):
            await client.read_resource("context7://other/window/1")


def test_writes_and_refusals_are_in_the_audit_log_without_tokens(rest: Rest, data_dir: Path) -> None:
    rest.post(f"{API}/context7/update", update("team"), **bearer("team-token"))
    rest.post(f"{API}/context7/update", update("other"), **bearer("team-token"))
    text = (data_dir / "audit.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    mine = [(line["who"], line["workspace"], line["outcome"]) for line in lines]
    assert ("team", "team", "allowed") in mine
    assert ("team", "other", "refused") in mine
    assert "token" not in text.replace("mlestar_token", "")


def test_blanks_around_a_header_are_not_part_of_it(rest: Rest) -> None:
    assert rest.get(f"{API}/score", Authorization=" \t Bearer root-token \t ").status == 200
