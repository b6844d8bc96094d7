"""Writes of several processes at once, and writes of processes that are killed: what was acknowledged is there.

Usage: PYTHONPATH=tests python .bench/memory/processes.py [KILLS] [WRITES]     (default 200 kills, 4 x 250 writes)
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import select

from mlestar.storage.database import Database
from mlestar.storage.tables_memory import entries, workspaces

WRITER = Path(__file__).parents[2] / "tests" / "support" / "writer.py"
PROCESSES = 4


async def write(url: str, name: str, count: int, kill_after: int = 0) -> dict[int, str]:
    """Run a writer, killed with SIGKILL at a random moment after so many lines; returns what it acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(WRITER), url, name, str(count), stdout=asyncio.subprocess.PIPE
    )
    if process.stdout is None:
        raise RuntimeError("the writer has no output")
    found: dict[int, str] = {}
    while (line := await process.stdout.readline()).endswith(b"\n"):
        number, text = line.decode().rstrip("\n").split("\t")
        found[int(number)] = text
        if kill_after and len(found) == kill_after:
            await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - a benchmark's data
            process.kill()
    await process.wait()
    if not kill_after and process.returncode != 0:
        raise RuntimeError(f"writer {name} ended with {process.returncode}")
    return found


def check(database: Database, acknowledged: dict[int, str]) -> tuple[int, int, str]:
    """Acknowledged writes that are missing or differ, commits counted, and SQLite's integrity check."""
    with database.read() as connection:
        rows = connection.execute(select(entries.c.number, entries.c.text).where(entries.c.part == 0))
        kept = {int(number): str(text) for number, text in rows}
        lost = sum(kept.get(number) != text for number, text in acknowledged.items())
        commits = connection.execute(select(workspaces.c.clock)).scalar_one()
        healthy = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    return lost, commits, healthy


async def main() -> None:
    """Print the table."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    writes = int(sys.argv[2]) if len(sys.argv) > 2 else 250
    print(f"{'what':<28}{'acknowledged':>13}{'lost':>6}{'commits':>9}{'integrity':>11}{'s':>8}")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'm.db'}"
        begun = time.perf_counter()
        parts = await asyncio.gather(*(write(url, str(name), writes) for name in range(PROCESSES)))
        acknowledged = {number: text for part in parts for number, text in part.items()}
        took = time.perf_counter() - begun
        lost, commits, healthy = check(Database(url), acknowledged)
        lost += PROCESSES * writes - len(acknowledged)
        name = f"{PROCESSES} processes x {writes}"
        print(f"{name:<28}{len(acknowledged):>13}{lost:>6}{commits:>9}{healthy:>11}{took:>8.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'm.db'}"
        begun = time.perf_counter()
        everything: dict[int, str] = {}
        for turn in range(kills // PROCESSES):
            jobs = (write(url, f"{turn}.{n}", 100_000, random.randint(1, 15)) for n in range(PROCESSES))  # noqa: S311 - a benchmark's data
            for part in await asyncio.gather(*jobs):
                everything |= part
        lost, commits, healthy = check(Database(url), everything)
        took = time.perf_counter() - begun
        name = f"{kills // PROCESSES * PROCESSES} kills (SIGKILL)"
        print(f"{name:<28}{len(everything):>13}{lost:>6}{commits:>9}{healthy:>11}{took:>8.1f}")


if __name__ == "__main__":
    asyncio.run(main())
