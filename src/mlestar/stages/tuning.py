"""Tuning by cross-validation on training rows alone, with what each parameter was worth."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlestar.stages import metrics
from mlestar.stages.algorithms import ALGORITHMS

if TYPE_CHECKING:
    import numpy as np
    import optuna

    from mlestar.stages.budget import Budget
    from mlestar.stages.folds import Folds

Report = Callable[[float, float | None, str], None]


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What was found, by algorithm, with its out-of-fold answers, and the record of how."""

    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[str, np.ndarray] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def __or__(self, other: Tuned) -> Tuned:
        """Both searches; trials add up, spaces stand side by side."""
        if not self.record:
            return other
        both = dict(self.record) | dict(other.record)
        for key in ("space", "sensitivity", "best"):
            both[key] = dict(self.record[key]) | dict(other.record[key])
        both["trials"] = self.record["trials"] + other.record["trials"]
        return Tuned(
            params=dict(self.params) | dict(other.params), answers=dict(self.answers) | dict(other.answers), record=both
        )


def tune(
    name: str, folds: Folds, metric: str, trials: int, *, budget: Budget, report: Report, until_left: float = 0.0
) -> Tuned:
    """`trials` draws of Optuna's seeded TPE sampler; each is scored by all folds of the training rows.

    The first trial always finishes; no other begins that would, at the mean length of the trials so far, leave less
    than `until_left` seconds of the budget.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    algorithm = ALGORITHMS[name]
    begun, found = budget.used, dict[int, "np.ndarray"]()

    def objective(trial: optuna.Trial) -> float:
        report(trial.number, trials, f"tuning {name}: trial {trial.number + 1} of {trials}")
        params = algorithm.suggest(trial)
        answers = folds.in_order(folds.answers(algorithm, params, budget))
        found[trial.number] = answers
        return metrics.gain(metric, metrics.value_of(metric, folds.scored(answers)))

    def stop_in_time(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        for number in [number for number in found if number != study.best_trial.number]:
            del found[number]
        if budget.left - (budget.used - begun) / (trial.number + 1) < until_left:
            study.stop()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=folds.seed))
    study.optimize(objective, n_trials=trials, callbacks=[stop_in_time])
    return Tuned(
        params={name: study.best_params},
        answers={name: found[study.best_trial.number]},
        record={
            "method": "TPE (Optuna)",
            "trials": len(study.trials),
            "metric": metric,
            "space": {f"{name}.{key}": text for key, text in algorithm.space.items()},
            "uses_test": False,  # the objective sees `folds` only, which hold training rows only
            "best": {name: study.best_params},
            "sensitivity": {f"{name}.{key}": _sensitivity(study, key) for key in algorithm.space},
        },
    )


def _sensitivity(study: optuna.Study, key: str) -> float:
    """Range of the mean score over the thirds of a parameter's tried values."""
    tried = sorted((trial.params[key], trial.value) for trial in study.trials if trial.value is not None)
    third = max(1, len(tried) // 3)
    means = [
        sum(value for _, value in part) / len(part)
        for start in range(0, len(tried), third)
        if (part := tried[start : start + third])
    ]
    return max(means) - min(means)
