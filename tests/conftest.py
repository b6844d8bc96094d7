"""What every test may use: services over an own data folder, and a client of each protocol era."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import pytest
from mcp import Client

from mlestar.app import Services
from mlestar.interfaces.mcp.server import build_server
from mlestar.settings import Settings
from support import postgres

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from support.postgres import Server

Era = Literal["auto", "legacy"]
ERAS: tuple[Era, ...] = ("auto", "legacy")
"""`auto` speaks 2026-07-28 with this server, `legacy` the 2025-11-25 handshake."""
Dialect = Literal["sqlite", "postgresql"]
DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_server() -> Generator[Server]:
    """One PostgreSQL server for all tests of this process, started by the first that needs it."""
    binaries = postgres.programs()
    if binaries is None:
        pytest.skip(postgres.LACKS)
    with postgres.running_postgres(binaries) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Generator[str]:
    """A PostgreSQL database with the schema and nothing else."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind in turn: a file in the test's folder, a fresh one on the PostgreSQL server."""
    return (
        f"sqlite:///{tmp_path / 'memory.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with their own data folder, allowed to read `tmp_path`."""
    return Settings(data_dir=tmp_path / "state", roots=(tmp_path,))


@pytest.fixture
def services(settings: Settings) -> Generator[Services]:
    """The services of one process, closed at the end."""
    made = Services(settings)
    yield made
    made.close()


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> Era:
    """Each protocol era in turn."""
    return request.param


@pytest.fixture
async def client(services: Services, era: Era) -> AsyncGenerator[Client]:
    """A client of the server, in process, in each protocol era.

    The connection lives in a task of its own: the test plugin sets up and tears down a fixture in different tasks,
    and a cancel scope must be left by the task that entered it.
    """
    server, _ = build_server(services)
    connected: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def hold() -> None:
        async with Client(server, mode=era) as made:
            connected.set_result(made)
            await over.wait()

    holding = asyncio.create_task(hold())
    await asyncio.wait({holding, connected}, return_when=asyncio.FIRST_COMPLETED)
    if not connected.done():
        await holding
    yield connected.result()
    over.set()
    await holding
