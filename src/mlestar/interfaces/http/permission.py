"""Every REST route checks the caller's rights on the workspace it names, once for all of them."""

from __future__ import annotations

import json
from http import HTTPMethod

from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation

from mlestar.interfaces.access import current

DEFAULT = "default"


async def permit(request: Request) -> None:
    """A dependency of every router: GET reads, everything else writes."""
    write = request.method != HTTPMethod.GET
    workspace = request.query_params.get("workspace") or DEFAULT
    if write:
        workspace = _workspace_in(await request.body()) or workspace
    current.get().require(workspace=workspace, write=write, action=f"{request.method} {request.url.path}")


def _workspace_in(body: bytes) -> str:
    """The workspace that a body names; a body that is not an object is refused later, by its route."""
    try:
        parsed = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return ""
    found = parsed.get("workspace", "") if isinstance(parsed, dict) else ""
    return found if isinstance(found, str) else ""
