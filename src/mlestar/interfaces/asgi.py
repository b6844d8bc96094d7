"""One ASGI application: REST, MCP over streamable HTTP (`/mcp`) and SSE (`/sse`), in one process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from fastapi import FastAPI

from mlestar import __version__
from mlestar.errors import InvalidInput
from mlestar.interfaces.http.context7_routes import context7_router
from mlestar.interfaces.http.errors import add_error_handlers
from mlestar.interfaces.http.evaluation_routes import evaluation_router
from mlestar.interfaces.http.pipeline_routes import pipeline_router
from mlestar.interfaces.http.security import LOOPBACK, Guard, digest, transport_security
from mlestar.interfaces.mcp.server import build_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import ASGIApp

    from mlestar.app import Services

PREFIX = "/api/mle-star"
SHUTDOWN_S = 2
"""Open streams are cut after this: one open listen stream would otherwise hold the process for ever."""


def build_app(services: Services, *, host: str, token: str) -> ASGIApp:
    """The application for one listening address.

    Raises:
        InvalidInput: The address is not loopback and no token was given.
    """
    if host not in LOOPBACK and not token:
        raise InvalidInput(
            f"Listening on {host} without a token would let everyone in.",
            do="pass --token (or MLESTAR_TOKEN), or listen on 127.0.0.1",
        )
    security = transport_security(host)
    server, notifier = build_server(services)
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
    )
    add_error_handlers(app)
    for router in (evaluation_router(services), pipeline_router(services), context7_router(services)):
        app.include_router(router, prefix=PREFIX)

    @app.get("/health", tags=["operation"])
    async def health() -> dict[str, Any]:
        """Whether the server answers."""
        return {"status": "ok", "version": __version__}

    app.router.routes.extend([*http.routes, *sse.routes])
    return Guard(app, tokens=frozenset({digest(token)} if token else ()), security=security)


async def serve_http(services: Services, *, host: str, port: int, token: str) -> None:
    """Listen until the process is told to stop."""
    import uvicorn

    app = build_app(services, host=host, token=token)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=SHUTDOWN_S)
    await uvicorn.Server(config).serve()
