"""The candidates of a training: which there are, their out-of-fold answers, and which the time budget lets in.

A fit cannot be cut short, so a candidate is let in by what its first fold took. The first candidate always finishes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mlestar.core.pipeline import ALGORITHMS as LIBRARIES
from mlestar.stages import metrics
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.fits import answers_of

if TYPE_CHECKING:
    import numpy as np

    from mlestar.stages.budget import Budget
    from mlestar.stages.fits import Fit
    from mlestar.stages.folds import Folds

Report = Callable[[float, float | None, str], None]

SCREEN_ROWS = 3_000
"""Above so many training rows, members are first compared on so many, and the hopeless ones dropped."""
SCREEN_MARGIN = 0.02
"""A member this far behind the best on the screen (and beyond its paired interval) is dropped."""
ALWAYS = "linear"


@dataclass(frozen=True, kw_only=True)
class Member:
    """One candidate: an algorithm with its params."""

    name: str
    algorithm: str
    params: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """Out-of-fold answers of the members that finished.

    Attributes:
        answers: Member -> answers in the order of `Folds.predicted`.
        fold_s: Member -> mean seconds of one fold.
        stopped: Members that the time budget kept from finishing.
    """

    answers: Mapping[str, np.ndarray] = field(default_factory=dict)
    fold_s: Mapping[str, float] = field(default_factory=dict)
    stopped: tuple[str, ...] = ()


def installed(algorithm: str) -> bool:
    """Whether the libraries of an algorithm are there."""
    return all(find_spec(library) is not None for library in LIBRARIES[algorithm])


def portfolio(algorithm: str, *, embedded: bool = False) -> list[Member]:
    """What is tried for an algorithm; of `auto` the linear one comes first, those on embeddings only if `embedded`."""
    if algorithm != "auto":
        return [Member(name=algorithm, algorithm=algorithm, params={})]
    return [
        Member(name=name + suffix, algorithm=name, params=params)
        for name, entry in ALGORITHMS.items()
        if installed(name) and (embedded or entry.view != "embedded")
        for suffix, params in entry.portfolio.items()
    ]


def cross_validate(
    members: Sequence[Member], folds: Folds, budget: Budget, report: Report, *, what: str = "cross-validating"
) -> Crossed:
    """Answers of every member on every fold, as far as the budget goes."""
    parts: dict[str, list[np.ndarray]] = {member.name: [] for member in members}
    seconds = dict.fromkeys(parts, 0.0)
    kept, fits = list(members), folds.count + 1  # and one on all rows
    begun, whole = budget.used, budget.left
    asked: deque[tuple[str, float, float]] = deque()

    def in_time(which: range) -> Iterator[Fit]:
        """The fits of these folds, each let in or not at the moment that it is to begin."""
        for fold in which:
            for place, member in enumerate(list(kept)):
                late = budget.left <= 0 if fold else (budget.used - begun) * fits > whole
                if late and member is not members[0]:
                    kept.remove(member)
                    continue
                done = (fold * len(kept) + min(place, len(kept))) / (len(kept) * folds.count)
                report(done, 1, f"{what} {member.name}, fold {fold + 1} of {folds.count}")
                before = budget.used
                fit = folds.fit_of(fold, ALGORITHMS[member.algorithm], member.params)
                asked.append((member.name, before, budget.used))
                yield fit

    for which in (range(1), range(1, folds.count)):
        for answer, elsewhere_s in answers_of(in_time(which)):
            name, before, prepared = asked.popleft()
            parts[name].append(answer)
            seconds[name] += prepared - before + elsewhere_s if elsewhere_s else budget.used - before
            budget.charge(elsewhere_s)
        if not which.start:
            kept = _affordable(kept, seconds, fits - 1, budget.left)
    report(1, 1, f"{what}: done")
    finished = [member.name for member in kept]
    return Crossed(
        answers={name: folds.in_order(parts[name]) for name in finished},
        fold_s={name: seconds[name] / folds.count for name in finished},
        stopped=tuple(name for name in parts if name not in finished),
    )


def screen(
    members: list[Member], folds: Folds, metric: str, budget: Budget, report: Report
) -> tuple[list[Member], dict[str, float], tuple[str, ...]]:
    """Compare members on few rows: who goes on, who is hopeless (with its value), whom the budget stopped."""
    import numpy as np

    small = folds.screen(SCREEN_ROWS)
    crossed = cross_validate(members, small, budget, report, what="screening")
    draws = {name: metrics.gain_draws(metric, small.scored(answer), 0) for name, answer in crossed.answers.items()}
    value = {name: metrics.value_of(metric, small.scored(answer)) for name, answer in crossed.answers.items()}
    best = max(value, key=lambda name: metrics.gain(metric, value[name]))
    behind = {name: draws[best] - draws[name] for name in value}
    spread = max(abs(metrics.gain(metric, value[best])), SCREEN_MARGIN)
    hopeless = {
        name
        for name, lag in behind.items()
        if name != ALWAYS and np.quantile(lag, 0.025) > 0 and lag.mean() > SCREEN_MARGIN * spread
    }
    kept = [member for member in members if member.name in value and member.name not in hopeless]
    return kept, {name: value[name] for name in sorted(hopeless)}, crossed.stopped


def _affordable(kept: list[Member], seconds: Mapping[str, float], fits: int, left: float) -> list[Member]:
    """The first one, then the cheapest ones whose remaining fits still go into what is left."""
    chosen, needed = {kept[0].name}, seconds[kept[0].name] * fits
    for member in sorted(kept[1:], key=lambda member: seconds[member.name]):
        needed += seconds[member.name] * fits
        if needed > left:
            break
        chosen.add(member.name)
    return [member for member in kept if member.name in chosen]
