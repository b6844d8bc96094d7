"""Numbers that a caller stated, as metrics: from free JSON, with the precision they were written with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mlestar.core.statistics.metrics import LOWER_IS_BETTER, canonical

_DEPTH = 3
_PERFECT_UNIT = 0.005
_COARSEST_UNIT = 0.05
_LARGEST = 1e12
_SMALLEST_PERCENTAGE = 2  # 1.02 is a wrong share, not a percentage
_UNBOUNDED = frozenset({"mae", "mse", "rmse", "log_loss"})


@dataclass(frozen=True, kw_only=True)
class StatedMetric:
    """One claimed value, as a share: `92%` and 92 become 0.92.

    Attributes:
        key: As the caller wrote it.
        metric: Its canonical name.
        half_unit: Half of the last digit written: what rounding alone explains. At most 0.05, and 0.005 for a value
            of exactly 0 or 1, which nobody rounds to.
    """

    key: str
    metric: str
    value: float
    half_unit: float

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the bolder claim."""
        return self.metric in LOWER_IS_BETTER


def stated_metrics(claim: Mapping[str, Any], depth: int = _DEPTH) -> Iterator[StatedMetric]:
    """Every metric with a number in the object and in the objects it holds."""
    for key, stated in claim.items():
        if isinstance(stated, Mapping) and depth > 1:
            yield from stated_metrics(stated, depth - 1)
            continue
        metric = canonical(str(key))
        number = _number(stated)
        if not metric or number is None:
            continue
        value, half_unit = float(number), float(Decimal(1).scaleb(int(number.as_tuple().exponent)) / 2)
        is_percent = isinstance(stated, str) and stated.strip().endswith("%")
        if is_percent or (metric not in _UNBOUNDED and _SMALLEST_PERCENTAGE <= value <= 100):  # noqa: PLR2004 - percent
            value, half_unit = value / 100, half_unit / 100
        half_unit = min(half_unit, _PERFECT_UNIT if value in {0.0, 1.0} else _COARSEST_UNIT)
        if abs(value) <= _LARGEST:
            yield StatedMetric(key=str(key), metric=metric, value=value, half_unit=half_unit)


def _number(stated: object) -> Decimal | None:
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        return None
    text = str(stated).strip().removesuffix("%").strip()
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None
