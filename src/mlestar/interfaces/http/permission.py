"""Every REST route checks its body's form and the caller's rights on the workspace it names, once for all of them."""

from __future__ import annotations

import json
import re
from http import HTTPMethod, HTTPStatus
from typing import Any, NoReturn, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation

from mlestar.errors import InvalidInput
from mlestar.interfaces.access import current

DEFAULT = "default"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_JSON = re.compile(r"application/([\w.-]+\+)?json\s*(;.*)?", re.IGNORECASE)


async def permit(request: Request) -> None:
    """A dependency of every router: GET reads, everything else writes.

    The workspace is looked up where the route itself looks: in the body if it takes one, else in the query. Looking
    in both would let one name open what the other asks for.
    """
    write = request.method != HTTPMethod.GET
    if getattr(request.scope["route"], "body_field", None) is None:
        workspace = request.query_params.get("workspace", DEFAULT)
    else:
        workspace = _workspace_in(await _body(request))
    current.get().require(workspace=workspace, write=write, action=f"{request.method} {request.url.path}")


async def _body(request: Request) -> Any:
    body = await request.body()
    if not body:
        return {}
    if not _JSON.fullmatch(request.headers.get("content-type", "")):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
    try:
        parsed = json.loads(body, parse_constant=_no_number)
        if _SURROGATE.search(body):
            json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(
            "The body holds half of a surrogate pair, which is no text.", do="send whole characters"
        ) from error
    return parsed


def _no_number(name: str) -> NoReturn:
    raise InvalidInput(f"{name} is not a JSON number.", do="leave the value out, or send null")


def _workspace_in(body: Any) -> str:
    """The workspace that a body names; a body that is not an object is refused later, by its route."""
    found = cast("dict[str, Any]", body).get("workspace", DEFAULT) if isinstance(body, dict) else DEFAULT
    return found if isinstance(found, str) else DEFAULT
