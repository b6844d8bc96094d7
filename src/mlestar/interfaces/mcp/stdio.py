"""Serve over stdin and stdout, for clients that start the server themselves.

Some clients ask `server/discover` first and then fall back to `initialize`; the SDK pins the era at the first
request and refuses the second. So a connection that has only discovered may still initialize: the session is
started anew with that frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared._context_streams import create_context_streams
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCRequest

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from mlestar.interfaces.mcp.subscriptions import Notifier


async def serve_stdio(server: MCPServer[Any], notifier: Notifier) -> None:
    """Serve one client until it closes stdin."""
    # `write` is closed here: the transport's writer waits for that before it ends.
    async with stdio_server() as (read, write), write, anyio.create_task_group() as tasks:
        tasks.start_soon(notifier.run)
        first: SessionMessage | None = None
        may_restart = True
        while True:
            restart = await _serve_session(server, read, write, first, may_restart=may_restart)
            if restart is None:
                break
            first, may_restart = restart, False
        tasks.cancel_scope.cancel()


async def _serve_session(
    server: MCPServer[Any], read: Any, write: Any, first: SessionMessage | None, *, may_restart: bool
) -> SessionMessage | None:
    """Serve until end of input; return the `initialize` frame of a client that discovered first."""
    low = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the SDK has no hook for it
    to_server, server_reads = create_context_streams[SessionMessage | Exception](0)
    server_writes, from_server = create_context_streams[SessionMessage](0)
    restart: SessionMessage | None = None

    async def pump_out() -> None:
        async with from_server:
            async for message in from_server:
                await write.send(message)

    async def serve() -> None:
        async with server_writes:  # closing it is what ends pump_out
            await low.run(server_reads, server_writes, low.create_initialization_options())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pump_out)
        tasks.start_soon(serve)
        async with to_server:
            if first is not None:
                await to_server.send(first)
            discovered = False
            async for message in read:
                request = getattr(message, "message", None)
                if may_restart and isinstance(request, JSONRPCRequest):
                    if discovered and request.method == "initialize":
                        restart = message
                        break
                    discovered = request.method == "server/discover"
                    may_restart = discovered
                await to_server.send(message)
    return restart
