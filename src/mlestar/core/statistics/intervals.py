"""Confidence intervals of proportions and their differences, and the n that a width or a power needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def z_of(confidence: float) -> float:
    """Two-sided normal quantile, e.g. 1.96 for 0.95."""
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def wilson(successes: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927, JASA 22:209). (0, 1) when n is 0."""
    if n == 0:
        return 0.0, 1.0
    z = z_of(confidence)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def wilson_half_width(p: float, n: int, confidence: float = 0.95) -> float:
    """Half the width of the Wilson interval of a proportion p measured on n rows."""
    low, high = wilson(p * n, n, confidence)
    return (high - low) / 2


def n_for_half_width(p: float, width: float, confidence: float = 0.95) -> int:
    """Rows at which the Wilson half-width of a proportion p falls to `width`: found by bisection."""
    low, high = 1, 2
    while wilson_half_width(p, high, confidence) > width:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wilson_half_width(p, middle, confidence) > width else (low, middle)
    return high


def newcombe(a: float, n_a: int, b: float, n_b: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the difference a/n_a - b/n_b of independent proportions (Newcombe 1998, method 10)."""
    if not n_a or not n_b:
        return -1.0, 1.0
    p_a, p_b = a / n_a, b / n_b
    low_a, high_a = wilson(a, n_a, confidence)
    low_b, high_b = wilson(b, n_b, confidence)
    difference = p_a - p_b
    return (
        difference - math.hypot(p_a - low_a, high_b - p_b),
        difference + math.hypot(high_a - p_a, p_b - low_b),
    )


def ratio_interval(a: float, n_a: int, b: float, n_b: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the ratio (a/n_a) / (b/n_b) of proportions (Katz 1978), half a count added to each cell."""
    z = z_of(confidence)
    a, b = a + 0.5, b + 0.5
    log_ratio = math.log((a / (n_a + 0.5)) / (b / (n_b + 0.5)))
    spread = z * math.sqrt(max(0.0, 1 / a - 1 / (n_a + 0.5) + 1 / b - 1 / (n_b + 0.5)))
    return math.exp(log_ratio - spread), math.exp(log_ratio + spread)


def n_per_arm(base: float, lift: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Units per arm to detect `base` against `base + lift`, two-sided (Fleiss 1981, unpooled normal formula)."""
    from scipy.special import ndtri

    other = base + lift
    quantiles = float(ndtri(1 - alpha / 2) + ndtri(power))
    return math.ceil(quantiles**2 * (base * (1 - base) + other * (1 - other)) / lift**2)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the given order (Holm 1979): step-down, never decreasing, at most 1."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = running
    return adjusted
