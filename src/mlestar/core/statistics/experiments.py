"""Online experiments: arm sizes, effects, and looking more than once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.statistics.intervals import newcombe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlestar.core.facts.data import Experiment

_ALPHA = 0.05
_PRIOR = 0.5  # Jeffreys prior of the Beta-binomial mixture


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Treatment minus control with its 95% interval."""

    arm: str
    difference: float
    low: float
    high: float


def sample_ratio_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Chi-square p-value of the arm sizes against the planned shares (Fabijan et al. 2019, KDD)."""
    from scipy.stats import chisquare

    total = sum(counts)
    if not total:
        return 1.0
    expected = [total * share / sum(shares) for share in shares]
    return float(chisquare(counts, expected).pvalue)


def effects(experiment: Experiment) -> list[Effect]:
    """Each treatment against the control: Newcombe 1998 for rates, Welch 1947 for means, Bonferroni over arms."""
    arms = list(experiment.counts)
    control = arms[0]
    confidence = 1 - _ALPHA / max(1, len(arms) - 1)
    found: list[Effect] = []
    for arm in arms[1:]:
        n, n_0 = experiment.counts[arm], experiment.counts[control]
        difference = experiment.means[arm] - experiment.means[control]
        if experiment.is_rate:
            low, high = newcombe(experiment.means[arm] * n, n, experiment.means[control] * n_0, n_0, confidence)
        else:
            half = _welch_half_width(experiment.deviations[arm], n, experiment.deviations[control], n_0, confidence)
            low, high = difference - half, difference + half
        found.append(Effect(arm=arm, difference=difference, low=low, high=high))
    return found


def _welch_half_width(s_a: float, n_a: int, s_b: float, n_b: int, confidence: float) -> float:
    """Half-width of Welch's interval; `s` are population standard deviations."""
    from scipy.stats import t

    if n_a <= 1 or n_b <= 1:
        return math.inf
    v_a, v_b = s_a**2 / (n_a - 1), s_b**2 / (n_b - 1)
    if not v_a + v_b:
        return 0.0
    freedom = (v_a + v_b) ** 2 / (v_a**2 / (n_a - 1) + v_b**2 / (n_b - 1))
    return float(t.ppf((1 + confidence) / 2, freedom)) * math.sqrt(v_a + v_b)


def e_value(events_a: float, n_a: int, events_b: float, n_b: int) -> float:
    """Evidence against equal rates that stays valid however often one looks: reject at level a when it exceeds 1/a.

    Ratio of the Beta-binomial marginal likelihoods of two rates and of one, Jeffreys priors (Robbins 1970; Turner et
    al. 2024 on 2x2 tables). By Ville's inequality the chance that it ever exceeds 1/a is at most a.
    """
    from scipy.special import betaln

    def marginal(events: float, n: int) -> float:
        return float(betaln(_PRIOR + events, _PRIOR + n - events) - betaln(_PRIOR, _PRIOR))

    log_ratio = marginal(events_a, n_a) + marginal(events_b, n_b) - marginal(events_a + events_b, n_a + n_b)
    return math.exp(min(700.0, log_ratio))


def largest_daily_e_value(by_day: Mapping[str, Sequence[tuple[int, float]]], arm: str, control: str) -> float:
    """The largest e-value over the looks at the end of each day; 1 without dates."""
    pairs = zip(by_day.get(arm, ()), by_day.get(control, ()), strict=False)
    values = [e_value(total, n, total_0, n_0) for (n, total), (n_0, total_0) in pairs]
    return max(values, default=1.0)
