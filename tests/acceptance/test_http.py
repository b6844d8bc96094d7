from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from mcp import Client
from mcp.client.sse import sse_client

from support.patience import PATIENCE_S
from support.rest import Rest, running_server

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.conftest import Era


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with running_server(tmp_path_factory.mktemp("http")) as server:
        yield server


def status_of(rest: Rest, **headers: str) -> int:
    accepts = {"Accept": "application/json, text/event-stream"}
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    return rest.post("/mcp", listing, **accepts, **headers).status


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_both_eras_work_over_streamable_http(rest: Rest, mode: Era) -> None:
    async with Client(f"{rest.url}/mcp", mode=mode) as client:
        assert len((await client.list_tools()).tools) == 9
        await client.call_tool("context7_update", {"window": 2, "content": f"over http, {mode}"})
        read = await client.call_tool("context7_read", {"window": 2})
        assert f"over http, {mode}" in getattr(read.content[0], "text", "")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_both_eras_work_over_sse(rest: Rest, mode: Era) -> None:
    async with Client(sse_client(f"{rest.url}/sse"), mode=mode) as client:
        assert len((await client.list_tools()).tools) == 9


@pytest.mark.parametrize(
    ("header", "value", "status"), [("Host", "evil.example", 421), ("Origin", "http://evil.example", 403)]
)
def test_a_foreign_host_or_origin_is_refused(rest: Rest, header: str, value: str, status: int) -> None:
    assert status_of(rest, **{header: value}) == status


def test_a_token_is_asked_of_everything_but_health(tmp_path: Path) -> None:
    with running_server(tmp_path, "--token", "correct") as rest:
        assert status_of(rest) == 401
        assert status_of(rest, Authorization="Bearer wrong") == 401
        assert status_of(rest, Authorization="Bearer correct") not in {401, 403}
        assert rest.get("/api/mle-star/score").status == 401


def test_listening_off_loopback_without_a_token_is_refused(tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "mlestar", "serve", "--transport", "http", "--data-dir", str(tmp_path)]
    done = subprocess.run(
        [*serve, "--host", "0.0.0.0"],  # noqa: S104 - it must be refused
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "--token" in done.stderr
    assert done.stdout == ""
