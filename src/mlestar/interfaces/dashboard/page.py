"""One request for a page: its workspace, its numbers from the query, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mlestar.errors import InvalidInput, MlestarError
from mlestar.interfaces.access import current
from mlestar.services.memory.arguments import checked_workspace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from mlestar.app import Services
    from mlestar.interfaces.dashboard.rendering import Renderer

DEFAULT_WORKSPACE = "default"
MOST_DIGITS = 9
MOST_NAMES = 100
"""Workspaces that a page offers; any other is opened by typing its name."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page function is given."""

    request: Request
    services: Services
    renderer: Renderer
    known: tuple[str, ...] = ()
    """Workspaces that something was written to and that the caller may open."""

    @property
    def workspace(self) -> str:
        """The workspace of the query; `default` without one.

        Raises:
            InvalidInput: It is not a workspace's name.
        """
        return checked_workspace(self.asked("workspace") or DEFAULT_WORKSPACE)

    def asked(self, name: str) -> str:
        """A value of the query, without surrounding space; empty when absent."""
        return self.request.query_params.get(name, "").strip()

    def number(self, name: str, most: int = 10**MOST_DIGITS - 1) -> int:
        """A whole number of the query; 0 when absent.

        Raises:
            InvalidInput: It is not a number, or above `most`.
        """
        text = self.asked(name) or "0"
        if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS and int(text) <= most):
            raise InvalidInput(f"{name} is {text[:40]!r}", valid=[f"0 to {most}"], do="go back and follow a link")
        return int(text)

    def one_of(self, name: str, valid: tuple[str, ...]) -> str:
        """A value of the query that must be one of `valid`; empty when absent.

        Raises:
            InvalidInput: It is another.
        """
        text = self.asked(name)
        if text and text not in valid:
            raise InvalidInput(f"{name} is {text[:40]!r}", valid=valid, do="choose one of these")
        return text

    def url(self, path: str, **query: object) -> str:
        """A link within the dashboard that stays in the workspace; empty values are left out."""
        named = self.asked("workspace") or DEFAULT_WORKSPACE
        parts = {**query, "workspace": named if named != DEFAULT_WORKSPACE else ""}
        kept = {key: value for key, value in parts.items() if value not in {"", None, 0}}
        return path + (f"?{urlencode(kept)}" if kept else "")

    def show(self, template: str, *, status: int = 200, headers: dict[str, str] | None = None, **data: Any) -> Response:
        """Answer with a template."""
        shared = {
            "workspace": self.asked("workspace") or DEFAULT_WORKSPACE,
            "known": self.known,
            "url": self.url,
            "path": self.request.url.path,
            "query": dict(self.request.query_params),
        }
        return self.renderer.html(template, {**shared, **data}, status=status, headers=headers or {})

    async def answer(self, show: Callable[[Page], Awaitable[Response]]) -> Response:
        """The page, or a page that says what was wrong with the request."""
        try:
            access = current.get()
            access.require(workspace=self.workspace, write=False, action=f"GET {self.request.url.path}")
            names = await self.services.windows.workspaces()
            return await show(replace(self, known=tuple(filter(access.opens, names))[:MOST_NAMES]))
        except MlestarError as error:
            return self.show("error.html", status=error.http_status, error=error)
