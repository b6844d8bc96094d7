"""What a pipeline run measured about itself, as evidence for the judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measured number with its 95% confidence interval, on `n` rows."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """One finished run. A field left at its default was not measured by this run.

    Attributes:
        split: How rows were divided: stratified, random, group or time.
        single_pipeline: Features and model are one fitted pipeline object, the same at training and serving.
        fitted_on_train_only: Every transformer was fitted after the split, on training rows alone.
        schema_holds: The inferred schema held on the held-out rows; None when not checked.
        metrics: Held-out metric name -> estimate, for the model.
        baselines: "dummy" and "simple" -> metric name -> estimate, same rows.
        alternatives: Algorithm -> out-of-fold score on training rows, of everything that was tried.
        tuning: method, trials, metric, space (parameter -> range), uses_test (always measured, never assumed),
            sensitivity (parameter -> score range over its values); empty when nothing was tuned.
        importances: Feature -> permutation importance on held-out rows.
        importance_stability: Spearman correlation of the importances of two seeds.
        latency_p95_ms: Single-row prediction of the packaged model, 95th percentile, after warm-up.
        repeat_sha256: Prediction hash of a second training with the same seed.
        previous_version_loads: The version before this one loads and predicts the fixture; None when there is none.
        versions: Registered versions of this model name, this one included.
    """

    run_id: str
    name: str
    synthetic: bool = False
    algorithm: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    split: str = ""
    single_pipeline: bool = False
    fitted_on_train_only: bool = False
    schema_holds: bool | None = None
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    train_metrics: Mapping[str, float] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    alternatives: Mapping[str, float] = field(default_factory=dict)
    tuning: Mapping[str, Any] = field(default_factory=dict)
    importances: Mapping[str, float] = field(default_factory=dict)
    importance_stability: float | None = None
    local_explanation: bool = False
    latency_p95_ms: float | None = None
    model_sha256: str = ""
    prediction_sha256: str = ""
    repeat_sha256: str = ""
    data_sha256: str = ""
    code_commit: str = ""
    reference_profile_sha256: str = ""
    previous_version_loads: bool | None = None
    versions: int = 0
