"""What was collected before judging: read once by `evidence`, judged by `checks`, changed by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlestar.core.score.limits import LIMITS

if TYPE_CHECKING:
    from mlestar.core.facts.data import DataFacts
    from mlestar.core.facts.project import ModelFile, ProjectFacts
    from mlestar.core.facts.run import RunFacts
    from mlestar.core.facts.trial import TrialFacts

TABLES = ("train", "test", "reference", "current")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything the checks may look at. A part that is None was not given: what needs it stays unknown.

    `claims` maps a dimension name (scoping, training, analysis, reliability, excellence) to the object that the
    caller stated for it (the integration guide's projectDetails, modelConfig, modelMetrics, deploymentConfig,
    projectArtifacts): untrusted, free JSON. `models` are model files named by
    themselves, outside of the project. `limits` holds the overridden thresholds only. `trial` is what running the
    project's own code showed, when that was asked for; `runnable` maps a check to what running would settle it.
    """

    claims: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    project: ProjectFacts | None = None
    data: DataFacts | None = None
    run: RunFacts | None = None
    trial: TrialFacts | None = None
    runnable: Mapping[str, str] = field(default_factory=dict)
    models: tuple[ModelFile, ...] = ()
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def limit(self, check_id: str, name: str) -> float:
        """A threshold of the rubric: the override of this evaluation, or the default of `limits.LIMITS`."""
        return self.limits.get(check_id, {}).get(name, LIMITS[check_id][name])

    @property
    def inputs(self) -> tuple[str, ...]:
        """Which inputs there were, by the names of an evaluation's arguments."""
        data = self.data
        there = {
            "statement": bool(self.claims),
            "project": self.project is not None,
            "model": bool(self.models),
            **{name: data is not None and getattr(data, name) is not None for name in (*TABLES, "predictions")},
            "target": data is not None and bool(data.target),
            "groups": data is not None and bool(data.group_columns),
            "time": data is not None and bool(data.time_column),
        }
        return tuple(name for name, is_there in there.items() if is_there)
