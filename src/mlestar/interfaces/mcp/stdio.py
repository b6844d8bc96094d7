"""Serve over stdin and stdout, for clients that start the server themselves.

Some clients ask `server/discover` first and then fall back to `initialize`; the SDK pins the era at the first
request and refuses the second. So a connection that has only discovered may still initialize: the session is
started anew with that frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import anyio
from mcp.server.stdio import stdio_server
from mcp.types import JSONRPCRequest

if TYPE_CHECKING:
    from contextvars import Context
    from types import TracebackType

    from mcp.server.mcpserver import MCPServer
    from mcp.shared._context_streams import ContextReceiveStream
    from mcp.shared.message import SessionMessage

    from mlestar.interfaces.mcp.subscriptions import Notifier


async def serve_stdio(server: MCPServer[Any], notifier: Notifier) -> None:
    """Serve one client until it closes stdin."""
    low = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the SDK has no hook for it
    # `write` is closed here: the transport's writer waits for that before it ends. A session closes only its clone.
    async with stdio_server() as (read, write), write, anyio.create_task_group() as tasks:
        tasks.start_soon(notifier.run)
        frames = SessionFrames(read)
        await low.run(frames, write.clone(), low.create_initialization_options())
        if frames.restart is not None:
            again = SessionFrames(read, first=frames.restart)
            await low.run(again, write.clone(), low.create_initialization_options())
        tasks.cancel_scope.cancel()


class SessionFrames:
    """The frames of one session: they end where a client that has only discovered initializes after all."""

    def __init__(
        self, transport: ContextReceiveStream[SessionMessage | Exception], *, first: SessionMessage | None = None
    ) -> None:
        """Read from `transport`, which stays open; `first` is a frame that was read before."""
        self._transport = transport
        self._first = first
        self._requests = 0
        self._has_only_discovered = False
        self.restart: SessionMessage | None = None
        """The `initialize` frame that a new session has to begin with."""

    @property
    def last_context(self) -> Context | None:
        """What the SDK runs the frame's handler in."""
        return self._transport.last_context

    async def receive(self) -> SessionMessage | Exception:
        """The next frame.

        Raises:
            anyio.EndOfStream: The client has closed the connection, or begins anew.
        """
        if self._first is not None:
            frame, self._first = self._first, None
            self._requests = 2
            return frame
        frame = await self._transport.receive()
        if self._requests < 2 and not isinstance(frame, Exception) and isinstance(frame.message, JSONRPCRequest):  # noqa: PLR2004 - only the second request can be the fallback
            self._requests += 1
            if self._has_only_discovered and frame.message.method == "initialize":
                self.restart = frame
                raise anyio.EndOfStream
            self._has_only_discovered = frame.message.method == "server/discover"
        return frame

    def __aiter__(self) -> Self:
        """Iterate over the frames."""
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        """The next frame, until there are no more."""
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        """Nothing to close: the transport serves the next session too."""

    async def __aenter__(self) -> Self:
        """Use as the SDK uses its own streams."""
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        """Nothing to close."""
