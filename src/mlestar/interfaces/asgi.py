"""One ASGI application: MCP over streamable HTTP (`/mcp`) and SSE (`/sse`), and `/health`, in one process."""

from __future__ import annotations

import hmac
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from mlestar import __version__
from mlestar.errors import InvalidInput
from mlestar.interfaces.mcp.server import build_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from mcp.server import MCPServer
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mlestar.app import Services
    from mlestar.interfaces.mcp.subscriptions import Notifier

    Built = tuple[MCPServer[Any], Notifier]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHUTDOWN_S = 2
"""Open streams are cut after this: one open listen stream would otherwise hold the process for ever."""


def build_app(
    services: Services, *, host: str, token: str, build: Callable[[Services], Built] = build_server
) -> Starlette:
    """The application for one listening address.

    Args:
        services: What the server answers from.
        host: The address it listens on.
        token: The bearer token asked of every request; empty = none.
        build: Makes the MCP server; the protocol's conformance suite adds its fixtures here.

    Raises:
        InvalidInput: The address is not loopback and no token was given.
    """
    if host not in LOOPBACK and not token:
        raise InvalidInput(
            f"Listening on {host} without a token would let everyone in.",
            do="pass --token (or MLESTAR_TOKEN), or listen on 127.0.0.1",
        )
    server, notifier = build(services)
    security = _transport_security(host)
    http = server.streamable_http_app(streamable_http_path="/mcp", transport_security=security)
    sse = server.sse_app(sse_path="/sse", message_path="/messages/", transport_security=security)

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "version": __version__})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with anyio.create_task_group() as tasks, server.session_manager.run():
            tasks.start_soon(notifier.run)
            yield
            tasks.cancel_scope.cancel()

    return Starlette(
        routes=[Route("/health", health), *http.routes, *sse.routes],
        lifespan=lifespan,
        middleware=[Middleware(BearerToken, token=token)] if token else [],
    )


async def serve_http(
    services: Services, *, host: str, port: int, token: str, build: Callable[[Services], Built] = build_server
) -> None:
    """Listen until the process is told to stop."""
    import uvicorn

    app = build_app(services, host=host, token=token, build=build)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=SHUTDOWN_S)
    await uvicorn.Server(config).serve()


class BearerToken:
    """Lets a request through only with `Authorization: Bearer <token>`; `/health` stays open."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        """Compare against one token, in constant time."""
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 unless the token is right."""
        if scope["type"] == "http" and scope["path"] != "/health":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                refusal = JSONResponse(
                    {"error": "unauthorized", "message": "Send the server's token.", "code": "UNAUTHORIZED"},
                    status_code=401,
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _transport_security(host: str) -> TransportSecuritySettings:
    """Host and Origin are always checked: a web page must not reach a local server through the user's browser."""
    names = ["127.0.0.1", "localhost", "[::1]"]
    if host not in (*LOOPBACK, "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        names.append(f"[{host}]" if ":" in host else host)
    hosts = [pattern for name in names for pattern in (name, f"{name}:*")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=hosts,
        allowed_origins=[f"http://{name}" for name in hosts] + [f"https://{name}" for name in hosts],
    )
