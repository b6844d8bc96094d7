from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, StdioServerParameters

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.conftest import Era

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "acceptance", "version": "1"},
}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "acceptance", "version": "1"},
}


class Wire:
    """A client that speaks frames, so that a test sees every byte."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self.process, self._write, self._read = process, process.stdin, process.stdout
        self._last = 0

    def send(self, frame: dict[str, Any]) -> None:
        self._write.write(json.dumps({"jsonrpc": "2.0", **frame}) + "\n")
        self._write.flush()

    def request(self, method: str, params: dict[str, Any]) -> str:
        self._last += 1
        self.send({"id": self._last, "method": method, "params": params})
        return self._read.readline()

    def initialize(self) -> str:
        answer = self.request("initialize", INITIALIZE)
        self.send({"method": "notifications/initialized"})
        return answer

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        return json.loads(self.request("tools/call", {"name": tool, "arguments": arguments}))["result"]


@contextmanager
def server(data_dir: Path) -> Generator[Wire]:
    command = [sys.executable, "-m", "mlestar", "serve", "--data-dir", str(data_dir)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield Wire(process)
        process.kill()


def test_the_first_byte_on_stdout_is_a_brace(tmp_path: Path) -> None:
    with server(tmp_path) as wire:
        assert wire.initialize().startswith("{")


def test_a_kill_right_after_an_acknowledged_update_loses_nothing(tmp_path: Path) -> None:
    with server(tmp_path) as wire:
        wire.initialize()
        receipt = wire.call("context7_update", window=1, content="keep me", priority=5)["structuredContent"]
        wire.process.kill()
    with server(tmp_path) as wire:
        wire.initialize()
        read = wire.call("context7_read", id=receipt["ids"][0])["structuredContent"]
    assert read["entries"][0]["text"] == "keep me"


def test_a_client_that_discovers_and_then_initializes_is_served(tmp_path: Path) -> None:
    with server(tmp_path) as wire:
        assert "capabilities" in json.loads(wire.request("server/discover", {"_meta": MODERN}))["result"]
        assert json.loads(wire.initialize())["result"]["protocolVersion"] == "2025-11-25"
        assert "tools" in json.loads(wire.request("tools/list", {}))["result"]


def test_the_server_ends_with_its_client(tmp_path: Path) -> None:
    with server(tmp_path) as wire:
        wire.initialize()
        assert wire.process.stdin
        wire.process.stdin.close()
        assert wire.process.wait(timeout=PATIENCE_S) == 0


def test_an_error_goes_to_the_log_on_stderr_and_a_frame_that_is_not_json_does_not_end_the_server(
    tmp_path: Path,
) -> None:
    with server(tmp_path) as wire:
        wire.initialize()
        assert wire.process.stdin
        wire.process.stdin.write("this is not a frame\n")
        wire.process.stdin.flush()
        assert "tools" in wire.request("tools/list", {})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_both_eras_list_and_call_over_a_real_process(tmp_path: Path, mode: Era) -> None:
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "mlestar", "serve", "--data-dir", str(tmp_path)]
    )
    async with Client(parameters, mode=mode) as client:
        assert client.protocol_version == ("2026-07-28" if mode == "auto" else "2025-11-25")
        assert len((await client.list_tools()).tools) == 9
        result = await client.call_tool("get_score", {})
        assert not result.is_error
        assert result.structured_content
        assert result.structured_content["score"]["overall"] == 0
