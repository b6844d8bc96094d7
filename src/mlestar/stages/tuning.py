"""Tuning by cross-validation on training rows alone, with what each parameter was worth."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlestar.stages import metrics
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.table import TEXT

if TYPE_CHECKING:
    import numpy as np
    import optuna

    from mlestar.core.pipeline import TrainingSpec
    from mlestar.stages.budget import Budget
    from mlestar.stages.folds import Folds

Report = Callable[[float, float | None, str], None]

SHARE = 0.6
"""Of a time budget that is planned for trials: the members and the last fits need the rest."""
COLUMNS_MORE, COLUMNS_OF_TEXT = 10, 200
"""What a fit costs beyond its columns, in columns; and a text column, which is many of them."""
LEAST_TRIALS, MOST_TRIALS = 10, 120
"""Fewer are not worth it: the sampler begins with ten at random. More are for a config that asks for them."""


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What was found, by algorithm, with its out-of-fold answers, the record of how, and the trials wanted."""

    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[str, np.ndarray] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    wanted: int = 0

    def __or__(self, other: Tuned) -> Tuned:
        """Both searches; trials add up, spaces stand side by side."""
        if not self.record:
            return replace(other, record={**other.record, "trials_wanted": self.wanted}, wanted=self.wanted)
        both = dict(other.record) | dict(self.record)
        for key in ("space", "sensitivity", "best"):
            both[key] = dict(self.record[key]) | dict(other.record[key])
        both["trials"] = self.record["trials"] + other.record["trials"]
        return Tuned(
            params=dict(self.params) | dict(other.params), answers=dict(self.answers) | dict(other.answers),
            record=both, wanted=self.wanted,
        )  # fmt: skip


def planned_trials(spec: TrainingSpec, folds: Folds, names: list[str]) -> dict[str, int]:
    """Algorithm -> trials: as the config asks, or what a time budget holds that it names for `auto`; none without."""
    if spec.trials is None:
        planned = SHARE * spec.time_budget_s if spec.algorithm == "auto" else 0.0
        shares = {name: affordable_trials(name, folds, planned / len(names)) for name in names}
        if not any(shares.values()):
            shares = {name: affordable_trials(name, folds, planned) for name in names[:1]}
    else:
        rest = spec.trials % len(names)
        shares = {name: spec.trials // len(names) + (place < rest) for place, name in enumerate(names)}
    return {name: share for name, share in shares.items() if share}


def affordable_trials(name: str, folds: Folds, seconds: float) -> int:
    """How many trials of an algorithm so many seconds are expected to hold; 0 for too few.

    Told from the size of the data and not by a clock: a faster machine trains the same model.
    """
    fit_s, cell_s = ALGORITHMS[name].cost_s
    train, _ = folds.parts[-1]
    columns = COLUMNS_MORE + sum(COLUMNS_OF_TEXT if kind == TEXT else 1 for kind in folds.kinds.values())
    classes = folds.n_classes if folds.n_classes > 2 else 1  # noqa: PLR2004 - two classes are one answer
    trials = int(seconds / (fit_s + cell_s * len(train) * columns * classes) / folds.count)
    return min(trials, MOST_TRIALS) if trials >= LEAST_TRIALS else 0


def tune(
    name: str, folds: Folds, metric: str, trials: int, *, budget: Budget, report: Report, until_left: float = 0.0
) -> Tuned:
    """`trials` draws of Optuna's seeded TPE sampler after `Algorithm.tried_first`, each scored by all training folds.

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
    for params in algorithm.tried_first:
        study.enqueue_trial(dict(params))
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
