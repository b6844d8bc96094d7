"""The training stage: out-of-fold answers on training rows decide what is kept, then it is fitted on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mlestar.core.pipeline import ALGORITHMS as LIBRARIES
from mlestar.core.run import StageCheck
from mlestar.stages import metrics
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.blend import Blend, greedy_weights
from mlestar.stages.folds import Folds, as_scored, make_folds
from mlestar.stages.transformer import encoder_for
from mlestar.stages.tuning import Tuned, tune

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlestar.core.pipeline import TrainingSpec

Report = Callable[[float, float | None, str], None]

SCREEN_ROWS = 3_000
"""Above so many training rows, members are first compared on so many, and the hopeless ones dropped."""
SCREEN_MARGIN = 0.02
"""A member this far behind the best on the screen (and beyond its paired interval) is dropped."""
ALWAYS = "linear"


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The training stage's output.

    Attributes:
        model: Fitted on all training rows, from raw columns to an answer.
        alternatives: Member -> out-of-fold value of `metric`, of everything tried on all folds.
        weights: Member -> weight in the model.
        answers: Out-of-fold answers of the model: (n_rows, n_classes) or (n_rows,).
        predicted: Which training rows those are (all, unless folds go forward in time).
    """

    model: Any
    algorithm: str
    params: Mapping[str, Any]
    metric: str
    alternatives: Mapping[str, float]
    weights: Mapping[str, float]
    screened_out: Mapping[str, float]
    tuning: Mapping[str, Any]
    answers: np.ndarray
    predicted: np.ndarray
    checks: tuple[StageCheck, ...]
    curve: tuple[Mapping[str, float], ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One candidate: an algorithm with its params."""

    name: str
    algorithm: str
    params: Mapping[str, Any]


def learn(folds: Folds, spec: TrainingSpec, report: Report) -> Learned:
    """Train what the config asks for. All randomness comes from the seed in `folds`."""
    metric = spec.tuning_metric or metrics.SELECTION[folds.task]
    if spec.algorithm == "transformer":
        return _learn_transformer(folds, spec, metric, report)
    members = _portfolio(spec.algorithm)
    screened: dict[str, float] = {}
    if len(members) > 1 and len(folds.rows) > SCREEN_ROWS:
        members, screened = _screen(members, folds, metric, report)
    tuned = Tuned()
    if spec.trials:
        tuned, members = _tuned_members(members, folds, metric, spec, report)
    answers = _out_of_fold(members, folds, report)
    alternatives = {name: metrics.value_of(metric, folds.scored(answer)) for name, answer in answers.items()}

    def score(answer: np.ndarray) -> float:
        return metrics.gain(metric, metrics.value_of(metric, folds.scored(answer)))

    weights = greedy_weights(answers, score) if len(answers) > 1 else dict.fromkeys(answers, 1.0)
    chosen = [member for member in members if member.name in weights]
    fitted: list[Any] = []
    for place, member in enumerate(chosen):
        report(place, len(chosen), f"fitting {member.name} on all {len(folds.rows)} training rows")
        fitted.append(folds.fit_all(ALGORITHMS[member.algorithm], member.params))
    model = fitted[0] if len(fitted) == 1 else Blend(fitted, [weights[member.name] for member in chosen])
    parts = [weight * answers[name] for name, weight in weights.items()]
    blended = sum(parts[1:], start=parts[0])
    return Learned(
        model=model,
        algorithm=spec.algorithm,
        params={member.name: {"algorithm": member.algorithm, **member.params} for member in chosen},
        metric=metric,
        alternatives=alternatives,
        weights=weights,
        screened_out=screened,
        tuning=tuned.record,
        answers=blended,
        predicted=folds.predicted,
        checks=_checks(folds, blended, metric),
    )


def _learn_transformer(folds: Folds, spec: TrainingSpec, metric: str, report: Report) -> Learned:
    """One network instead of one a fold: early stopping needs held-out training rows, and they give the answers."""
    last = folds.only_last()
    train, held = last.parts[0]
    encoder = encoder_for(folds.kinds, folds.n_classes)
    curve = encoder.fit(
        folds.rows.iloc[train], folds.truth[train], held_rows=folds.rows.iloc[held], held_truth=folds.truth[held],
        spec=spec, seed=folds.seed, report=report,
    )  # fmt: skip
    answers = answer_of(encoder, folds.rows.iloc[held], folds.task)
    params = {"epochs": len(curve), "batch_size": spec.batch_size, "learning_rate": spec.learning_rate}
    stopped = f"trained {len(curve)} of {spec.epochs} epochs, the best one restored"
    return Learned(
        model=encoder, algorithm="transformer", params={"transformer": {"algorithm": "transformer", **params}},
        metric=metric, alternatives={"transformer": metrics.value_of(metric, last.scored(answers))},
        weights={"transformer": 1.0}, screened_out={}, tuning={}, answers=answers, predicted=last.predicted,
        checks=_checks(last, answers, metric), curve=curve, notes=(stopped,),
    )  # fmt: skip


def installed(algorithm: str) -> bool:
    """Whether the library of an algorithm is there."""
    return not LIBRARIES[algorithm] or find_spec(LIBRARIES[algorithm]) is not None


def _portfolio(algorithm: str) -> list[Member]:
    if algorithm != "auto":
        return [Member(name=algorithm, algorithm=algorithm, params={})]
    return [
        Member(name=name + suffix, algorithm=name, params=params)
        for name, entry in ALGORITHMS.items()
        if installed(name)
        for suffix, params in entry.portfolio.items()
    ]


def _screen(members: list[Member], folds: Folds, metric: str, report: Report) -> tuple[list[Member], dict[str, float]]:
    import numpy as np

    small = folds.screen(SCREEN_ROWS)
    answers = _out_of_fold(members, small, report, what="screening")
    draws = {
        name: np.array(
            [metrics.gain(metric, value) for value in metrics.draw_values(metric, small.scored(answer), seed=0)]
        )
        for name, answer in answers.items()
    }
    value = {name: metrics.value_of(metric, small.scored(answer)) for name, answer in answers.items()}
    best = max(value, key=lambda name: metrics.gain(metric, value[name]))
    behind = {name: draws[best] - draws[name] for name in value}
    spread = max(abs(metrics.gain(metric, value[best])), SCREEN_MARGIN)
    hopeless = {
        name
        for name, lag in behind.items()
        if name != ALWAYS and np.quantile(lag, 0.025) > 0 and lag.mean() > SCREEN_MARGIN * spread
    }
    kept = [member for member in members if member.name not in hopeless]
    return kept, {name: value[name] for name in sorted(hopeless)}


def _tuned_members(
    members: list[Member], folds: Folds, metric: str, spec: TrainingSpec, report: Report
) -> tuple[Tuned, list[Member]]:
    """Tune the only algorithm, or the best two of several, within the trials."""
    names = list(dict.fromkeys(member.algorithm for member in members))
    if len(names) > 1:
        answers = _out_of_fold([Member(name=name, algorithm=name, params={}) for name in names], folds, report)
        worth = {name: metrics.gain(metric, metrics.value_of(metric, folds.scored(a))) for name, a in answers.items()}
        names = sorted(worth, key=worth.__getitem__, reverse=True)[:2]
    tuned = Tuned()
    for place, name in enumerate(names):
        share = spec.trials // len(names) + (1 if place < spec.trials % len(names) else 0)
        tuned = tuned | tune(name, folds, metric, share, report)
    best = [Member(name=f"{name}_tuned", algorithm=name, params=params) for name, params in tuned.params.items()]
    return tuned, [*members, *best] if spec.algorithm == "auto" else best or members


def _out_of_fold(
    members: list[Member], folds: Folds, report: Report, *, what: str = "cross-validating"
) -> dict[str, np.ndarray]:
    total = len(members) * folds.count
    done = 0
    parts: dict[str, list[np.ndarray]] = {member.name: [] for member in members}
    for fold in range(folds.count):
        for member in members:
            report(done, total, f"{what} {member.name}, fold {fold + 1} of {folds.count}")
            parts[member.name].append(folds.answer(fold, ALGORITHMS[member.algorithm], member.params))
            done += 1
    report(total, total, f"{what}: done")
    return {name: folds.in_order(answers) for name, answers in parts.items()}


def _checks(folds: Folds, answers: np.ndarray, metric: str) -> tuple[StageCheck, ...]:
    import numpy as np

    finite = bool(np.isfinite(answers).all())
    loss = "rmse" if folds.task == "regression" else "log_loss"
    value = metrics.value_of(loss, folds.scored(answers)) if finite else float("nan")
    model = metrics.draw_values(metric, folds.scored(answers), seed=folds.seed)
    dummy = metrics.draw_values(metric, folds.scored(folds.dummy()), seed=folds.seed)
    sign = metrics.gain(metric, 1.0)
    better = float(np.nanquantile(sign * (model - dummy), 0.05))
    return (
        StageCheck(
            name="loss finite",
            outcome="pass" if np.isfinite(value) else "fail",
            says=f"out-of-fold {loss} {value:.4f} on {len(answers)} rows",
        ),
        StageCheck(
            name="better than a dummy",
            outcome="pass" if better > 0 else "fail",
            says=f"out-of-fold {metric} {np.nanmean(model):.4f} against {np.nanmean(dummy):.4f}; "
            + ("beyond chance" if better > 0 else "not beyond chance: these features hold no signal for this target"),
        ),
    )


def train_metrics(
    model: Any, rows: pd.DataFrame, truth: np.ndarray, task: str, names: tuple[str, ...]
) -> dict[str, float]:
    """Metrics on the very rows that were learnt from: only for comparison with held-out ones."""
    scored = as_scored(answer_of(model, rows, task), truth)
    return {name: metrics.value_of(name, scored) for name in names}


def answer_of(model: Any, rows: pd.DataFrame, task: str) -> np.ndarray:
    """(n_rows, n_classes) probabilities, or (n_rows,) values of a regression."""
    return model.predict(rows) if task == "regression" else model.predict_proba(rows)


__all__ = ["Learned", "answer_of", "installed", "learn", "make_folds", "train_metrics"]
