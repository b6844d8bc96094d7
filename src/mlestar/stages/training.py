"""The training stage: out-of-fold answers on training rows decide what is kept, then it is fitted on all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlestar.core.run import StageCheck
from mlestar.stages import embeddings, metrics
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.blend import Blend, cross_fitted, greedy_weights, mean_of, simplest_good_one
from mlestar.stages.budget import DEFAULT_S, Budget
from mlestar.stages.folds import Folds, as_scored, make_folds
from mlestar.stages.members import SCREEN_ROWS, Crossed, Member, cross_validate, installed, portfolio, screen
from mlestar.stages.transformer import encoder_for
from mlestar.stages.tuning import Tuned, planned_trials, tune

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlestar.core.pipeline import TrainingSpec

Report = Callable[[float, float | None, str], None]

FULL_FIT = 1.25
"""A fit on all rows takes at most so many times a fold's (five folds: four fifths of the rows)."""
NEAR = 0.8
"""Of what the best algorithm gains over a dummy: who gains less is not tuned beside it."""
BLEND = "blend"


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The training stage's output.

    Attributes:
        model: Fitted on all training rows, from raw columns to an answer.
        alternatives: Member -> out-of-fold value of `metric`, of everything tried on all folds.
        weights: Member -> weight in the model.
        answers: Out-of-fold answers of the model: (n_rows, n_classes) or (n_rows,).
        predicted: Which training rows those are (all, unless folds go forward in time).
        repeat: The model trained once more with the same seed; None when the time budget had no room for it.
        time: budget_s, used_s, stopped (members that did not finish), repeated.
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
    repeat: Any = None
    time: Mapping[str, Any] = field(default_factory=dict)


def learn(folds: Folds, spec: TrainingSpec, report: Report) -> Learned:
    """Train what the config asks for. All randomness comes from the seed in `folds`.

    Texts are embedded before the time budget begins: a second run, which finds the vectors, then trains the same model.
    """
    with embeddings.remembering(report):
        embedded, note = _embedded(folds, spec)
        return _learn(folds, spec, report, embedded=embedded, notes=(note,) if note else ())


def _embedded(folds: Folds, spec: TrainingSpec) -> tuple[bool, str]:
    """Whether members on embeddings take part, their texts then embedded; and why not, where they could have."""
    if spec.algorithm not in {"auto", "embeddings"}:
        return False, ""
    if spec.algorithm == "auto":
        if not embeddings.text_columns(folds.kinds):
            return False, ""
        if not installed("embeddings"):
            return False, 'text embeddings were not tried: they need pip install "mlestar[embeddings]"'
        price, most = embeddings.price_s(folds.rows, folds.kinds), spec.time_budget_s or DEFAULT_S
        if price > most:
            return False, (
                f"text embeddings were not tried: making them takes about {price:.0f} s, more than the time budget of "
                f"{most:g} s; set training.timeBudgetS to {math.ceil(price)} or more"
            )
    embeddings.embed(folds.rows, folds.kinds)
    return True, ""


def _learn(folds: Folds, spec: TrainingSpec, report: Report, *, embedded: bool, notes: tuple[str, ...]) -> Learned:
    metric = spec.tuning_metric or metrics.SELECTION[folds.task]
    budget = Budget(spec.time_budget_s or DEFAULT_S)
    if spec.algorithm == "transformer":
        return _learn_transformer(folds, spec, metric, budget, report)
    members, screened, stopped = portfolio(spec.algorithm, embedded=embedded), dict[str, float](), ()
    if len(members) > 1 and len(folds.rows) > SCREEN_ROWS:
        members, screened, stopped = screen(members, folds, metric, budget, report)
    only_tuned = bool(spec.trials) and spec.algorithm != "auto"
    crossed = Crossed() if only_tuned else cross_validate(members, folds, budget, report)
    tuned, best = _tuned(members, crossed, folds, metric=metric, spec=spec, budget=budget, report=report)
    answers = {**crossed.answers, **{f"{name}_tuned": answer for name, answer in tuned.answers.items()}}
    weights = _weights(answers, [*members, *best], folds, metric)
    stopped = (*stopped, *crossed.stopped)
    if budget.left <= 0 and len(weights) > 1:
        stopped = (*stopped, BLEND)
        weights = {max(answers, key=lambda name: _worth(answers[name], folds, metric)): 1.0}
    chosen = [member for member in (*members, *best) if member.name in weights]
    begun = budget.used
    model = _fit(chosen, weights, folds, report)
    repeats = budget.used - begun <= budget.left
    blended = mean_of(answers, weights)
    return Learned(
        model=model,
        repeat=_fit(chosen, weights, folds, report, again=True) if repeats else None,
        algorithm=spec.algorithm,
        params={member.name: {"algorithm": member.algorithm, **member.params} for member in chosen},
        metric=metric,
        alternatives={name: metrics.value_of(metric, folds.scored(answer)) for name, answer in answers.items()},
        weights=weights,
        screened_out=screened,
        tuning=tuned.record,
        answers=blended,
        predicted=folds.predicted,
        checks=_checks(folds, blended, metric),
        notes=notes + _notes(budget, stopped, (tuned.record.get("trials", 0), tuned.wanted), repeats=repeats),
        time=_time(budget, stopped, repeats=repeats),
    )


def _learn_transformer(folds: Folds, spec: TrainingSpec, metric: str, budget: Budget, report: Report) -> Learned:
    """One network instead of one a fold: early stopping needs held-out training rows, and they give the answers.

    It trains the epochs it was given; only a time budget that the config names ends it earlier.
    """
    last = folds.only_last()
    train, held = last.parts[0]
    ends = budget if spec.time_budget_s else None

    def again(done: float, total: float | None, message: str) -> None:
        report(done, total, f"a second time, to see that it repeats: {message}")

    def fit(told: Report) -> tuple[Any, tuple[Mapping[str, float], ...]]:
        encoder = encoder_for(folds.kinds, folds.n_classes)
        return encoder, encoder.fit(
            folds.rows.iloc[train], folds.truth[train], held_rows=folds.rows.iloc[held], held_truth=folds.truth[held],
            spec=spec, seed=folds.seed, report=told, budget=ends,
        )  # fmt: skip

    encoder, curve = fit(report)
    used = budget.used
    answers = answer_of(encoder, folds.rows.iloc[held], folds.task)
    repeats = used <= budget.left
    params = {"epochs": len(curve), "batch_size": spec.batch_size, "learning_rate": spec.learning_rate}
    ended = f"trained {len(curve)} of {spec.epochs} epochs, the best one restored"
    return Learned(
        model=encoder, algorithm="transformer", params={"transformer": {"algorithm": "transformer", **params}},
        metric=metric, alternatives={"transformer": metrics.value_of(metric, last.scored(answers))},
        weights={"transformer": 1.0}, screened_out={}, tuning={}, answers=answers, predicted=last.predicted,
        checks=_checks(last, answers, metric), curve=curve, repeat=fit(again)[0] if repeats else None,
        notes=(ended, *_notes(budget, (), (0, 0), repeats=repeats)), time=_time(budget, (), repeats=repeats),
    )  # fmt: skip


def _fit(
    chosen: list[Member], weights: Mapping[str, float], folds: Folds, report: Report, *, again: bool = False
) -> Any:
    """The chosen members on all training rows, as one model."""
    fitted: list[Any] = []
    for place, member in enumerate(chosen):
        once_more = " a second time, to see that it repeats" if again else ""
        report(place, len(chosen), f"fitting {member.name} on all {len(folds.rows)} training rows{once_more}")
        fitted.append(folds.fit_all(ALGORITHMS[member.algorithm], member.params))
    return fitted[0] if len(fitted) == 1 else Blend(fitted, [weights[member.name] for member in chosen])


def _worth(answer: np.ndarray, folds: Folds, metric: str) -> float:
    return metrics.gain(metric, metrics.value_of(metric, folds.scored(answer)))


def _weights(answers: Mapping[str, np.ndarray], members: list[Member], folds: Folds, metric: str) -> dict[str, float]:
    """The linear model, the best member or the blend: the simplest that is within the noise of the best."""
    worth = {name: _worth(answer, folds, metric) for name, answer in answers.items()}
    best = max(worth, key=worth.__getitem__)
    if len(answers) == 1:
        return {best: 1.0}
    blend = greedy_weights(answers, lambda answer: _worth(answer, folds, metric))
    linear = [member.name for member in members if member.algorithm == "linear" and member.name in worth]
    simple = max(linear, key=worth.__getitem__, default=best)
    truth = folds.truth[folds.predicted]

    def score_on(answer: np.ndarray, rows: np.ndarray) -> float:
        return metrics.gain(metric, metrics.value_of(metric, as_scored(answer, truth[rows])))

    honest = cross_fitted(answers, folds.fold_of, score_on)
    candidates = {simple: answers[simple], best: answers[best], BLEND: honest}
    chosen = simplest_good_one(
        {name: metrics.gain_draws(metric, folds.scored(one), folds.seed) for name, one in candidates.items()},
        {name: _worth(answer, folds, metric) for name, answer in candidates.items()},
    )
    return blend if chosen == BLEND else {chosen: 1.0}


def _tuned(
    members: list[Member], crossed: Crossed, folds: Folds, *, metric: str, spec: TrainingSpec, budget: Budget,
    report: Report,
) -> tuple[Tuned, list[Member]]:  # fmt: skip
    """Tune the only algorithm, or the best two of several, within the trials and what the budget leaves."""
    worth = {name: _worth(answer, folds, metric) for name, answer in crossed.answers.items()}
    shares = planned_trials(spec, folds, _near_the_best(members, worth, folds, metric))
    reserve = 2 * FULL_FIT * sum(crossed.fold_s.values())  # every member on all rows, and once more
    tuned = Tuned(wanted=sum(shares.values()))
    for place, (name, share) in enumerate(shares.items()):
        if worth and budget.left <= reserve:
            break
        fair = reserve + (budget.left - reserve) * (len(shares) - 1 - place) / (len(shares) - place)
        tuned |= tune(name, folds, metric, share, report=report, budget=budget, until_left=fair)
    best = [Member(name=f"{name}_tuned", algorithm=name, params=params) for name, params in tuned.params.items()]
    return tuned, best


def _near_the_best(members: list[Member], worth: Mapping[str, float], folds: Folds, metric: str) -> list[str]:
    """The best algorithm and the next one, if that gains nearly as much over a dummy; the only one, untried."""
    tried = [member for member in members if member.name in worth]
    if not tried:
        return [members[0].algorithm]
    tried.sort(key=lambda member: worth[member.name], reverse=True)
    dummy = _worth(folds.dummy(), folds, metric)
    enough = NEAR * (worth[tried[0].name] - dummy)
    near = [member.algorithm for member in tried if worth[member.name] - dummy >= enough]
    return list(dict.fromkeys([tried[0].algorithm, *near]))[:2]


def _time(budget: Budget, stopped: tuple[str, ...], *, repeats: bool) -> dict[str, Any]:
    return {
        "budget_s": budget.seconds, "used_s": round(budget.used, 2), "stopped": list(stopped), "repeated": repeats,
    }  # fmt: skip


def _notes(budget: Budget, stopped: tuple[str, ...], trials: tuple[int, int], *, repeats: bool) -> tuple[str, ...]:
    ended = f"the time budget of {budget.seconds:g} s ended"
    made, wanted = trials
    told = {
        f"{ended} before these were trained: {', '.join(stopped)}": bool(stopped),
        f"{ended} after {made} of {wanted} trials": made < wanted,
        "not trained a second time: the time budget had no room for it": not repeats,
    }
    return tuple(text for text, holds in told.items() if holds)


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
