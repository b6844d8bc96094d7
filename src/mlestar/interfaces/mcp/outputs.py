"""The shapes of the tools' structured answers, kept flat: an agent reads them, the listing pays for them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

JsonObject = dict[str, Any]


class _Output(BaseModel):
    model_config = ConfigDict(extra="allow")


class EvaluationOutput(_Output):
    """What `evaluate_dimension` answers."""

    workspace: str
    dimension: str
    score: float
    declared: float
    ceiling: float
    coverage: float
    criteria: list[JsonObject]
    findings: list[JsonObject]
    nextActions: list[JsonObject]  # noqa: N815 - the wire's name
    alerts: list[JsonObject]
    rubricVersion: str  # noqa: N815 - the wire's name


class ScoreOutput(_Output):
    """What `get_score` answers in its summary view; the other views add their own."""

    workspace: str
    score: JsonObject
    interpretation: JsonObject


class ReceiptOutput(_Output):
    """What a write to the windows answers."""

    workspace: str
    version: int


class WindowReadOutput(_Output):
    """What `context7_read` answers."""

    workspace: str
    entries: list[JsonObject]


class ThinkingOutput(_Output):
    """What `sequential_think` answers: the official five fields and ours."""

    thoughtNumber: int  # noqa: N815 - the wire's name
    totalThoughts: int  # noqa: N815 - the wire's name
    nextThoughtNeeded: bool  # noqa: N815 - the wire's name
    branches: list[str]
    thoughtHistoryLength: int  # noqa: N815 - the wire's name
    workspace: str
    session: str


class RunOutput(_Output):
    """What the pipeline tools answer: one run, or a list of runs."""

    status: str
    runId: str = ""  # noqa: N815 - the wire's name
    pipelineId: str = ""  # noqa: N815 - the wire's name
    stages: list[JsonObject] = []
