"""A5.2, A5.3 and A5.4: what an online experiment showed, and whether it was run as planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlestar.checks.measured import measured
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict, slots
from mlestar.core.wording import listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import Experiment

_SEQUENTIAL_WORDS = ("sequential", "always valid", "e-value", "msprt", "group sequential", "alpha spending", "obrien")
_LEVEL = 0.05


@check("A5.2")
def arms_have_the_planned_sizes(facts: Facts) -> Iterator[Verdict]:
    """The arms hold the numbers of units that the assignment should give.

    Why: A sample ratio mismatch means that units were lost or misassigned, and then no effect can be believed.
    How: Chi-square of the assigned units against the planned shares (equal, unless the design states them).
    Threshold: pass from p = 0.01, partial from 0.001, fail below.
    Source: Fabijan et al. 2019 (KDD; about 6% of experiments); Kohavi, Tang and Xu 2020.
    Fix: Find where units are lost or assigned twice, repair it, run again.
    Limits: Planned shares other than equal must be stated with the design (`split` or `allocation`).
    """
    experiment = facts.data.experiment if facts.data is not None else None
    if experiment is None:
        return
    from mlestar.core.statistics.experiments import sample_ratio_p

    shares = _shares(_design(facts), list(experiment.counts))
    p_value = sample_ratio_p(list(experiment.counts.values()), shares)
    good, tolerable = facts.limit("A5.2", "pass"), facts.limit("A5.2", "partial")
    outcome = Outcome.PASS if p_value >= good else Outcome.PARTIAL if p_value >= tolerable else Outcome.FAIL
    sizes = listed([f"{arm} {count}" for arm, count in experiment.counts.items()])
    yield measured(experiment, outcome, f"{sizes}: p = {p_value:.2g} against the planned shares")


@check("A5.3")
def online_effect_is_shown(facts: Facts) -> Iterator[Verdict]:
    """The treatment is better than the control, beyond chance.

    Why: Offline gains often vanish online; the effect there is the only one that counts.
    How: Difference of treatment and control with its 95% interval: Newcombe for rates, Welch for means, Bonferroni over
        several treatments; the wanted direction is up unless the design says otherwise.
    Threshold: pass when an interval excludes 0 on the wanted side, partial when it covers 0, fail on the wrong side.
    Source: Newcombe 1998; Welch 1947; Kohavi, Tang and Xu 2020.
    Fix: Run to the planned size; do not ship what is worse.
    Limits: Units are taken as independent; A5.2 must hold first.
    """
    experiment = facts.data.experiment if facts.data is not None else None
    if experiment is None or not experiment.means:
        return
    from mlestar.core.statistics.experiments import effects

    sign = -1 if _wants_less(_design(facts)) else 1
    found = effects(experiment)
    shown = listed([f"{one.arm} {one.difference:+.4g} [{one.low:+.4g}, {one.high:+.4g}]" for one in found])
    better = any(min(sign * one.low, sign * one.high) > 0 for one in found)
    worse = all(max(sign * one.low, sign * one.high) < 0 for one in found)
    outcome = Outcome.PASS if better else Outcome.FAIL if worse else Outcome.PARTIAL
    yield measured(experiment, outcome, f"{experiment.outcome}: {shown}", column=experiment.outcome)


@check("A5.4")
def experiment_ran_to_its_plan(facts: Facts) -> Iterator[Verdict]:
    """The experiment reached its planned size and two weeks, and looking early was allowed for.

    Why: Stopping at the first good-looking day makes chance look like success.
    How: Units of the smallest arm against the planned n; days from the first to the last assignment; whether the design
        names a sequential method, or the evidence stays valid under daily looks (Beta-binomial e-value above 20).
    Threshold: pass when all of the three that can be told hold, partial for some, fail for none.
    Source: Johari et al. 2017; Robbins 1970; the 14 days are this project's own.
    Fix: Extend the experiment to its plan; name the stopping rule.
    Limits: Without dates or a planned n those parts count as missing.
    """
    experiment = facts.data.experiment if facts.data is not None else None
    if experiment is None:
        return
    design = _design(facts)
    planned = _number(design, ("plannedn", "nperarm", "samplesize", "samplesizeperarm", "plannedsamplesize", "n"))
    smallest = min(experiment.counts.values())
    days = experiment.days or 0
    least = facts.limit("A5.4", "min_days")
    has = {
        f"{smallest} units in the smallest arm of {planned:g} planned": bool(planned) and smallest >= planned,
        f"{days:g} days of {least:g}": days >= least,
        "early looks allowed for": _looks_are_valid(experiment, design),
    }
    missing = [part for part, holds in has.items() if not holds]
    held = [part for part, holds in has.items() if holds]
    observed = f"holds: {listed(held) or 'nothing'}" + (f"; does not: {listed(missing)}" if missing else "")
    place = measured(experiment, Outcome.PASS, observed)
    yield slots(len(held), len(has), place.level, observed, where=place.where)


def _design(facts: Facts) -> Mapping[str, Any]:
    """The stated design: an object under a key that names a test, or the statement itself."""
    claim = facts.claims.get("analysis", {})
    for key, value in claim.items():
        name = _plain(key)
        if isinstance(value, dict) and name in {"abtest", "experiment", "abtesting", "onlinetest", "design"}:
            return value
    return claim


def _shares(design: Mapping[str, Any], arms: list[str]) -> list[float]:
    for key, value in design.items():
        if _plain(key) in {"split", "allocation", "ratio", "shares", "trafficsplit"}:
            if isinstance(value, Mapping):
                given = [value.get(arm) for arm in arms]
            else:
                given = list(value) if isinstance(value, list | tuple) else []
            numbers = [float(share) for share in given if isinstance(share, int | float) and share > 0]
            if len(numbers) == len(arms):
                return numbers
    return [1.0] * len(arms)


def _wants_less(design: Mapping[str, Any]) -> bool:
    return any(
        _plain(key) in {"direction", "goal", "hypothesis"}
        and any(word in str(value).lower() for word in ("decrease", "lower", "less", "reduce", "down"))
        for key, value in design.items()
    )


def _looks_are_valid(experiment: Experiment, design: Mapping[str, Any]) -> bool:
    from mlestar.core.statistics.experiments import largest_daily_e_value

    if any(word in str(value).lower() for value in design.values() for word in _SEQUENTIAL_WORDS):
        return True
    arms = list(experiment.counts)
    level = _LEVEL / (len(arms) - 1)
    return experiment.is_rate and any(
        largest_daily_e_value(experiment.by_day, arm, arms[0]) > 1 / level for arm in arms[1:]
    )


def _number(design: Mapping[str, Any], names: tuple[str, ...]) -> float:
    for key, value in design.items():
        if _plain(key) in names and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return 0.0


def _plain(key: object) -> str:
    return "".join(letter for letter in str(key).lower() if letter.isalnum())
