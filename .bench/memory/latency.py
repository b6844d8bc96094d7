"""Latency through a real client over stdio, at 100 and at 100,000 entries, beside a bare SDK echo tool.

Usage: python .bench/memory/latency.py [CALLS]
"""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from mcp import Client, StdioServerParameters

from mlestar.storage import full_text, workspaces
from mlestar.storage import windows as store
from mlestar.storage.database import Database
from support.agent_trace import trace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ECHO = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def echo(text: str) -> str:
    return text
server.run()
"""
TARGETS = {  # operation -> (p50, p95) in ms at 100 entries, at 100,000 entries; 0 = none set
    "write": ((3, 10), (3, 10)),
    "read a window": ((3, 0), (3, 0)),
    "recall": ((10, 0), (50, 0)),
    "think": ((0, 0), (0, 0)),
    "write P4": ((0, 0), (0, 0)),
    "think, goals": ((0, 0), (0, 0)),
}


def fill(folder: Path, entries: int) -> list[str]:
    """Put archived entries, indexed, into a workspace as many writes would have left them; returns questions."""
    texts, facts = trace(1, entries, max(10, entries // 100))
    database = Database(f"sqlite:///{folder / 'mlestar.db'}")
    with database.write() as connection:
        row = workspaces.create(connection, "default", 0.0)
        before = ""
        rows: list[dict[str, Any]] = []
        for number, text in enumerate(texts, start=1):
            rows.append({
                "workspace_id": row.id, "number": number, "part": 0, "home": 7, "shown_in": 7, "priority": 2,
                "pinned": False, "important": False, "kind": "note", "key": "", "tags": [], "state": "archived",
                "level": 4, "text": text, "view": None, "tokens": 0, "verbatim_tokens": 30,
                "sha256": hashlib.sha256(text.encode()).hexdigest(), "follows": number - 1, "superseded_by": 0,
                "touched": number, "created_at": 0.0, "expires_at": None,
            })  # fmt: skip
            full_text.add(connection, row.id, number, text, before)
            before = text
        connection.execute(store.entries.insert(), rows)
        row.clock, row.next_number = entries, entries + 1
        row.windows[7].last_number = entries
        workspaces.save(connection, row, [7])
    database.close()
    return [fact.question for fact in facts]


async def timed(calls: int, call: Callable[[int], Awaitable[Any]]) -> tuple[float, float]:
    """p50 and p95 in ms, after ten calls that do not count."""
    took: list[float] = []
    for at in range(calls + 10):
        begun = time.perf_counter()
        await call(at)
        took.append((time.perf_counter() - begun) * 1000)
    took = sorted(took[10:])
    return statistics.median(took), took[int(len(took) * 0.95)]


async def echo(calls: int) -> tuple[float, float]:
    """The bare server's round trip."""
    server = StdioServerParameters(command=sys.executable, args=["-c", ECHO])
    async with Client(server) as client:
        return await timed(calls, lambda at: client.call_tool("echo", {"text": f"note {at} " * 8}))


async def ours(folder: Path, calls: int, questions: list[str]) -> tuple[dict[str, tuple[float, float]], float]:
    """Each operation's p50 and p95, and the server's resident memory in MB."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "mlestar", "serve"], env={"MLESTAR_DATA_DIR": str(folder)}
    )
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    async with Client(server) as client:

        async def call(name: str, **arguments: Any) -> None:
            result = await client.call_tool(name, arguments)
            if result.is_error:
                raise RuntimeError(str(result.content))

        session = (await client.call_tool("sequential_think", {"thought": "begin"})).structured_content["session"]
        operations: dict[str, Callable[[int], Awaitable[None]]] = {
            "write": lambda at: call(
                "context7_update",
                window=at % 7 + 1,
                priority=2,
                content=f"Write {at} saw recall 0.{at} in region {at % 9}, {time.time_ns()}",
            ),
            "read a window": lambda at: call("context7_read", window=at % 7 + 1),
            "recall": lambda at: call("context7_read", query=questions[at % len(questions)]),
            "think": lambda at: call(
                "sequential_think", thought=f"Step {at}: is it drift or latency?", session=session
            ),
            "write P4": lambda at: call(
                "context7_update", window=1, priority=4, content=f"Decision {at}: keep column {at}, {time.time_ns()}"
            ),
            "think, goals": lambda at: call(
                "sequential_think", thought=f"Step {at}, goals full: is it drift or latency?", session=session
            ),
        }
        found = {name: await timed(calls, operation) for name, operation in operations.items()}
        children = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
        return found, max(child.memory_info().rss for child in children) / 1e6


async def main() -> None:
    """Print the table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    bare = await echo(calls)
    print(f"{'operation':<16}{'entries':>9}{'p50 ms':>9}{'p95 ms':>9}{'x echo':>8}   target p50 / p95")
    print(f"{'bare echo':<16}{'-':>9}{bare[0]:>9.2f}{bare[1]:>9.2f}{1:>8.1f}")
    for at, entries in enumerate((100, 100_000)):
        with tempfile.TemporaryDirectory() as name:
            questions = fill(Path(name), entries)
            found, rss = await ours(Path(name), calls, questions)
        for operation, (p50, p95) in found.items():
            target = TARGETS[operation][at]
            wanted = " / ".join(str(value) if value else "-" for value in target)
            print(f"{operation:<16}{entries:>9,}{p50:>9.2f}{p95:>9.2f}{p50 / bare[0]:>8.1f}   {wanted}")
        ratio = found["think"][0] / found["write"][0]
        print(f"{'think / write':<16}{entries:>9,}{ratio:>9.2f}{'':>17}   2")
        print(f"{'RSS of server':<16}{entries:>9,}{rss:>9.0f} MB{'':>14}   110")


if __name__ == "__main__":
    asyncio.run(main())
