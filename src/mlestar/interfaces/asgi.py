"""One ASGI application: REST, the dashboard, MCP over streamable HTTP (`/mcp`) and SSE (`/sse`), in one process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from fastapi import Depends, FastAPI

from mlestar import __version__
from mlestar.errors import InvalidInput
from mlestar.interfaces.access import AuditLog, Doorkeeper
from mlestar.interfaces.dashboard.routes import dashboard_routes
from mlestar.interfaces.http.alert_routes import alert_router
from mlestar.interfaces.http.context7_routes import context7_router
from mlestar.interfaces.http.docs import docs_route
from mlestar.interfaces.http.errors import add_error_handlers
from mlestar.interfaces.http.evaluation_routes import evaluation_router
from mlestar.interfaces.http.operation_routes import operation_router
from mlestar.interfaces.http.permission import permit
from mlestar.interfaces.http.pipeline_routes import pipeline_router
from mlestar.interfaces.http.security import LOOPBACK, Guard, transport_security
from mlestar.interfaces.mcp.server import build_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from types import FrameType

    from mcp.server import MCPServer
    from starlette.types import ASGIApp

    from mlestar.app import Services
    from mlestar.interfaces.mcp.subscriptions import Notifier

    Built = tuple[MCPServer[Any], Notifier]

PREFIX = "/api/mle-star"
SHUTDOWN_S = 2
"""Open streams are cut after this: one open listen stream would otherwise hold the process for ever."""


def build_app(
    services: Services, *, host: str, token: str, build: Callable[[Services], Built] = build_server
) -> tuple[Guard, ASGIApp]:
    """The guard of the application for one listening address, and the application around it.

    Args:
        services: What the server answers from.
        host: The address it listens on.
        token: A token that opens everything; empty = only those of the settings.
        build: Makes the MCP server; the protocol's conformance suite adds its fixtures here.

    Raises:
        InvalidInput: The address is not loopback and there is no token.
    """
    settings = services.settings
    audit = AuditLog(settings.data_dir / "audit.jsonl")
    oauth = None
    if settings.oauth_issuer or settings.oauth_resource or settings.oauth_jwks:
        from mlestar.interfaces.http.oauth import ResourceServer

        oauth = ResourceServer(settings, audit)
    doorkeeper = Doorkeeper(settings.tokens, token, audit, oauth)
    if host not in LOOPBACK and not doorkeeper.asks:
        raise InvalidInput(
            f"Listening on {host} without a token would let everyone in.",
            do="pass --token (or MLESTAR_TOKEN), set up OAuth, or listen on 127.0.0.1",
        )
    security = transport_security(host, settings)
    server, notifier = build(services)
    http = server.streamable_http_app(streamable_http_path="/mcp", transport_security=security)
    sse = server.sse_app(sse_path="/sse", message_path="/messages/", transport_security=security)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with anyio.create_task_group() as tasks, server.session_manager.run():
            tasks.start_soon(notifier.run)
            yield
            tasks.cancel_scope.cancel()

    app = FastAPI(
        title="mlestar",
        version=__version__,
        summary="Evidence, memory and real pipelines for agents that do machine-learning engineering.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: f"{route.tags[0]}_{route.name}",
    )
    add_error_handlers(app)
    rights = [Depends(permit)]
    routers = (
        evaluation_router(services),
        pipeline_router(services),
        context7_router(services),
        alert_router(services),
    )
    app.router.routes.extend([*http.routes, *sse.routes])  # the busiest first: routes are tried in order
    for router in routers:
        app.include_router(router, prefix=PREFIX, dependencies=rights)

    app.include_router(operation_router(services))
    app.router.routes.extend([*dashboard_routes(services), docs_route(app, services)])
    if oauth is not None:
        app.router.routes.append(oauth.route())
    guard = Guard(app, doorkeeper=doorkeeper, security=security, settings=settings, oauth=oauth)
    if settings.allowed_origins:
        from fastapi.middleware.cors import CORSMiddleware

        # Outside the guard: a browser's preflight carries no token, and must be able to read a refusal.
        return guard, CORSMiddleware(
            guard,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Mcp-Session-Id"],
        )
    return guard, guard


async def serve_http(
    services: Services, *, host: str, port: int, token: str, build: Callable[[Services], Built] = build_server
) -> None:
    """Listen until the process is told to stop."""
    import uvicorn

    guard, app = build_app(services, host=host, token=token, build=build)

    class Server(uvicorn.Server):
        """Lets streams end when it is told to stop; by itself it would wait for them."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(guard.drain)
            super().handle_exit(sig, frame)

    loop = asyncio.get_running_loop()
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=SHUTDOWN_S)
    await Server(config).serve()
