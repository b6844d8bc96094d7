"""A/B tests: one row a unit (arm, outcome, date), or one row an arm (arm, n, conversions)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from mlestar.core.facts.data import Experiment, Table
from mlestar.core.statistics.columns import blank_to_missing, kind_of, labels, numbers, times
from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

ARM = ("arm", "variant", "group", "assignment", "treatment", "bucket", "experiment_group", "cohort", "condition")
COUNT = ("n", "users", "units", "count", "visitors", "assigned", "samples", "impressions", "exposures")
EVENTS = ("conversions", "successes", "events", "converted", "clicks", "positives", "orders")
OUTCOME = ("outcome", "converted", "conversion", "success", "metric", "value", "revenue", "clicked", "y", "purchase")
DATE = ("date", "day", "timestamp", "time", "assigned_at", "exposed_at", "created_at")
_CONTROL_WORDS = ("control", "a", "0", "baseline", "false", "old", "holdout", "off")
_MOST_ARMS = 10
_MOST_UNITS = 2**53
_DAY_S = 86_400.0


def read_experiment(table: Table) -> Experiment:
    """Read either layout; the control arm comes first.

    Raises:
        InvalidInput: No column of the arms, fewer than two of them or more than ten.
    """
    frame = table.frame
    arm_name = _named(frame, ARM)
    if not arm_name:
        _refuse(table, "no column of the arms", ARM)
    arms = labels(blank_to_missing(frame[arm_name]).dropna())
    names = sorted(set(arms), key=lambda name: (name.lower() not in _CONTROL_WORDS, name))
    if len(names) <= 1 or len(names) > _MOST_ARMS:
        _refuse(table, f"{len(names)} arms in {arm_name}", ("2", f"to {_MOST_ARMS} arms"))
    count_name = _named(frame, COUNT)
    if len(names) == len(frame) and count_name:
        return _from_totals(table, arm_name, count_name, names)
    return _from_units(table, arm_name, names)


def _from_totals(table: Table, arm_name: str, count_name: str, names: list[str]) -> Experiment:
    frame = table.frame
    arms = labels(frame[arm_name])
    units = dict(zip(arms, numbers(frame[count_name]), strict=True))
    if any(not _is_count(units[name]) or not units[name] for name in names):
        _refuse(table, f"values of {count_name} that are no counts of units (whole, at least 1)", ())
    counts = {name: int(units[name]) for name in names}
    event_name = _named(frame, EVENTS)
    if not event_name:
        return Experiment(path=table.path, sha256=table.sha256, counts=counts)
    events = dict(zip(arms, numbers(frame[event_name]), strict=True))
    if any(not _is_count(events[name]) or events[name] > counts[name] for name in names):
        _refuse(table, f"values of {event_name} that are no counts between 0 and {count_name}", ())
    rates = {name: float(events[name] / max(1, counts[name])) for name in names}
    return Experiment(
        path=table.path,
        sha256=table.sha256,
        counts=counts,
        outcome=event_name,
        means=rates,
        deviations={name: (rate * (1 - rate)) ** 0.5 for name, rate in rates.items()},
    )


def _is_count(value: float) -> bool:
    """A whole number from 0 to what a double counts exactly."""
    return 0 <= value <= _MOST_UNITS and value == int(value)


def _from_units(table: Table, arm_name: str, names: list[str]) -> Experiment:
    import numpy as np

    frame = table.frame[blank_to_missing(table.frame[arm_name]).notna()]
    arms = labels(frame[arm_name])
    outcome_name = _named(frame, OUTCOME, without=arm_name)
    date_name = _named(frame, DATE, without=arm_name)
    counts = {name: int((arms == name).sum()) for name in names}
    if not outcome_name:
        days = _days(frame, date_name)
        return Experiment(path=table.path, sha256=table.sha256, counts=counts, days=_span(days))
    values = _outcome(table, frame[outcome_name])
    present = values[~np.isnan(values)]
    days = _days(frame, date_name)
    return Experiment(
        path=table.path,
        sha256=table.sha256,
        counts=counts,
        outcome=outcome_name,
        means={name: float(np.nanmean(values[arms == name])) for name in names},
        deviations={name: float(np.nanstd(values[arms == name])) for name in names},
        is_rate=bool(np.isin(present, (0, 1)).all()),
        days=_span(days),
        by_day=_by_day(arms, values, days, names),
    )


def _outcome(table: Table, column: pd.Series[Any]) -> np.ndarray:
    import numpy as np

    if kind_of(column) == "category":
        words = column.astype(str).str.strip().str.lower()
        values = np.where(
            words.isin({"yes", "true", "y", "t"}), 1.0, np.where(words.isin({"no", "false", "n", "f"}), 0.0, np.nan)
        )
    else:
        values = numbers(column)
    if np.isnan(values).all():
        _refuse(table, f"values of {column.name} that are neither numbers nor yes and no", ())
    return values


def _days(frame: pd.DataFrame, name: str) -> np.ndarray | None:
    """(n,) whole days since 1970, or None without a usable date column."""
    import numpy as np

    if not name:
        return None
    days = np.floor(times(frame[name]) / _DAY_S) if kind_of(frame[name]) == "time" else None
    return days if days is not None and not np.isnan(days).any() else None


def _span(days: np.ndarray | None) -> float | None:
    return None if days is None else float(days.max() - days.min() + 1)


def _by_day(
    arms: np.ndarray, values: np.ndarray, days: np.ndarray | None, names: list[str]
) -> dict[str, tuple[tuple[int, float], ...]]:
    import numpy as np

    if days is None:
        return {}
    every = np.unique(days)
    cumulated: dict[str, tuple[tuple[int, float], ...]] = {}
    for name in names:
        mine = arms == name
        position = np.searchsorted(every, days[mine])
        units = np.cumsum(np.bincount(position, minlength=len(every)))
        sums = np.cumsum(np.bincount(position, weights=np.nan_to_num(values[mine]), minlength=len(every)))
        cumulated[name] = tuple((int(n), float(total)) for n, total in zip(units, sums, strict=True))
    return cumulated


def _named(frame: pd.DataFrame, names: Sequence[str], *, without: str = "") -> str:
    by_name = {str(name).lower().strip().replace(" ", "_"): str(name) for name in frame.columns if name != without}
    return next((by_name[name] for name in names if name in by_name), "")


def _refuse(table: Table, why: str, valid: Sequence[str]) -> NoReturn:
    columns = ", ".join(map(str, list(table.frame.columns)[:12]))
    raise InvalidInput(
        f"{table.path} cannot be read as an experiment: it has {why}; its columns are {columns}",
        valid=valid,
        do="write one row a unit (arm, outcome, date) or one row an arm (arm, n, conversions)",
    )
