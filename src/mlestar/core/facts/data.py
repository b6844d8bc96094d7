"""Tables and predictions that were read for an evaluation or made by a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mlestar.core.facts.derived import Derived

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One data file as a frame.

    Attributes:
        path: As shown in findings: relative to its root, or the name of a built-in data set.
        frame: Columns with inferred types, at most the row cap of the settings.
        sha256: Of the file's bytes (of the values, for a built-in set).
        n_rows: Rows in the file, which may exceed `len(frame)` when rows were capped.
    """

    path: str
    frame: pd.DataFrame
    sha256: str
    n_rows: int

    @property
    def n_read(self) -> int:
        """Rows that were judged."""
        return len(self.frame)


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a model answered on held-out rows.

    Attributes:
        y_true: (n_rows,) observed target.
        y_pred: (n_rows,) predicted class or value; None when only scores were given.
        y_score: (n_rows,) probability of `positive` (binary) or (n_rows, n_classes); None when absent.
        classes: Class labels in the order of the score columns.
        groups: Group name -> (n_rows,) labels, for slices and fairness.
        on_train: The same model's answers on its training rows, where the file tells them apart.
    """

    path: str
    sha256: str
    y_true: np.ndarray
    y_pred: np.ndarray | None = None
    y_score: np.ndarray | None = None
    classes: tuple[object, ...] = ()
    positive: object = None
    groups: dict[str, np.ndarray] = field(default_factory=dict)
    on_train: Predictions | None = None

    @property
    def task(self) -> Task:
        """What was predicted: only a binary task has a positive class, only a regression has no classes."""
        if self.positive is not None:
            return "binary"
        return "multiclass" if self.classes else "regression"

    @property
    def n_read(self) -> int:
        """Rows that were judged."""
        return len(self.y_true)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An online experiment: who was assigned to which arm, and what came of it.

    Attributes:
        counts: Arm -> units assigned, in the order control first.
        outcome: Name of the outcome column; empty when only the assignment is known.
        means: Arm -> mean outcome (a rate, for a yes/no outcome).
        deviations: Arm -> standard deviation of the outcome.
        is_rate: The outcome is yes or no.
        days: From the first to the last assignment; None without dates.
        by_day: Arm -> cumulated (units, sum of outcome) at the end of each day; empty without dates.
    """

    path: str
    sha256: str
    counts: dict[str, int]
    outcome: str = ""
    means: dict[str, float] = field(default_factory=dict)
    deviations: dict[str, float] = field(default_factory=dict)
    is_rate: bool = True
    days: float | None = None
    by_day: dict[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)

    @property
    def n_read(self) -> int:
        """Units of all arms."""
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class DataFacts(Derived):
    """The tables of one evaluation.

    `train` and `test` are splits of one data set; `reference` and `current` are the same features at two times;
    `target`, `group_columns` and `time_column` name columns of them. `label_audit` holds rows relabelled by two raters.
    """

    task: Task | None = None
    target: str = ""
    time_column: str = ""
    group_columns: tuple[str, ...] = ()
    train: Table | None = None
    test: Table | None = None
    reference: Table | None = None
    current: Table | None = None
    predictions: Predictions | None = None
    experiment: Experiment | None = None
    label_audit: Table | None = None
    seed: int = 0
