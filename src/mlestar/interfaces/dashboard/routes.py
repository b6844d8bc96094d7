"""The dashboard's routes: one page each, spliced into the application beside REST and MCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from mlestar.interfaces.dashboard import overview, running, thinking, windows
from mlestar.interfaces.dashboard.page import Page
from mlestar.interfaces.dashboard.rendering import Renderer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from mlestar.app import Services

PAGES: dict[str, Callable[[Page], Awaitable[Response]]] = {
    "/": overview.overview,
    "/findings": overview.findings,
    "/checks/{check_id}": overview.check,
    "/windows": windows.overview,
    "/windows/{number}": windows.window,
    "/thinking": thinking.sessions,
    "/thinking/{session}": thinking.session,
    "/runs": running.runs,
    "/runs/{run_id}": running.run,
    "/models": running.models,
}


def dashboard_routes(services: Services) -> list[Route]:
    """Every page and asset; read from the package once, here, so that no request waits for a disk."""
    renderer = Renderer()

    def endpoint(show: Callable[[Page], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await Page(request=request, services=services, renderer=renderer).answer(show)

        return answer

    async def asset(request: Request) -> Response:
        return renderer.asset(request.path_params["name"])

    pages = [Route(path, endpoint(show), methods=["GET"], name=f"dashboard{path}") for path, show in PAGES.items()]
    return [*pages, Route("/static/{name}", asset, methods=["GET"], name="dashboard/static")]
