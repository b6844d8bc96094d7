"""R2 and R7 of the design: what was acknowledged is there, after kill -9 and with several processes at once."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from mlestar.storage.changes import ChangeWatch, WindowChange
from mlestar.storage.tables_memory import entries, events, workspaces

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.services.windows import WindowsService
    from mlestar.storage.database import Database

WRITER = Path(__file__).parents[2] / "support" / "writer.py"


async def start(url: str, name: str, count: int) -> asyncio.subprocess.Process:
    """A process that writes."""
    return await asyncio.create_subprocess_exec(
        sys.executable, str(WRITER), url, name, str(count), stdout=asyncio.subprocess.PIPE
    )


async def acknowledged(process: asyncio.subprocess.Process, *, lines: int = -1) -> dict[str, str]:
    """What a writer acknowledged: id -> text; it is killed after `lines` of them."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    while line := await process.stdout.readline():
        if not line.endswith(b"\n"):
            break
        number, text = line.decode().rstrip("\n").split("\t")
        found[number] = text
        if len(found) == lines:
            process.kill()
    await process.wait()
    return found


def stored(connection: Connection) -> dict[str, str]:
    """Every whole entry: id -> text."""
    rows = connection.execute(select(entries.c.number, entries.c.text).where(entries.c.part == 0))
    return {str(number): text for number, text in rows}


async def test_four_processes_lose_no_write_and_count_each_commit(database: Database, windows: WindowsService) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    writers = [await start(url, str(name), 50) for name in range(4)]
    found = await asyncio.gather(*map(acknowledged, writers))
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    everything = {number: text for part in found for number, text in part.items()}
    assert len(everything) == 200
    assert await database.reading(stored) == everything

    def counts(connection: Connection) -> tuple[int, int, int]:
        clock = connection.execute(select(workspaces.c.clock)).scalar_one()
        versions = sum(use.version for use in report.windows)
        per_window = connection.execute(
            select(func.count()).select_from(select(events.c.window, events.c.version).distinct().subquery())
        ).scalar_one()
        return clock, versions, per_window

    report = await windows.report()
    clock, versions, per_window = await database.reading(counts)
    assert clock == 200
    assert versions == per_window


async def test_a_killed_process_loses_no_acknowledged_write(database: Database, windows: WindowsService) -> None:
    """Twenty kills at random moments on SQLite, eight on PostgreSQL, four writers at a time."""
    chance = random.Random(1)  # noqa: S311 - test data
    url = database.engine.url.render_as_string(hide_password=False)
    everything: dict[str, str] = {}
    for turn in range(5 if database.is_sqlite else 2):
        writers = [await start(url, f"{turn}.{name}", 10_000) for name in range(4)]
        found = await asyncio.gather(*(acknowledged(writer, lines=chance.randint(1, 12)) for writer in writers))
        for part in found:
            everything |= part
    kept = await database.reading(stored)
    assert len(everything) >= (20 if database.is_sqlite else 8)
    assert {number: kept.get(number) for number in everything} == everything
    report = await windows.report()
    assert all(use.used <= use.cap for use in report.windows)
    if database.is_sqlite:
        assert await database.reading(
            lambda connection: connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        ) == ["ok"]
    assert (await windows.read(query="accuracy column leak")).total > 0


async def test_changes_of_another_process_are_seen_and_nothing_else_is_reported(
    database: Database, windows: WindowsService
) -> None:
    watch = ChangeWatch(database)
    assert watch.poll() == []
    assert watch.poll() == []
    await windows.update(window=5, content="by this process")
    assert watch.poll() == [WindowChange(workspace="default", window=5, version=1)]
    writer = await start(database.engine.url.render_as_string(hide_password=False), "other", 2)
    await acknowledged(writer)
    assert [(change.window, change.version) for change in watch.poll()] == [(1, 1), (2, 1)]
    assert watch.poll() == []
    watch.close()


async def test_twenty_writes_sent_at_once_all_survive(windows: WindowsService) -> None:
    await asyncio.gather(*(windows.update(window=7, content=f"pipelined {at}") for at in range(20)))
    text = await windows.window_text(window=7)
    assert [text.count(f"pipelined {at}\n") for at in range(20)] == [1] * 20
    assert (await windows.read(window=7)).windows[6].version == 20
