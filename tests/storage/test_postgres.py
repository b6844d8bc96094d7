"""What only a database on a server can do: be away, end connections, be held by another machine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from mlestar.errors import Unavailable
from mlestar.services.memory.watch import WindowWatch
from mlestar.services.windows import WindowsService
from mlestar.storage import postgres
from mlestar.storage.changes import ChangeWatch, WindowChange
from mlestar.storage.database import Database
from support.boards import TOKENIZER
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from support.postgres import Server


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    made = Database(postgres_url)
    yield made
    made.close()


@pytest.fixture
def windows(database: Database) -> WindowsService:
    return WindowsService(database=database, tokenizer=TOKENIZER)


def name_of(database: Database) -> str:
    return str(database.engine.url.database)


def end_connections(server: Server, database: Database) -> None:
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name_of(database)}'")  # noqa: S608 - our own name


async def polls(watch: ChangeWatch) -> list[WindowChange]:
    """What the first poll that finds something finds, once there is something to look at."""
    while True:
        await anyio.wait_readable(watch.socket or 0)
        if found := watch.poll():
            return found


def test_writes_of_two_servers_queue(database: Database) -> None:
    other = Database(database.engine.url.render_as_string(hide_password=False))
    order: list[str] = []

    def second() -> None:
        with other.write():
            order.append("second")

    with database.write() as connection:
        waiting = threading.Thread(target=second)
        waiting.start()
        while not connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one():
            order.append("first")
            del order[1:]
        order.append("first commits")
    waiting.join(PATIENCE_S)
    other.close()
    assert order[-2:] == ["first commits", "second"]


def test_a_write_that_another_server_holds_up_too_long_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Database(database.engine.url.render_as_string(hide_password=False))
    with database.write():
        monkeypatch.setattr(postgres, "WRITE_WAIT_S", 1)
        with pytest.raises(Unavailable, match=r"busy for 1 s; nothing was written.*call again"), other.write():
            pass
    with other.write():  # and it goes on afterwards
        pass
    other.close()


def test_a_database_that_cannot_be_reached_says_what_to_check(database: Database, postgres_server: Server) -> None:
    name = name_of(database)
    database.close()
    postgres_server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    with pytest.raises(Unavailable, match=r"cannot be reached.*nothing was read or written.*MLESTAR_DATABASE_URL"):
        database.read().__enter__()
    postgres_server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


async def test_a_write_whose_connection_is_ended_says_that_it_may_be_lost(
    database: Database, postgres_server: Server
) -> None:
    def write(connection: Connection) -> None:
        end_connections(postgres_server, database)
        connection.exec_driver_sql("SELECT 1")

    with pytest.raises(Unavailable, match=r"ended the connection.*request_id"):
        await database.writing(write)
    with database.write() as connection:  # a fresh connection takes its place
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_an_idle_connection_that_was_ended_is_replaced_unseen(database: Database, postgres_server: Server) -> None:
    with database.read():
        pass
    end_connections(postgres_server, database)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


async def test_a_read_sees_one_snapshot_throughout(database: Database, windows: WindowsService) -> None:
    with database.read() as connection:
        count = "SELECT count(*) FROM entries"
        before = connection.exec_driver_sql(count).scalar_one()
        await windows.update(window=1, content="meanwhile")
        assert connection.exec_driver_sql(count).scalar_one() == before


async def test_a_watch_that_lost_its_connection_reads_on_from_where_it_was(
    database: Database, windows: WindowsService, postgres_server: Server
) -> None:
    watch = ChangeWatch(database)
    assert watch.poll() == []
    end_connections(postgres_server, database)
    await windows.update(window=4, content="while nobody listened")
    with pytest.raises(Unavailable), anyio.fail_after(PATIENCE_S):
        await polls(watch)
    assert watch.poll() == [WindowChange(workspace="default", window=4, version=1)]
    await windows.update(window=5, content="and then")
    with anyio.fail_after(PATIENCE_S):
        assert await polls(watch) == [WindowChange(workspace="default", window=5, version=1)]
    watch.close()


async def test_subscribers_are_told_again_once_a_database_that_was_away_is_back(
    database: Database, windows: WindowsService, postgres_server: Server
) -> None:
    told: list[tuple[str, Sequence[int]]] = []
    heard = anyio.Event()

    def on_change(workspace: str, numbers: Sequence[int]) -> None:
        told.append((workspace, numbers))
        heard.set()

    watch = WindowWatch(database, on_change)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch.run)
        with anyio.fail_after(PATIENCE_S):
            while not watch.is_ready:
                await anyio.lowlevel.checkpoint()
            await anyio.to_thread.run_sync(
                postgres_server.run, f"ALTER DATABASE {name_of(database)} ALLOW_CONNECTIONS false"
            )
            await anyio.to_thread.run_sync(end_connections, postgres_server, database)
            while watch.is_ready:
                await anyio.lowlevel.checkpoint()
            await anyio.to_thread.run_sync(
                postgres_server.run, f"ALTER DATABASE {name_of(database)} ALLOW_CONNECTIONS true"
            )
            await windows.update(window=6, content="it is back")
            await heard.wait()
        tasks.cancel_scope.cancel()
    assert told == [("default", [6])]
