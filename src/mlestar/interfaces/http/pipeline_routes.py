"""REST: create, execute and follow pipelines; train a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from mlestar.interfaces.http import replies, schemas
from mlestar.interfaces.http.alert_routes import STREAM
from mlestar.interfaces.http.replies import WITH_BODY, answers
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from mlestar.app import Services
    from mlestar.core.run import Run

Workspace = schemas.WorkspaceQuery
ACCEPTED = 202
UNFINISHED = frozenset({"queued", "running"})
POLL_S = 0.5
"""How often a followed run is looked at; a run reports at least once a second."""
ANY_BYTES = "application/octet-stream"
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {ANY_BYTES: {"schema": {"type": "string", "format": "binary"}}}, "description": "Its bytes."}
}


def pipeline_router(services: Services) -> APIRouter:
    """The endpoints of pipelines, runs and models."""
    router = APIRouter(tags=["pipelines"])

    @router.post("/pipeline/create", responses=answers(replies.CREATED, *WITH_BODY))
    async def create(body: schemas.PipelineBody) -> Any:
        """Check a config and keep it."""
        pipeline = await services.guide.create_pipeline(workspace=body.workspace, name=body.name, config=body.config)
        return {"success": True, "pipeline": wire(pipeline)}

    @router.post("/pipeline/execute/{pipeline_id}", responses=answers(replies.EXECUTED, *WITH_BODY, 404, accepted=True))
    async def execute(pipeline_id: str, response: Response, body: schemas.ExecuteBody | None = None) -> Any:
        """Run all five stages; 202 with the run when it takes longer than `wait`."""
        wanted = body or schemas.ExecuteBody()
        run = await services.pipelines.run(workspace=wanted.workspace, pipeline_id=pipeline_id, wait_s=wanted.wait)
        return _answer(run, response)

    @router.get("/pipeline/runs", responses=answers(replies.RUNS))
    async def runs(workspace: Workspace = "default") -> Any:
        """The newest runs, newest first."""
        return {"success": True, "runs": wire(await services.pipelines.runs(workspace=workspace))}

    @router.get("/pipeline/runs/{run_id}", responses=answers(replies.RUN, 404))
    async def get(
        run_id: str, workspace: Workspace = "default", wait: Annotated[float, Query(ge=0, le=60)] = 0.0
    ) -> Any:
        """State, stages, metrics and model of a run."""
        return {
            "success": True,
            "run": wire(await services.pipelines.get(workspace=workspace, run_id=run_id, wait_s=wait)),
        }

    @router.get(
        "/pipeline/runs/{run_id}/artifacts/{name}", response_class=Response, responses={**FILE, **answers(None, 404)}
    )
    async def artifact(run_id: str, name: str, workspace: Workspace = "default") -> Response:
        """What a run made, as a file: `model.skops`, `card.md`, `reference_profile.json`, or a plot (`metrics.svg`)."""
        data = await services.registry.artifact(workspace=workspace, run_id=run_id, name=name)
        return Response(data, media_type=ANY_BYTES, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    @router.post("/pipeline/runs/{run_id}/cancel", responses=answers(replies.RUN, 404, 409))
    async def cancel(run_id: str, workspace: Workspace = "default") -> Any:
        """Stop a run."""
        return {"success": True, "run": wire(await services.pipelines.cancel(workspace=workspace, run_id=run_id))}

    @router.get(
        "/pipeline/runs/{run_id}/events", response_class=StreamingResponse, responses={**STREAM, **answers(None, 404)}
    )
    async def events(
        run_id: str,
        workspace: Workspace = "default",
        last_event_id: schemas.LastEvent = None,
    ) -> StreamingResponse:
        """Progress as server-sent events, from the beginning or after `Last-Event-ID`, until the run ends."""
        await services.pipelines.get(workspace=workspace, run_id=run_id)  # an unknown run is a 404, not an empty stream
        return StreamingResponse(
            _follow(services, workspace, run_id, last_event_id or 0),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    @router.post("/model/train", responses=answers(replies.TRAINED, *WITH_BODY, 404, 409, accepted=True))
    async def train(body: schemas.TrainBody, response: Response) -> Any:
        """Train, measure and register a model; 202 when it takes longer than `wait`."""
        model = await services.guide.train(
            workspace=body.workspace,
            name=body.name,
            data_size=body.dataSize,
            training={
                "algorithm": body.algorithm,
                "epochs": body.epochs,
                "batchSize": body.batchSize,
                "learningRate": body.learningRate,
            },
            data=body.data,
            features=body.features,
            environment=body.environment,
            wait_s=body.wait,
        )
        if model.status in UNFINISHED:
            response.status_code = ACCEPTED
        return {"success": model.status != "failed", "model": wire(model)}

    return router


def _answer(run: Run, response: Response) -> Any:
    if run.status in UNFINISHED:
        response.status_code = ACCEPTED
    shown = wire(run)
    return {"success": run.status != "failed", **shown, "results": shown["stages"]}


async def _follow(services: Services, workspace: str, run_id: str, after: int) -> AsyncGenerator[str]:
    while True:
        run = await services.pipelines.get(workspace=workspace, run_id=run_id)
        for event in await services.pipelines.events(run_id, after=after):
            after = event["id"]
            yield f"id: {after}\nevent: {event['kind']}\ndata: {json.dumps(wire(event))}\n\n"
        if run.status not in UNFINISHED:
            yield f"event: end\ndata: {json.dumps({'status': run.status})}\n\n"
            return
        await anyio.sleep(POLL_S)
