"""One notifier for both protocol eras: the modern listen bus and the legacy resources/subscribe."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp import MCPError
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated
from mcp.types import INVALID_PARAMS, EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from mlestar.errors import Forbidden
from mlestar.interfaces.access import current
from mlestar.interfaces.mcp.resources import workspace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from mcp.server.mcpserver import MCPServer

COALESCE_S = 0.05
"""Changes within this time reach a subscriber as one notification."""


def _watched(method: str, params: Any) -> list[str]:
    """The addresses in a request that is not validated yet."""
    given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
    match method:
        case "resources/subscribe":
            uris: Any = [given.get("uri")]
        case "subscriptions/listen":
            wanted = given.get("notifications")
            uris = cast("dict[str, Any]", wanted).get("resourceSubscriptions") if isinstance(wanted, dict) else []
        case _:
            uris = []
    return [uri for uri in cast("list[Any]", uris) if isinstance(uri, str)] if isinstance(uris, list) else []


class Notifier:
    """Tells subscribers that a resource changed. `changed` may be called from any task of the event loop."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self.bus = InMemorySubscriptionBus()
        self._legacy: defaultdict[str, set[Any]] = defaultdict(set)
        self._pending: set[str] = set()
        self._wake = anyio.Event()
        self.wanted = anyio.Event()
        """Set by the first subscription: from then on changes must be looked for."""
        self.watches: list[Callable[[anyio.Event], Coroutine[Any, Any, None]]] = []
        """Run beside the publishing with `wanted`: each calls `changed` for what it sees."""

    async def admit(self, ctx: Any, call_next: Any) -> Any:
        """Middleware: a caller watches only workspaces that its token opens, in both protocol eras."""
        for uri in _watched(ctx.method, ctx.params):
            workspace = workspace_of(uri)
            if workspace is not None:
                try:
                    current.get().require(workspace=workspace, write=False, action=ctx.method)
                except Forbidden as error:
                    raise MCPError(code=INVALID_PARAMS, message=str(error), data={"uri": uri}) from error
            self.wanted.set()
        return await call_next(ctx)

    @property
    def legacy_subscriptions(self) -> int:
        """How many (connection, resource) pairs are held."""
        return sum(len(connections) for connections in self._legacy.values())

    def changed(self, uris: Iterable[str]) -> None:
        """Note that these resources changed; they are published within `COALESCE_S`."""
        self._pending.update(uris)
        self._wake.set()

    async def run(self) -> None:
        """Publish what changed, until cancelled."""
        async with anyio.create_task_group() as tasks:
            for watch in self.watches:
                tasks.start_soon(watch, self.wanted)
            await self._publish_changes()

    async def _publish_changes(self) -> None:
        while True:
            await self._wake.wait()
            await anyio.sleep(COALESCE_S)
            self._wake = anyio.Event()
            due, self._pending = sorted(self._pending), set()
            for uri in due:
                await self._publish(uri)

    def attach(self, server: MCPServer[Any]) -> None:
        """Serve the legacy subscribe calls, which the SDK's high-level server leaves out.

        The connection object and the handler registry are private to SDK 2.x; the legacy subscription tests are what
        notices if an upgrade moves them.
        """
        low = server._lowlevel_server  # noqa: SLF001 - see above  # pyright: ignore[reportPrivateUsage] - see above
        low.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscribe)
        low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)

    async def _subscribe(self, ctx: Any, params: SubscribeRequestParams) -> EmptyResult:
        connection, uri = ctx.session._connection, str(params.uri)  # noqa: SLF001 - as in attach
        if connection not in self._legacy[uri]:
            self._legacy[uri].add(connection)
            # A dead session does not raise on send: without this it would be kept for ever.
            connection.exit_stack.callback(self._forget, uri, connection)
        return EmptyResult()

    async def _unsubscribe(self, ctx: Any, params: UnsubscribeRequestParams) -> EmptyResult:
        self._forget(str(params.uri), ctx.session._connection)  # noqa: SLF001 - as in attach
        return EmptyResult()

    def _forget(self, uri: str, connection: Any) -> None:
        self._legacy[uri].discard(connection)
        if not self._legacy[uri]:
            del self._legacy[uri]

    async def _publish(self, uri: str) -> None:
        await self.bus.publish(ResourceUpdated(uri=uri))
        for connection in list(self._legacy.get(uri, ())):
            await connection.send_resource_updated(uri)
