from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from mcp import Client
from mcp.client.sse import sse_client

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.conftest import Era

START_S = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(tmp_path: Path, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    serve = [sys.executable, "-m", "mlestar", "serve", "--transport", "http"]
    process = subprocess.Popen([*serve, "--port", str(port), "--data-dir", str(tmp_path), *options])
    return process, f"http://127.0.0.1:{port}"


def wait_until_healthy(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:  # noqa: S310 - our own server
                assert json.load(answer)["status"] == "ok"
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            continue
    pytest.fail(f"no answer from {url} within {START_S} s")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    process, address = start(tmp_path_factory.mktemp("http"))
    wait_until_healthy(process, address)
    yield address
    process.terminate()
    process.wait(timeout=10)


def status_of(url: str, **headers: str) -> int:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}).encode()
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    request = urllib.request.Request(f"{url}/mcp", data=body, headers=sent | headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_both_eras_work_over_streamable_http(url: str, mode: Era) -> None:
    async with Client(f"{url}/mcp", mode=mode) as client:
        assert len((await client.list_tools()).tools) == 9
        await client.call_tool("context7_update", {"window": 2, "content": f"over http, {mode}"})
        read = await client.call_tool("context7_read", {"window": 2})
        assert f"over http, {mode}" in getattr(read.content[0], "text", "")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_both_eras_work_over_sse(url: str, mode: Era) -> None:
    async with Client(sse_client(f"{url}/sse"), mode=mode) as client:
        assert len((await client.list_tools()).tools) == 9


@pytest.mark.parametrize(
    ("header", "value", "status"), [("Host", "evil.example", 421), ("Origin", "http://evil.example", 403)]
)
def test_a_foreign_host_or_origin_is_refused(url: str, header: str, value: str, status: int) -> None:
    assert status_of(url, **{header: value}) == status


def test_a_token_is_asked_of_everything_but_health(tmp_path: Path) -> None:
    process, address = start(tmp_path, "--token", "correct")
    try:
        wait_until_healthy(process, address)
        assert status_of(address) == 401
        assert status_of(address, Authorization="Bearer wrong") == 401
        assert status_of(address, Authorization="Bearer correct") != 401
    finally:
        process.kill()
        process.wait(timeout=10)


def test_listening_off_loopback_without_a_token_is_refused(tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "mlestar", "serve", "--transport", "http", "--data-dir", str(tmp_path)]
    done = subprocess.run(
        [*serve, "--host", "0.0.0.0"],  # noqa: S104 - it must be refused
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "--token" in done.stderr
    assert done.stdout == ""
