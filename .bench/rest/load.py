"""Many clients at once, mixing reads, writes and thoughts: errors, lost writes, p50 and p99; then SIGTERM with streams.

Usage: python .bench/rest/load.py [SECONDS] [CLIENTS]   (default 60 and 200)
Every acknowledged write and thought carries a text of its own and is looked for afterwards, by a new process on the
same data folder. At the end the server is told to stop while streams are open; it must be gone within 3 s.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from mlestar.app import Services
from mlestar.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[2] / ".ci"))
from serving import free_port, serving

API = "/api/mle-star"
WORKSPACES = 8
STREAMS = 10
STOP_S = 3.0


@dataclass
class Seen:
    """What all clients met."""

    took_ms: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter[str])
    written: dict[tuple[str, str], str] = field(default_factory=dict)  # (workspace, entry) -> its text


async def client(http: httpx2.AsyncClient, number: int, until: float, seen: Seen) -> None:
    """Reads six, writes three, thinks one of ten calls."""
    chance = random.Random(number)  # noqa: S311 - spreads the calls, guards nothing
    workspace = f"load-{number % WORKSPACES}"
    count = 0
    while time.monotonic() < until:
        count += 1
        text = f"client {number} wrote note {count}"
        match chance.randrange(10):
            case 0:
                kind, path = "think", f"{API}/context7/sequential-think"
                body = {"problem": f"problem of client {number}", "steps": [text], "workspace": workspace}
                call = http.post(path, json=body)
            case 1 | 2 | 3:
                kind = "write"
                body = {"windowId": chance.randint(1, 7), "content": text, "workspace": workspace}
                call = http.post(f"{API}/context7/update", json=body)
            case 4 | 5:
                kind, call = "score", http.get(f"{API}/score", params={"workspace": workspace})
            case _:
                path = f"{API}/context7/windows/{chance.randint(1, 7)}"
                kind, call = "read", http.get(path, params={"workspace": workspace})
        began = time.perf_counter()
        try:
            answer = await call
        except httpx2.HTTPError as error:
            seen.errors[f"{kind}: {type(error).__name__}"] += 1
            continue
        seen.took_ms.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            seen.errors[f"{kind}: HTTP {answer.status_code} {answer.text[:80]}"] += 1
        elif kind == "write":
            seen.written[workspace, answer.json()["receipt"]["ids"][0]] = text


async def stop_with_streams(url: str, process: int) -> float:
    """Seconds from SIGTERM until every open stream has ended."""
    async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
        opened = asyncio.Semaphore(0)

        async def listen() -> None:
            async with http.stream("GET", f"{API}/events") as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("id:"):
                        opened.release()

        listening = [asyncio.create_task(listen()) for _ in range(STREAMS)]
        for _ in listening:
            await asyncio.wait_for(opened.acquire(), 20)
        began = time.monotonic()
        os.kill(process, signal.SIGTERM)
        await asyncio.gather(*listening)
        return time.monotonic() - began


async def lost(folder: str, written: dict[tuple[str, str], str]) -> int:
    """Acknowledged writes that a new process does not find, byte for byte."""
    services = Services(Settings(data_dir=Path(folder)))
    missing = 0
    for (workspace, entry), text in written.items():
        missing += await services.windows.entry_text(workspace=workspace, id=entry) != text
    services.close()
    return missing


async def run(url: str, seconds: float, clients: int) -> Seen:
    """All clients, each with a connection of its own."""
    seen = Seen()
    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx2.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
        until = time.monotonic() + seconds
        await asyncio.gather(*(client(http, number, until, seen) for number in range(clients)))
    return seen


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    os.environ["MLESTAR_MAX_REQUESTS_PER_MINUTE"] = "10000000"  # all clients come from one address
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        port = free_port()
        command = [sys.executable, "-m", "mlestar", "serve", "--transport", "http", "--port", str(port)]
        started: list[subprocess.Popen[bytes]] = []
        with serving([*command, "--data-dir", folder], port, started=started) as url:
            seen = asyncio.run(run(url, seconds, clients))
            began = time.monotonic()
            streams = asyncio.run(stop_with_streams(url, started[0].pid))
            started[0].wait(timeout=20)
            stopped = time.monotonic() - began
        missing = asyncio.run(lost(folder, seen.written))
    calls = sum(map(len, seen.took_ms.values()))
    print(f"{clients} clients, {seconds:.0f} s: {calls} calls, {calls / seconds:.0f} a second")
    for kind, took in sorted(seen.took_ms.items()):
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[-1]
        print(f"  {kind:6} {len(took):6} calls  p50 {p50:8.1f} ms  p99 {p99:8.1f} ms")
    print(f"errors: {sum(seen.errors.values())} {dict(seen.errors.most_common(5))}")
    print(f"lost of {len(seen.written)} acknowledged writes: {missing}")
    print(f"SIGTERM with {STREAMS} open streams: they ended after {streams:.2f} s, the process within {stopped:.2f} s")
    return int(bool(seen.errors or missing or streams > STOP_S))


if __name__ == "__main__":
    sys.exit(main())
