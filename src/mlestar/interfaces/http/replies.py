"""What the REST API answers, for the OpenAPI document: the services' own results, in the names they have outside.

The models are made from the result types, so that the document cannot say something else than the code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model

from mlestar.core.evidence import Where
from mlestar.core.run import Pipeline, Run
from mlestar.core.score.alerting import Alert
from mlestar.core.score.readiness import NextAction
from mlestar.core.score.views import DimensionView, FindingView, Interpretation
from mlestar.core.thinking.model import ContextEntry
from mlestar.core.windows.reading import EntryView, WindowRead, WindowReport
from mlestar.core.windows.receipt import Receipt, WindowUse
from mlestar.interfaces.wire import camel
from mlestar.services.alerts import AlertList
from mlestar.services.evaluation import Evaluation
from mlestar.services.guide import GuideThinking, Integration, TrainedModel
from mlestar.services.report import Report
from mlestar.services.scores import Explanation, Score
from mlestar.storage.alert_log import StandingAlert

NAMES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        Alert, ContextEntry, DimensionView, EntryView, Evaluation, FindingView, Interpretation, NextAction,
        StandingAlert, Where, WindowUse,
    )
}  # fmt: skip
"""Types that result types name without importing them at run time."""


@cache
def model_of(kind: type) -> type[BaseModel]:
    """The JSON object that `wire` makes of a result type."""
    hints = get_type_hints(kind, localns=NAMES)
    members: dict[str, Any] = {camel(field.name): (_outside(hints[field.name]), ...) for field in fields(kind)}
    return create_model(kind.__name__, __doc__=(kind.__doc__ or "").split("\n\n")[0], **members)


def _outside(hint: Any) -> Any:
    """The type of a value after `wire`."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return Union[tuple(_outside(one) for one in inner)]  # noqa: UP007 - of a tuple made at run time
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, _outside(inner[1])]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return list[_outside(inner[0])]
    if isinstance(hint, type) and is_dataclass(hint):
        return model_of(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Literal[tuple(member.value for member in hint)]
    return hint


def reply(name: str, says: str, **members: Any) -> type[BaseModel]:
    """An answer: `success` and these members; result types become what `wire` makes of them."""
    given: dict[str, Any] = {"success": (bool, ...), **{key: (_outside(kind), ...) for key, kind in members.items()}}
    return create_model(name, __doc__=says, **given)


def _beside(name: str, says: str, kind: type, **members: Any) -> type[BaseModel]:
    """An answer whose members stand beside `success`, not under a name of their own."""
    given: dict[str, Any] = {"success": (bool, ...), **{key: (_outside(one), ...) for key, one in members.items()}}
    return create_model(name, __doc__=says, __base__=model_of(kind), **given)


DIMENSION_NAMES = Literal["Scoping", "Training", "Analysis", "Reliability", "Excellence"]
EVALUATED = reply("EvaluationReply", "One dimension judged.", dimension=DIMENSION_NAMES, result=Evaluation)
SCORED = _beside("ScoreReply", "Scores of the five dimensions and overall.", Score)
REPORTED = reply("ReportReply", "Everything known about a workspace.", report=Report)
EXPLAINED = reply("CheckReply", "What a check says.", check=Explanation)
CREATED = reply("PipelineReply", "A pipeline that was kept.", pipeline=Pipeline)
EXECUTED = _beside("ExecutionReply", "A run; `results` are its stages.", Run, results=list[Any])
RUN = reply("RunReply", "A run.", run=Run)
RUNS = reply("RunsReply", "Runs, newest first.", runs=tuple[Run, ...])
TRAINED = reply("ModelReply", "A model that was trained, or the run that still trains it.", model=TrainedModel)
INITIALIZED = reply(
    "InitializeReply", "The seven windows.", windows=tuple[WindowUse, ...], receipt=Receipt
)  # fmt: skip
UPDATED = reply("UpdateReply", "What a write did.", windowId=Any, message=str, receipt=Receipt)
WINDOWS_REPORTED = reply("WindowReportReply", "The figures of the windows.", report=WindowReport)
WINDOWS = reply("WindowsReply", "How full each window is.", windows=tuple[WindowUse, ...])
WINDOW = reply("WindowReply", "Entries of a window.", window=WindowRead)
THOUGHT = reply("ThinkingReply", "A problem thought through.", result=GuideThinking)
INTEGRATED = reply("IntegrationReply", "A model loaded, judged and thought through.", result=Integration)
ALERTS = reply("AlertsReply", "The alerts that stand.", alerts=AlertList)
HEALTH = create_model("Health", __doc__="That the server answers.", status=(Literal["ok"], ...), version=(str, ...))


class Problem(BaseModel):
    """What every error answers with: none carries internals."""

    error: Annotated[str, Field(description="The status in words.", examples=["Not Found"])]
    message: Annotated[str, Field(description="What was wrong, what is valid, what to do next.")]
    code: Annotated[str, Field(description="What a program decides by.", examples=["NOT_FOUND"])]
    details: Annotated[
        dict[str, Any],
        Field(default_factory=dict, description="`valid`, `do`, `problems` and the like; may be absent."),
    ]


SAYS = {
    400: "The body cannot be read as JSON (encoding, depth, size of a number).",
    401: "No token, or one that is not known.",
    403: "The token does not open the workspace, may only read, or a path leaves the server's roots.",
    404: "There is no such id, file or path.",
    405: "The path knows other methods.",
    408: "The body came in too slowly.",
    409: "The state moved on, or does not allow this.",
    413: "The body or a value in it is too large.",
    415: "The body is not sent as application/json.",
    421: "The server does not answer for this Host.",
    422: "A value is wrong: says which, and what is valid.",
    429: "Too many requests in a minute; see Retry-After.",
    500: "Work ended without a result; the reference leads to the server's log.",
    503: "Busy or stopping; see Retry-After.",
}
ALWAYS = (401, 403, 405, 421, 422, 429, 500, 503)
WITH_BODY = (400, 408, 413, 415)


def answers(model: type[BaseModel] | None, *errors: int, accepted: bool = False) -> dict[int | str, dict[str, Any]]:
    """The documented answers of a route: its reply, the errors every route knows, and `errors`."""
    found: dict[int | str, dict[str, Any]] = {} if model is None else {200: {"model": model}}
    if accepted:
        found[202] = {"model": model, "description": "Still running when `wait` had passed; ask for the run."}
    return found | {status: {"model": Problem, "description": SAYS[status]} for status in sorted({*ALWAYS, *errors})}
