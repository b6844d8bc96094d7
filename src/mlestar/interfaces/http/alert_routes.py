"""REST: the alerts that stand, and what is raised and cleared, as it happens."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from mlestar.interfaces.http import replies, schemas
from mlestar.interfaces.http.replies import answers
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from mlestar.app import Services

Workspace = schemas.WorkspaceQuery
KEEP_ALIVE_S = 15.0
"""A comment at least this often, so that proxies and clients know the stream is alive."""
EVENT: dict[str, Any] = {
    "description": "One server-sent event; `data` is JSON text.",
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    "required": ["data"],
}
STREAM: dict[int | str, dict[str, Any]] = {HTTPStatus.OK: {"content": {"text/event-stream": {"schema": EVENT}}}}


def alert_router(services: Services) -> APIRouter:
    """The endpoints of alerts."""
    router = APIRouter(tags=["alerts"])

    @router.get("/alerts", responses=answers(replies.ALERTS))
    async def alerts(workspace: Workspace = "default") -> Any:
        """What wants attention now: scores, failed runs, full windows, drift; thresholds are settings."""
        return {"success": True, "alerts": wire(await services.alerts.standing(workspace=workspace))}

    @router.get("/events", response_class=StreamingResponse, responses={**STREAM, **answers(None)})
    async def events(
        workspace: Workspace = "default",
        last_event_id: schemas.LastEvent = None,
    ) -> StreamingResponse:
        """Alerts as server-sent events: first `standing` (unless `Last-Event-ID` is sent), then `raised`, `cleared`."""
        first = await services.alerts.standing(workspace=workspace)
        return StreamingResponse(
            _follow(services, workspace, last_event_id, first),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    return router


async def _follow(services: Services, workspace: str, after: int | None, first: Any) -> AsyncGenerator[str]:
    seen = first.last_event if after is None else after
    if after is None:
        yield _event(seen, "standing", wire(first))
    while True:
        for event in await services.alerts.events(workspace=workspace, after=seen):
            seen = event.id
            yield _event(seen, event.state, wire(event))
        yield ": alive\n\n"
        await services.alerts.wait(KEEP_ALIVE_S)


def _event(number: int, kind: str, data: Any) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
