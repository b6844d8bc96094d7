# pyright: reportDeprecated=false
# The legacy subscribe call is one of the two that are tested here.
"""A token that opens one workspace shows, completes and watches nothing of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from mlestar.core.run import Status
from mlestar.interfaces.access import Access, current
from mlestar.interfaces.mcp.resources import workspace_of
from mlestar.interfaces.mcp.server import build_server
from mlestar.storage import runs

if TYPE_CHECKING:
    from tests.conftest import Era

    from mlestar.app import Services

TEAM = Access(name="team", workspaces=frozenset({"team"}))
"""What the HTTP guard sets before the request; each test runs in a context of its own."""

PROMPT = PromptReference(name="evaluate_project")
SESSION = ResourceTemplateReference(uri="context7://{workspace}/thinking/{session}")

OWNERS = {
    "context7://window/1": "default",
    "context7://team/window/1": "team",
    "context7://window/window/1": "window",
    "context7://team/entry/1.2": "team",
    "context7://team/thinking/s": "team",
    "mlestar://team/score": "team",
    "mlestar://rubric": None,
    "mlestar://check/T2.1": None,
    "run://r": None,
    "nothing://x": None,
}


@pytest.mark.parametrize("uri", OWNERS)
def test_an_address_names_its_workspace(uri: str) -> None:
    assert workspace_of(uri) == OWNERS[uri]


async def test_completions_name_open_workspaces_only(services: Services, era: Era) -> None:
    for workspace in ("team", "other"):
        await services.windows.update(workspace=workspace, window=1, content="a goal")
    current.set(TEAM)
    async with Client(build_server(services)[0], mode=era) as client:
        names = await client.complete(PROMPT, {"name": "workspace", "value": ""})
        assert names.completion.values == ["team"]
        with pytest.raises(MCPError, match="FORBIDDEN"):
            await client.complete(SESSION, {"name": "session", "value": ""}, {"workspace": "other"})


@pytest.mark.filterwarnings("ignore:resources/(un)?subscribe is removed")
async def test_a_legacy_client_watches_open_workspaces_only(services: Services) -> None:
    current.set(TEAM)
    server, notifier = build_server(services)
    async with Client(server, mode="legacy") as client:
        await client.session.subscribe_resource("context7://team/window/1")
        for uri in ("context7://other/window/1", "context7://window/1"):
            with pytest.raises(MCPError, match="FORBIDDEN"):
                await client.session.subscribe_resource(uri)
        assert notifier.legacy_subscriptions == 1


async def test_a_modern_client_watches_open_workspaces_only(services: Services) -> None:
    current.set(TEAM)
    async with Client(build_server(services)[0]) as client:
        async with client.listen(resource_subscriptions=["context7://team/window/1"]):
            pass
        with pytest.raises(MCPError, match="FORBIDDEN"):
            async with client.listen(resource_subscriptions=["context7://team/window/1", "context7://window/1"]):
                pass


async def test_a_run_of_another_workspace_is_neither_shown_nor_named(services: Services, era: Era) -> None:
    pipeline = await services.pipelines.create(
        workspace="other", name="churn", config={"data": {"source": "sklearn:breast_cancer"}}
    )
    await services.database.writing(
        lambda connection: runs.insert_run(connection, run_id="run-other", pipeline=pipeline, roots=[], at=0.0)
    )
    await services.database.writing(lambda connection: runs.move(connection, "run-other", Status.CANCELLED, at=1.0))
    current.set(TEAM)
    async with Client(build_server(services)[0], mode=era) as client:
        with pytest.raises(MCPError, match="FORBIDDEN"):
            await client.read_resource("run://run-other")
        with pytest.raises(MCPError) as unknown:
            await client.read_resource("run://run-othr")
    assert "run-other" not in unknown.value.message
