"""What REST and MCP add to a service call, in milliseconds: the target is 3 ms each at p50.

Usage: python .bench/rest/overhead.py [CALLS]
One data folder; the service is called in this process, REST and MCP (streamable HTTP) over one kept connection each to
a server process, both by the same HTTP client, and MCP by the SDK's client too, whose own work is then included. The
SDK's echo tool on a bare server stands beside them: what no product on that SDK can be below. Calls alternate in
blocks, so that a machine under load bends all alike; p5 is what is left when other work did not get in between.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mlestar.app import Services
from mlestar.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[2] / ".ci"))
from serving import free_port, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

API = "/api/mle-star"
BLOCK = 20
TARGET_MS = 3.0
VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "overhead", "version": "1"},
}
BARE = """
import sys
import uvicorn
from mcp.server import MCPServer
from starlette.responses import PlainTextResponse
server = MCPServer("bare", log_level="ERROR")

@server.tool()
async def echo(text: str) -> str:
    return text

app = server.streamable_http_app(streamable_http_path="/mcp")
app.add_route("/health", lambda request: PlainTextResponse("ok"))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""
identifiers = count(1)


async def posted(http: httpx2.AsyncClient, tool: str, arguments: dict[str, Any]) -> None:
    """Call a tool with the frame that the protocol asks for and nothing around it.

    Raises:
        RuntimeError: The answer is an error.
    """
    answer = await http.post(
        "/mcp",
        json={
            "jsonrpc": "2.0",
            "id": next(identifiers),
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments, "_meta": META},
        },
        headers={
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": VERSION,
            "mcp-method": "tools/call",
            "mcp-name": tool,
        },
    )
    if answer.json().get("result", {}).get("isError", True):
        raise RuntimeError(answer.text)


async def measure(calls: dict[str, Callable[[], Awaitable[Any]]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each call, by name; the first block of each warms up."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for block in range(rounds // BLOCK + 1):
        for name, call in calls.items():
            for _ in range(BLOCK):
                began = time.perf_counter()
                await call()
                if block:
                    took[name].append((time.perf_counter() - began) * 1000)
    return took


def show(what: str, took: dict[str, list[float]]) -> None:
    base = statistics.median(took["service"]) if "service" in took else 0.0
    least = statistics.quantiles(took["service"], n=20)[0] if "service" in took else 0.0
    for name, values in took.items():
        (p5, *_, p95), p50 = statistics.quantiles(values, n=20), statistics.median(values)
        verdict = "ok" if p50 - base <= TARGET_MS else "MISSED"
        added = f"  adds {p50 - base:6.2f} at p50 {verdict}, {p5 - least:6.2f} at p5" if name in {"REST", "MCP"} else ""
        added = added or (f"  adds {p50 - base:6.2f} at p50" if name == "MCP, SDK client" else "")
        print(f"{what:14} {name:15} p5 {p5:7.2f}  p50 {p50:7.2f}  p95 {p95:7.2f}{added}")


async def run(url: str, bare: str, services: Services, rounds: int) -> None:
    score = {"workspace": "bench"}
    await services.evaluation.evaluate(workspace="bench", dimension="all", evidence={"modelMetrics": {"accuracy": 0.9}})
    async with (
        httpx2.AsyncClient(base_url=url) as http,
        httpx2.AsyncClient(base_url=bare) as echo,
        Client(streamable_http_client(f"{url}/mcp")) as mcp,
        Client(streamable_http_client(f"{bare}/mcp")) as echo_mcp,
    ):
        body = {"windowId": 1, "content": "a note of some words", "workspace": "bench"}
        arguments = {"window": 1, "content": "a note of some words", "workspace": "bench"}
        text = {"text": body["content"]}
        cases: dict[str, dict[str, Callable[[], Awaitable[Any]]]] = {
            "bare SDK echo": {
                "MCP": lambda: posted(echo, "echo", text),
                "MCP, SDK client": lambda: echo_mcp.call_tool("echo", text),
            },
            "get_score": {
                "service": lambda: services.scores.score(workspace="bench"),
                "REST": lambda: http.get(f"{API}/score", params=score),
                "MCP": lambda: posted(http, "get_score", score),
                "MCP, SDK client": lambda: mcp.call_tool("get_score", score),
            },
            "read a window": {
                "service": lambda: services.windows.read(workspace="bench", window=1),
                "REST": lambda: http.get(f"{API}/context7/windows/1", params=score),
                "MCP": lambda: posted(http, "context7_read", {"window": 1, **score}),
                "MCP, SDK client": lambda: mcp.call_tool("context7_read", {"window": 1, **score}),
            },
            "write": {
                "service": lambda: services.windows.update(workspace="bench", window=1, content=body["content"]),
                "REST": lambda: http.post(f"{API}/context7/update", json=body),
                "MCP": lambda: posted(http, "context7_update", arguments),
                "MCP, SDK client": lambda: mcp.call_tool("context7_update", arguments),
            },
        }
        for what, calls in cases.items():
            show(what, await measure(calls, rounds))


@contextmanager
def served(folder: str) -> Generator[tuple[str, str]]:
    """The addresses of the product and of the bare server."""
    port, bare = free_port(), free_port()
    command = [sys.executable, "-m", "mlestar", "serve", "--transport", "http", "--port", str(port)]
    with (
        serving([*command, "--data-dir", folder], port) as url,
        serving([sys.executable, "-c", BARE, str(bare)], bare) as echo,
    ):
        yield url, echo


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        services = Services(Settings(data_dir=Path(folder)))
        with served(folder) as (url, bare):
            asyncio.run(run(url, bare, services, rounds))
        services.close()


if __name__ == "__main__":
    main()
