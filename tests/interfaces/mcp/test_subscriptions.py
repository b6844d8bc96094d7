# pyright: reportDeprecated=false
# The legacy subscribe calls are what is tested here.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from mcp import Client

from mlestar.app import Services
from mlestar.interfaces.mcp.server import build_server
from mlestar.settings import Settings
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

# Removed as of 2026-07-28, and what most clients still send: the legacy era is what these tests are about.
legacy_subscribe = pytest.mark.filterwarnings("ignore:resources/(un)?subscribe is removed")
URI = "context7://window/2"


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """On SQLite and on PostgreSQL: how a commit is noticed differs."""
    return Settings(data_dir=tmp_path / "state", database_url=database_url)


async def test_a_modern_listener_hears_of_a_changed_window(services: Services) -> None:
    server, notifier = build_server(services)
    async with anyio.create_task_group() as tasks, Client(server) as client:
        tasks.start_soon(notifier.run)
        with anyio.fail_after(PATIENCE_S):
            async with client.listen(resource_subscriptions=[URI]) as events:
                await services.windows.update(window=2, content="from elsewhere")
                async for event in events:
                    assert URI in str(event)
                    break
        tasks.cancel_scope.cancel()


@legacy_subscribe
async def test_a_legacy_subscriber_hears_once_of_several_quick_changes(services: Services) -> None:
    server, notifier = build_server(services)
    heard: list[str] = []
    first = anyio.Event()

    async def on_message(message: Any) -> None:
        if getattr(message, "method", "") == "notifications/resources/updated":
            heard.append(str(message.params.uri))
            first.set()

    async with anyio.create_task_group() as tasks, Client(server, mode="legacy", message_handler=on_message) as client:
        tasks.start_soon(notifier.run)
        await client.session.subscribe_resource(URI)
        for number in range(5):
            await services.windows.update(window=2, content=f"note {number}")
        with anyio.fail_after(PATIENCE_S):
            await first.wait()
        assert set(heard) == {URI}
        assert len(heard) < 5, "five quick changes were not coalesced"
        await client.session.unsubscribe_resource(URI)
        assert notifier.legacy_subscriptions == 0
        tasks.cancel_scope.cancel()


@legacy_subscribe
async def test_a_legacy_session_that_ends_leaves_no_subscription_behind(services: Services) -> None:
    server, notifier = build_server(services)
    async with Client(server, mode="legacy") as client:
        await client.session.subscribe_resource(URI)
        assert notifier.legacy_subscriptions == 1
    assert notifier.legacy_subscriptions == 0


async def test_a_change_made_by_another_process_reaches_a_listener_once(services: Services, settings: Settings) -> None:
    server, notifier = build_server(services)
    other = Services(settings)
    heard: list[str] = []
    async with anyio.create_task_group() as tasks, Client(server) as client:
        tasks.start_soon(notifier.run)
        await services.windows.update(window=1, content="this process is in use")
        with anyio.fail_after(PATIENCE_S):
            while not services.watches_windows:
                await anyio.lowlevel.checkpoint()
            async with client.listen(resource_subscriptions=[URI]) as events:
                await other.windows.update(window=2, content="from another server on the same folder")
                async for event in events:
                    heard.append(str(event))
                    break
        tasks.cancel_scope.cancel()
    other.close()
    assert len(heard) == 1
    assert URI in heard[0]
