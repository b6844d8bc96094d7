"""A session of the older protocol belongs to the token that began it: another one's does not open it."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import TYPE_CHECKING

import pytest

from mlestar.interfaces.access import digest
from support.patience import PATIENCE_S
from support.rest import Rest, running_server

if TYPE_CHECKING:
    from collections.abc import Generator

GRANTS = [{"name": "same name", "sha256": digest(token)} for token in ("ada-token", "bob-token")]
ACCEPTS = {"Accept": "application/json, text/event-stream"}
LISTING = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "MLESTAR_TOKENS", json.dumps(GRANTS))
        with running_server(tmp_path_factory.mktemp("sessions")) as server:
            yield server


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **ACCEPTS}


def test_a_streamable_session_answers_only_its_own_token(rest: Rest) -> None:
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
        },
    }  # fmt: skip
    begun = rest.post("/mcp", hello, **bearer("ada-token"))
    session = {"Mcp-Session-Id": begun.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert rest.post("/mcp", ready, **bearer("ada-token"), **session).status == 202
    assert rest.post("/mcp", LISTING, **bearer("bob-token"), **session).status == 404
    assert rest.send("DELETE", "/mcp", None, **bearer("bob-token"), **session).status == 404
    own = rest.post("/mcp", LISTING, **bearer("ada-token"), **session)
    assert own.status == 200
    assert "context7_update" in own.text


def test_an_sse_session_takes_messages_only_with_its_own_token(rest: Rest) -> None:
    request = urllib.request.Request(f"{rest.url}/sse", headers=bearer("ada-token"))  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as stream:  # noqa: S310 - our own server
        lines = (line.decode().strip() for line in stream)
        endpoint = next(line.removeprefix("data: ") for line in lines if line.startswith("data: "))
        assert rest.post(endpoint, LISTING, **bearer("bob-token")).status == 404
        assert rest.post(endpoint, LISTING, **bearer("ada-token")).status == 202
