"""The memory on SQLite and on PostgreSQL: recall of planted facts, queries, writes, and writes of several processes.

Usage: python .bench/memory/databases.py [FACTS] [WRITES]
PostgreSQL is started for this, with its own durability settings (fsync on), and vacuumed once after filling, as its own
autovacuum would. Queries and writes go through the services; those of several processes are `tests/support/writer.py`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from recall import ours, ranks

from mlestar.core.tokens import Tokenizer
from mlestar.services.windows import WindowsService
from mlestar.storage import full_text
from mlestar.storage.database import Database
from support import postgres
from support.agent_trace import trace

if TYPE_CHECKING:
    from collections.abc import Generator

SIZES = (1_000, 10_000, 100_000)
AT_ONCE = 1_000
WRITER = Path(__file__).parents[2] / "tests" / "support" / "writer.py"
PROCESSES = 4


@contextmanager
def databases() -> Generator[dict[str, str]]:
    """A fresh database of each kind."""
    binaries = postgres.programs()
    if binaries is None:
        raise SystemExit(postgres.LACKS)
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres.running_postgres(binaries, ()) as server,
        server.database() as url,
    ):
        yield {"SQLite": f"sqlite:///{Path(folder) / 'memory.db'}", "PostgreSQL": url}


def fill(database: Database, texts: list[str]) -> None:
    """Index the texts as so many writes would have left them."""
    before = ""
    for start in range(0, len(texts), AT_ONCE):
        with database.write() as connection:
            for number, text in enumerate(texts[start : start + AT_ONCE], start=start + 1):
                full_text.add(connection, 1, number, text, before)
                before = text
    if not database.is_sqlite:
        with database.engine.connect() as plain:
            plain.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE entry_terms")


def quantiles(took: list[float]) -> str:
    return f"{statistics.median(took):>9.2f}{sorted(took)[int(len(took) * 0.95)]:>9.2f}"


def recall(wanted: int) -> None:
    print(f"{'search':<12}{'entries':>9}{'R@10':>8}{'MRR':>8}{'p50 ms':>9}{'p95 ms':>9}")
    for size in SIZES:
        texts, facts = trace(7, size, min(wanted, size // 10))
        with databases() as urls:
            for name, url in urls.items():
                database = Database(url)
                fill(database, texts)
                with database.read() as connection:
                    found, took = ranks(facts, partial(ours, connection, size))
                mean = sum(1 / rank for rank in found if rank) / len(found)
                print(f"{name:<12}{size:>9,}{sum(map(bool, found)) / len(found):>8.1%}{mean:>8.3f}{quantiles(took)}")
                database.close()


async def writes(url: str, count: int) -> list[float]:
    """Each write's time in ms, through the service, after ten that do not count."""
    database = Database(url)
    windows = WindowsService(database=database, tokenizer=Tokenizer())
    took: list[float] = []
    for at in range(count + 10):
        begun = time.perf_counter()
        await windows.update(window=at % 7 + 1, content=f"Write {at} saw recall 0.{at} in region {at % 9}", priority=2)
        took.append((time.perf_counter() - begun) * 1000)
    database.close()
    return took[10:]


def together(url: str, count: int) -> float:
    """Writes a second of several processes at once, their start not counted."""
    command = [sys.executable, str(WRITER), url]
    each = str(count // PROCESSES)
    writers = [subprocess.Popen([*command, str(at), each], stdout=subprocess.PIPE) for at in range(PROCESSES)]
    for writer in writers:
        if writer.stdout is not None:
            writer.stdout.readline()
    begun = time.perf_counter()
    done = [writer.communicate()[0].count(b"\n") for writer in writers]
    return sum(done) / (time.perf_counter() - begun)


def main() -> None:
    """Print both tables."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    recall(wanted)
    print(f"\n{'write':<12}{'p50 ms':>9}{'p95 ms':>9}{f'{PROCESSES} processes: writes/s':>28}")
    with databases() as urls:
        for name, url in urls.items():
            took = asyncio.run(writes(url, count))
            print(f"{name:<12}{quantiles(took)}{together(url, count):>28.0f}")


if __name__ == "__main__":
    main()
