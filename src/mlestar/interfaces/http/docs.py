"""`/docs`: the API reference, rendered here from the OpenAPI document; it needs no network and no script."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from starlette.routing import Route

from mlestar.interfaces.dashboard.page import Page
from mlestar.interfaces.dashboard.rendering import Renderer
from mlestar.interfaces.http.reference import Reference, reference_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from mlestar.app import Services


def docs_route(app: FastAPI, services: Services) -> Route:
    """The page's route."""
    renderer = Renderer()

    @cache
    def reference() -> Reference:
        return reference_of(app.openapi())

    async def show(request: Request) -> Response:
        page = Page(request=request, services=services, renderer=renderer)
        return page.show("docs.html", reference=reference(), about=app.summary)

    return Route("/docs", show, methods=["GET"], name="docs")
