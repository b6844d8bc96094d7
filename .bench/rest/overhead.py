"""What REST and MCP add to a service call, in milliseconds: the target is 3 ms each at p50.

Usage: python .bench/rest/overhead.py [CALLS]
One data folder; the service is called in this process, REST and MCP (streamable HTTP) over one kept connection each to
a server process. Rounds alternate between the three, so that a machine under load bends all of them alike; p5 is
what is left when other work did not get in between.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
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
    from collections.abc import Awaitable, Callable

API = "/api/mle-star"
WARM_UP = 10
TARGET_MS = 3.0


async def measure(calls: dict[str, Callable[[], Awaitable[Any]]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each call, by name."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + WARM_UP):
        for name, call in calls.items():
            began = time.perf_counter()
            await call()
            if turn >= WARM_UP:
                took[name].append((time.perf_counter() - began) * 1000)
    return took


def show(what: str, took: dict[str, list[float]]) -> None:
    base = statistics.median(took["service"])
    for name, values in took.items():
        (p5, *_, p95), p50 = statistics.quantiles(values, n=20), statistics.median(values)
        least = p5 - statistics.quantiles(took["service"], n=20)[0]
        verdict = "ok" if p50 - base <= TARGET_MS else "MISSED"
        added = "" if name == "service" else f"  adds {p50 - base:6.2f} at p50 {verdict}, {least:6.2f} at p5"
        print(f"{what:14} {name:8} p5 {p5:7.2f}  p50 {p50:7.2f}  p95 {p95:7.2f}{added}")


async def run(url: str, services: Services, rounds: int) -> None:
    score = {"workspace": "bench"}
    await services.evaluation.evaluate(workspace="bench", dimension="all", evidence={"modelMetrics": {"accuracy": 0.9}})
    async with (
        httpx2.AsyncClient(base_url=url) as http,
        Client(streamable_http_client(f"{url}/mcp")) as mcp,
    ):
        body = {"windowId": 1, "content": "a note of some words", "workspace": "bench"}
        arguments = {"window": 1, "content": "a note of some words", "workspace": "bench"}
        cases: dict[str, dict[str, Callable[[], Awaitable[Any]]]] = {
            "get_score": {
                "service": lambda: services.scores.score(workspace="bench"),
                "REST": lambda: http.get(f"{API}/score", params=score),
                "MCP": lambda: mcp.call_tool("get_score", score),
            },
            "read a window": {
                "service": lambda: services.windows.read(workspace="bench", window=1),
                "REST": lambda: http.get(f"{API}/context7/windows/1", params=score),
                "MCP": lambda: mcp.call_tool("context7_read", {"window": 1, **score}),
            },
            "write": {
                "service": lambda: services.windows.update(workspace="bench", window=1, content=body["content"]),
                "REST": lambda: http.post(f"{API}/context7/update", json=body),
                "MCP": lambda: mcp.call_tool("context7_update", arguments),
            },
        }
        for what, calls in cases.items():
            show(what, await measure(calls, rounds))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        services = Services(Settings(data_dir=Path(folder)))
        port = free_port()
        command = [sys.executable, "-m", "mlestar", "serve", "--transport", "http", "--port", str(port)]
        with serving([*command, "--data-dir", folder], port) as url:
            asyncio.run(run(url, services, rounds))
        services.close()


if __name__ == "__main__":
    main()
