"""The bodies that the REST API takes: the integration guide's names, exactly, and nothing unknown beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler

from mlestar.interfaces.http.examples import EXAMPLES

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

JsonObject = dict[str, Any]
WORKSPACE: dict[str, Any] = {
    "pattern": r"^[A-Za-z0-9._-]{1,64}$",
    "description": "Named store; nothing crosses workspaces.",
}
Workspace = Annotated[str, Field(**WORKSPACE)]
WorkspaceQuery = Annotated[str, Query(**WORKSPACE)]
Line = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x1f]*$")]
"""A name or a key: text on one line."""
MOST_ID = 2**53 - 1
LastEvent = Annotated[int | None, Header(ge=0, le=MOST_ID, description="Id of the last event seen; later ones follow.")]


class Body(BaseModel):
    """A body refuses keys it does not know: a mistyped name is never silently lost."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """With the integration guide's example, where it has one."""
        schema = handler.resolve_ref_schema(handler(core))
        example = EXAMPLES.get(cls.__name__)
        return schema if example is None else {**schema, "examples": [example]}


class Artifacts(Body):
    """Files and columns an evaluation may look at; paths lie below the server's roots."""

    project: str = Field(default="", description="Project folder.")
    train: str = Field(default="", description="Training data: csv, tsv, parquet, jsonl.")
    test: str = Field(default="", description="Held-out data.")
    target: str = Field(default="", description="Target column.")
    predictions: str = Field(default="", description="File with y_true and y_pred and/or y_score.")
    reference: str = Field(default="", description="Data at training time, for drift.")
    current: str = Field(default="", description="Data now, for drift.")
    model: str = Field(default="", description="Model file; scanned, never loaded.")
    groups: str = Field(default="", description="Group columns, comma-separated.")
    time: str = Field(default="", description="Timestamp column.")
    execute: bool = Field(default=False, description="Also run the project's code.")


class EvaluationBody(Body):
    """What every evaluation may carry beside its claims."""

    dimension: ClassVar[str]
    claims: ClassVar[str]
    artifacts: Artifacts = Field(default_factory=Artifacts)
    workspace: Workspace = "default"


class ScopingBody(EvaluationBody):
    """Claims about the problem."""

    dimension, claims = "scoping", "projectDetails"
    projectDetails: JsonObject = Field(default_factory=dict)


class TrainingBody(EvaluationBody):
    """Claims about how the model is trained."""

    dimension, claims = "training", "modelConfig"
    modelConfig: JsonObject = Field(default_factory=dict)


class AnalysisBody(EvaluationBody):
    """Claims about how well the model does."""

    dimension, claims = "analysis", "modelMetrics"
    modelMetrics: JsonObject = Field(default_factory=dict)


class ReliabilityBody(EvaluationBody):
    """Claims about how the model is served."""

    dimension, claims = "reliability", "deploymentConfig"
    deploymentConfig: JsonObject = Field(default_factory=dict)


class ExcellenceBody(EvaluationBody):
    """Claims about documentation, tests and security."""

    dimension, claims = "excellence", "projectArtifacts"
    projectArtifacts: JsonObject = Field(default_factory=dict)


class PipelineBody(Body):
    """A pipeline to keep."""

    name: Line
    config: JsonObject = Field(default_factory=dict)
    workspace: Workspace = "default"


class ExecuteBody(Body):
    """How to execute a pipeline."""

    wait: float = Field(default=20.0, ge=0, le=60, description="Seconds to wait for the end before answering 202.")
    workspace: Workspace = "default"


class TrainBody(Body):
    """A model to train on the synthetic marketing data set, or on the data named in `data`."""

    name: Line
    dataSize: int = Field(default=10_000, ge=100, le=1_000_000, description="Rows of the synthetic data set.")
    algorithm: Line = "auto"
    epochs: int | None = Field(default=None, ge=1, le=1_000_000)
    batchSize: int | None = Field(default=None, ge=1, le=1_000_000)
    learningRate: float | None = Field(default=None, gt=0)
    data: JsonObject = Field(default_factory=dict, description="The pipeline's `data` part.")
    features: JsonObject = Field(default_factory=dict, description="The pipeline's `features` part.")
    environment: Line = "staging"
    wait: float = Field(default=20.0, ge=0, le=60, description="Seconds to wait for the end before answering 202.")
    workspace: Workspace = "default"


class InitializeBody(Body):
    """How to start with the windows."""

    reset: bool = Field(default=False, description="Archive what is there; without it everything is kept.")
    workspace: Workspace = "default"


class UpdateBody(Body):
    """Something to remember."""

    windowId: Any = Field(description="1 to 7, or a window's name.")
    content: Any = Field(description="Text or JSON.")
    priority: Any = Field(default=None, description="0 to 5 or a name; default: the window's.")
    key: Line = ""
    kind: str = "note"
    mode: str = "append"
    expectedVersion: int | None = Field(default=None, ge=0, le=MOST_ID)
    requestId: Line = ""
    workspace: Workspace = "default"


class ThinkBody(Body):
    """A problem with its steps."""

    problem: str
    steps: list[str] = Field(default_factory=list, max_length=100)
    session: Line = ""
    workspace: Workspace = "default"


class ModelParts(Body):
    """A model's description, by the dimension that each part speaks of."""

    name: str = ""
    training: JsonObject = Field(default_factory=dict)
    metrics: JsonObject = Field(default_factory=dict)
    deployment: JsonObject = Field(default_factory=dict)
    docs: JsonObject = Field(default_factory=dict)


class IntegrateBody(Body):
    """A model to load into the windows, evaluate and think through."""

    modelConfig: ModelParts
    workspace: Workspace = "default"
