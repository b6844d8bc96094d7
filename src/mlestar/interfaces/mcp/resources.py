"""The resources: read-only views, each with a tool that gives the same."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import Annotations

from mlestar.core.windows.model import CRITICAL, WINDOWS, Window
from mlestar.errors import MlestarError, NotFound, WorkFailed
from mlestar.interfaces.access import current
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.mcpserver import MCPServer

    from mlestar.app import Services
    from mlestar.core.run import Run

T = TypeVar("T")

DEFAULT_WORKSPACE = "default"
CHECK_TEMPLATE = "mlestar://check/{id}"
MARKDOWN, JSON = "text/markdown", "application/json"
_OWNED = re.compile(r"(?:context7|mlestar)://(?:([^/]+)/)?(?:window|entry|thinking|score|alerts)\b")


def window_uris(workspace: str, windows: tuple[int, ...] | list[int]) -> list[str]:
    """Every address under which these windows can be watched."""
    uris = [f"context7://{workspace}/window/{number}" for number in windows]
    if workspace == DEFAULT_WORKSPACE:
        uris += [f"context7://window/{number}" for number in windows]
    return uris


def score_uris(workspace: str, *, alerts_changed: bool) -> list[str]:
    """Every address under which a workspace's score can be watched, and that of its alerts."""
    return [f"mlestar://{workspace}/score"] + [f"mlestar://{workspace}/alerts"] * alerts_changed


def workspace_of(uri: str) -> str | None:
    """The workspace whose resource this is; None for one that belongs to none."""
    owned = _OWNED.match(uri)
    return (owned[1] or DEFAULT_WORKSPACE) if owned else None


def add_resources(server: MCPServer[Any], services: Services) -> None:
    """Register the seven listed windows and the templates."""
    for window in WINDOWS:
        _add_window(server, services, window)

    @server.resource("context7://{workspace}/window/{n}", name="window", title="Context window", mime_type=MARKDOWN)
    async def any_window(workspace: str, n: str) -> str:
        """One context window of a workspace."""
        return await _answer(workspace, lambda: services.windows.window_text(workspace=workspace, window=n))

    @server.resource("context7://{workspace}/entry/{id}", title="Memory entry", mime_type="text/plain")
    async def entry(workspace: str, id: str) -> str:  # noqa: A002 - the template's name
        """One entry, byte for byte, also when it is archived."""
        return await _answer(workspace, lambda: services.windows.entry_text(workspace=workspace, id=id))

    @server.resource("context7://{workspace}/thinking/{session}", title="Thinking session", mime_type=MARKDOWN)
    async def thinking(workspace: str, session: str) -> str:
        """One thinking session as a tree."""
        return await _answer(workspace, lambda: services.thinking.view(workspace=workspace, session=session))

    @server.resource("mlestar://{workspace}/score", title="Readiness score", mime_type=JSON)
    async def score(workspace: str) -> str:
        """The scorecard of a workspace."""
        return _json(await _answer(workspace, lambda: services.scores.score(workspace=workspace)))

    @server.resource("mlestar://{workspace}/alerts", title="Alerts", mime_type=JSON)
    async def alerts(workspace: str) -> str:
        """What wants attention in a workspace now: scores, failed runs, full windows, drift."""
        return _json(await _answer(workspace, lambda: services.alerts.standing(workspace=workspace)))

    @server.resource("mlestar://rubric", title="Rubric", mime_type=JSON)
    async def rubric() -> str:
        """Every dimension, criterion and check, with weights and sources."""
        return _json(await services.scores.rubric())

    @server.resource(CHECK_TEMPLATE, title="Check", mime_type=JSON)
    async def check(id: str) -> str:  # noqa: A002 - the template's name
        """What one check claims, why, how, with which threshold and source."""
        return _json(await _answer(None, lambda: services.scores.explain(check_id=id)))

    _add_run(server, services)


def _add_run(server: MCPServer[Any], services: Services) -> None:
    async def permitted(run_id: str) -> Run:
        try:
            found = await services.pipelines.get(workspace="", run_id=run_id)
        except NotFound as error:  # without the ids of other workspaces that it suggests
            raise NotFound(error.message, do=error.do) from error
        _permit(found.workspace)
        return found

    @server.resource("run://{run_id}", title="Pipeline run", mime_type=JSON)
    async def run(run_id: str) -> str:
        """The state, stages and metrics of a run."""
        return _json(await _answer(None, lambda: permitted(run_id)))


def _add_window(server: MCPServer[Any], services: Services, window: Window) -> None:
    @server.resource(
        f"context7://window/{window.number}",
        name=f"window-{window.number}",
        title=f"Window {window.number}: {window.name}",
        description=f"Context window {window.number} ({window.name}) of the default workspace: {window.holds}.",
        mime_type=MARKDOWN,
        annotations=Annotations(audience=["assistant"], priority=window.priority / CRITICAL),
    )
    async def read() -> str:
        return await _answer(
            DEFAULT_WORKSPACE,
            lambda: services.windows.window_text(workspace=DEFAULT_WORKSPACE, window=window.number),
        )


def _permit(workspace: str) -> None:
    current.get().require(workspace=workspace, write=False, action="resource")


async def _answer(workspace: str | None, call: Callable[[], Awaitable[T]]) -> T:
    """The call's answer, if the caller may read the workspace; None where a resource belongs to none."""
    try:
        if workspace is not None:
            _permit(workspace)
        return await call()
    except MlestarError as error:
        # The protocol knows two: an address that is wrong for this caller, and a failure of the server.
        failed = error.http_status >= WorkFailed.http_status
        raise (ResourceError if failed else ResourceNotFoundError)(str(error)) from error


def _json(result: object) -> str:
    return json.dumps(wire(result), ensure_ascii=False)
