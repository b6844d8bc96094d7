"""The evaluation stage: held-out rows, every metric with its interval, beside a dummy and a simple model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.run import StageCheck
from mlestar.errors import InvalidInput
from mlestar.stages import metrics
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.data import TRUTH
from mlestar.stages.diagnosis import calibration, errors, fairness
from mlestar.stages.explain import explain_row, importances, slices
from mlestar.stages.folds import Folds, as_scored
from mlestar.stages.training import answer_of, train_metrics

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlestar.core.facts.run import Estimate
    from mlestar.core.pipeline import EvaluationSpec
    from mlestar.stages.data import Prepared

Report = Callable[[float, float | None, str], None]
WORSE_ON_TEST = 0.20
"""Relative drop from training to held-out rows that is warned of (rubric T3.4)."""
EXACT = 1e-12


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The evaluation stage's output.

    Attributes:
        answers: The model's answers on the test rows: (n_rows, n_classes) or (n_rows,).
        metrics, baselines: Held-out estimates; baselines holds dummy, simple and, where known, best_reachable.
        importances: Feature -> (mean drop of the metric, seed 0; the same, seed 1).
        explained: Why the most wrong held-out row was answered so (see `explain_row`).
    """

    answers: np.ndarray
    metrics: dict[str, Estimate]
    baselines: dict[str, dict[str, Estimate]]
    train_metrics: dict[str, float]
    slices: tuple[Mapping[str, Any], ...]
    importances: dict[str, tuple[float, float]]
    explained: dict[str, Any]
    calibration: dict[str, Any]
    errors: dict[str, Any]
    fairness: dict[str, Any]
    checks: tuple[StageCheck, ...]


def evaluate(
    *, model: Any, prepared: Prepared, folds: Folds, truth: np.ndarray, spec: EvaluationSpec, metric: str,
    report: Report,
) -> Evaluated:  # fmt: skip
    """Measure a fitted model on the test rows of `prepared`.

    Args:
        model: From raw columns to an answer.
        prepared: Whose test rows are measured on.
        folds: The training rows, for the baselines.
        truth: (n_test,) class indices or values.
        spec: Which metrics, groups and minimum values the config names.
        metric: What training selected by: slices and importance use it.
        report: Told what is being done.
    """
    names = _names(spec, prepared.task, metric)
    rows = prepared.test[list(prepared.kinds)]
    report(0, 4, "measuring the model on held-out rows")
    answers = answer_of(model, rows, prepared.task)
    scored = as_scored(answers, truth)
    reached = {name: metrics.estimate(name, scored, seed=folds.seed) for name in names}
    report(1, 4, "measuring a dummy and a simple model on the same rows")
    baselines = {
        "dummy": _estimates(_dummy(folds, len(rows)), truth, names, folds.seed),
        "simple": _estimates(_simple(folds, rows, prepared.task), truth, names, folds.seed),
    }
    if TRUTH in prepared.test:
        import numpy as np

        best = prepared.test[TRUTH].to_numpy()
        baselines["best_reachable"] = _estimates(np.column_stack([1 - best, best]), truth, names, folds.seed)
    report(2, 4, "permuting each feature")
    worth = importances(model, rows, truth, prepared.task, metric, seed=folds.seed)
    report(3, 4, "looking at slices")
    groups = {name: prepared.test[name].astype(str).to_numpy() for name in spec.groups}
    found = slices(rows, scored, prepared.kinds, groups, metric, seed=folds.seed)
    on_train = train_metrics(model, folds.rows, folds.truth, prepared.task, names)
    wrong = errors(rows, scored, prepared.classes)
    place = wrong["worst"][0]["row"] if wrong["worst"] else 0
    explained = explain_row(model, rows, place, folds.rows, prepared.task)
    report(4, 4, "evaluated")
    return Evaluated(
        answers=answers, metrics=reached, baselines=baselines, train_metrics=on_train, slices=found,
        importances=worth, calibration=calibration(scored), errors=wrong, explained=explained,
        fairness=fairness(scored, groups, folds.seed), checks=_checks(reached, baselines, on_train, spec, metric),
    )  # fmt: skip


def recomputed_equal(answers: np.ndarray, truth: np.ndarray, reached: Mapping[str, Estimate]) -> StageCheck:
    """Metrics computed once more from answers that went to disk and back."""
    scored = as_scored(answers, truth)
    off = {name: abs(metrics.value_of(name, scored) - estimate.value) for name, estimate in reached.items()}
    worst = max(off.values(), default=0.0)
    return StageCheck(
        name="metrics recomputed",
        outcome="pass" if worst <= EXACT else "fail",
        says=f"{len(off)} metrics from the saved predictions differ by at most {worst:.1e}",
    )


def _names(spec: EvaluationSpec, task: str, metric: str) -> tuple[str, ...]:
    valid = metrics.names_for(task)
    wanted = spec.metrics or metrics.DEFAULTS[task]
    for name in (*wanted, *spec.minimum):
        if name not in valid:
            raise InvalidInput(f"{name!r} is no metric of a {task} target", valid=valid, do="choose among these")
    return tuple(dict.fromkeys([*wanted, *spec.minimum, metric]))


def _estimates(answers: np.ndarray, truth: np.ndarray, names: tuple[str, ...], seed: int) -> dict[str, Estimate]:
    scored = as_scored(answers, truth)
    return {name: metrics.estimate(name, scored, seed=seed) for name in names}


def _dummy(folds: Folds, n: int) -> np.ndarray:
    import numpy as np

    return np.repeat(folds.dummy()[:1], n, axis=0)


def _simple(folds: Folds, rows: pd.DataFrame, task: str) -> np.ndarray:
    return answer_of(folds.fit_all(ALGORITHMS["linear"], {}), rows, task)


def _checks(
    reached: Mapping[str, Estimate], baselines: Mapping[str, Mapping[str, Estimate]], on_train: Mapping[str, float],
    spec: EvaluationSpec, metric: str,
) -> tuple[StageCheck, ...]:  # fmt: skip
    test, train = reached[metric].value, on_train[metric]
    drop = metrics.gain(metric, train) - metrics.gain(metric, test)
    relative = drop / abs(train) if train else 0.0
    dummy, simple = (metrics.gain(metric, baselines[name][metric].value) for name in ("dummy", "simple"))
    ours = metrics.gain(metric, test)
    missed = {
        name: (limit, reached[name].value)
        for name, limit in spec.minimum.items()
        if metrics.gain(name, reached[name].value) < metrics.gain(name, limit)
    }
    return (
        StageCheck(
            name="beside the baselines",
            outcome="pass" if ours > max(dummy, simple) else "warn",
            says=f"{metric} {test:.4f}; dummy {abs(dummy):.4f}, simple {abs(simple):.4f}",
        ),
        StageCheck(
            name="not much worse than on train",
            outcome="pass" if relative <= WORSE_ON_TEST else "warn",
            says=f"{metric} {train:.4f} on training rows, {test:.4f} held out",
        ),
        StageCheck(
            name="declared minimum",
            outcome="fail" if missed else "pass",
            says="; ".join(f"{name} {value:.4f} misses the minimum {limit}" for name, (limit, value) in missed.items())
            or (f"{len(spec.minimum)} minimum values reached" if spec.minimum else "no minimum was declared"),
        ),
    )
