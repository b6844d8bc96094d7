"""Which figures want attention: the integration guide's "Alerts & Thresholds"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OVERALL = "overall"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that wants attention now; `kind`: overall, dimension, drift, pipeline, window; `about`: which one."""

    kind: str
    message: str
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The lines below or above which an alert stands; the defaults of scores are the integration guide's.

    Attributes:
        overall_below: Overall score, 0 to 100.
        dimension_below: Score of a dimension, 0 to 100.
        failed_runs: Newest ended runs that must all have failed.
        window_entries: Important entries that a window has no room for.
        partial_drift: Whether partial drift alerts too, not only a fail.
    """

    overall_below: float = 70.0
    dimension_below: float = 60.0
    failed_runs: int = 1
    window_entries: int = 1
    partial_drift: bool = True


GUIDE = Thresholds()


def score_alerts(scores: Mapping[str, float], drift: Iterable[Alert], thresholds: Thresholds = GUIDE) -> list[Alert]:
    """The alerts that follow from scores as shown (dimension key or `overall` -> points) and from measured drift.

    `about` of a drift alert is its outcome.
    """
    alerts: list[Alert] = []
    if scores[OVERALL] < thresholds.overall_below:
        message = f"{OVERALL} {scores[OVERALL]} is below {thresholds.overall_below:g}"
        alerts.append(Alert(kind=OVERALL, message=message))
    alerts += [
        Alert(kind="dimension", message=f"{key} {value} is below {thresholds.dimension_below:g}", about=key)
        for key, value in scores.items()
        if key != OVERALL and value < thresholds.dimension_below
    ]
    return alerts + [alert for alert in drift if thresholds.partial_drift or alert.about != "partial"]
