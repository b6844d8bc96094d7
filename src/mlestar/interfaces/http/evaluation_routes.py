"""REST: evaluate the five dimensions, read the score and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter

from mlestar.interfaces.http import replies, schemas
from mlestar.interfaces.http.replies import WITH_BODY, answers
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from mlestar.app import Services

Workspace = schemas.WorkspaceQuery
View = Literal["summary", "findings", "history", "ml_test_score", "sarif", "markdown", "html"]
BODIES = (
    schemas.ScopingBody,
    schemas.TrainingBody,
    schemas.AnalysisBody,
    schemas.ReliabilityBody,
    schemas.ExcellenceBody,
)


def evaluation_router(services: Services) -> APIRouter:
    """The judge's endpoints."""
    router = APIRouter(tags=["evaluation"])
    for body in BODIES:
        _add_evaluate(router, services, body)

    @router.get("/score", responses=answers(replies.SCORED))
    async def score(workspace: Workspace = "default", view: View = "summary") -> Any:
        """Scores of the five dimensions and overall, with the interpretation."""
        return {"success": True, **wire(await services.scores.score(workspace=workspace, view=view))}

    @router.get("/report", responses=answers(replies.REPORTED))
    async def report(workspace: Workspace = "default") -> Any:
        """Everything known about a workspace, for a page."""
        return {"success": True, "report": wire(await services.report.report(workspace=workspace))}

    @router.get("/checks/{check_id}", responses=answers(replies.EXPLAINED, 404))
    async def explain(check_id: str) -> Any:
        """What one check claims, why, how, with which threshold and source."""
        return {"success": True, "check": wire(await services.scores.explain(check_id=check_id))}

    return router


def _add_evaluate(router: APIRouter, services: Services, body_type: type[schemas.EvaluationBody]) -> None:
    async def evaluate(body: schemas.EvaluationBody) -> Any:
        artifacts = body.artifacts.model_dump()
        result = await services.evaluation.evaluate(
            workspace=body.workspace,
            dimension=body_type.dimension,
            evidence=getattr(body, body_type.claims),
            **artifacts,
        )
        return {"success": True, "dimension": body_type.dimension.capitalize(), "result": wire(result)}

    evaluate.__annotations__["body"] = body_type
    router.add_api_route(
        f"/evaluate/{body_type.dimension}",
        evaluate,
        methods=["POST"],
        name=f"evaluate_{body_type.dimension}",
        responses=answers(replies.EVALUATED, *WITH_BODY, 404),
        description=f"Judge {body_type.dimension} from `{body_type.claims}` (claims) and artifacts (evidence).",
    )
