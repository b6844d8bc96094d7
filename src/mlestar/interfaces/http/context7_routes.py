"""REST: the context windows, and thinking with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from mlestar.interfaces.http import replies, schemas
from mlestar.interfaces.http.replies import WITH_BODY, answers
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from mlestar.app import Services

Workspace = schemas.WorkspaceQuery


def context7_router(services: Services) -> APIRouter:
    """The memory's endpoints."""
    router = APIRouter(prefix="/context7", tags=["context7"])

    @router.post("/initialize", responses=answers(replies.INITIALIZED, *WITH_BODY, 409))
    async def initialize(body: schemas.InitializeBody | None = None) -> Any:
        """The seven windows; what is there is kept unless `reset` is set, which archives it."""
        wanted = body or schemas.InitializeBody()
        receipt = await services.windows.initialize(workspace=wanted.workspace, reset=wanted.reset)
        return {"success": True, "windows": await _uses(wanted.workspace), "receipt": wire(receipt)}

    @router.post("/update", responses=answers(replies.UPDATED, *WITH_BODY, 404, 409))
    async def update(body: schemas.UpdateBody) -> Any:
        """Remember something."""
        receipt = await services.windows.update(
            workspace=body.workspace,
            window=body.windowId,
            content=body.content,
            priority=body.priority,
            key=body.key,
            kind=body.kind,
            mode=body.mode,
            expected_version=body.expectedVersion,
            request_id=body.requestId,
        )
        done = wire(receipt)
        message = f"Window {body.windowId}: {done['status']} {', '.join('#' + number for number in done['ids'])}"
        return {"success": True, "windowId": body.windowId, "message": message, "receipt": done}

    @router.get("/report", responses=answers(replies.WINDOWS_REPORTED))
    async def report(workspace: Workspace = "default") -> Any:
        """How full the windows are, and how the thinking went."""
        return {"success": True, "report": wire(await services.windows.report(workspace=workspace))}

    @router.get("/windows", responses=answers(replies.WINDOWS))
    async def windows(workspace: Workspace = "default") -> Any:
        """How full each window is."""
        return {"success": True, "windows": await _uses(workspace)}

    @router.get("/windows/{number}", responses=answers(replies.WINDOW, 404))
    async def window(
        number: str,
        *,
        workspace: Workspace = "default",
        query: Annotated[str, Query(description="Recall by words.")] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        offset: Annotated[int, Query(ge=0)] = 0,
        budget: Annotated[int, Query(ge=1, le=20_000, description="Tokens of the reply.")] = 4_000,
    ) -> Any:
        """The entries of one window."""
        read = await services.windows.read(
            workspace=workspace, window=number, query=query, limit=limit, offset=offset, budget_tokens=budget
        )
        return {"success": True, "window": wire(read)}

    @router.post("/sequential-think", responses=answers(replies.THOUGHT, *WITH_BODY, 404, 409))
    async def think(body: schemas.ThinkBody) -> Any:
        """Think through a problem: a brief for each step, from what the windows hold."""
        result = await services.guide.think(
            workspace=body.workspace, problem=body.problem, steps=body.steps, session=body.session
        )
        return {"success": True, "result": wire(result)}

    @router.post("/integrate-mle", responses=answers(replies.INTEGRATED, *WITH_BODY, 409))
    async def integrate(body: schemas.IntegrateBody) -> Any:
        """Load a model's parts into the windows, evaluate the five dimensions, think through them."""
        result = await services.guide.integrate(workspace=body.workspace, parts=body.modelConfig.model_dump())
        return {"success": True, "result": wire(result)}

    async def _uses(workspace: str) -> Any:
        return wire(await services.windows.read(workspace=workspace, window=0, limit=1))["windows"]

    return router
