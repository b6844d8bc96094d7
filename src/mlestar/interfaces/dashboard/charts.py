"""The geometry of the charts, pure: numbers in, places in a drawing out. The templates draw; CSS colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

HUNDRED = 100.0
TREND_WIDTH, TREND_HEIGHT = 560.0, 180.0
CALIBRATION_SIDE = 220.0


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A place along a horizontal scale of 0 to 100, with what stands there."""

    name: str
    value: float
    at: float


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """A metric on a scale of its own: the model's value with its interval, and the baselines beside it."""

    name: str
    value: float
    low: float
    high: float
    n: int
    at: float
    start: float
    width: float
    left: float
    right: float
    baselines: tuple[Mark, ...]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar from `start`, both in percent of the width; `below` tells a negative value."""

    name: str
    value: float
    start: float
    width: float
    below: bool = False


@dataclass(frozen=True, kw_only=True)
class ConfusionRow:
    """A true class with the count and the shade of each predicted one."""

    name: str
    cells: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line as SVG points in a box of TREND_WIDTH x TREND_HEIGHT; `marks` are (x, y, label)."""

    name: str
    points: str
    marks: tuple[tuple[float, float, str], ...]


def trend(values: Sequence[tuple[float, str]]) -> Line:
    """Values of 0 to 100 with their labels, oldest first, evenly spaced."""
    return _line("overall", [value for value, _ in values], 0.0, HUNDRED, [label for _, label in values])


def curves(rows: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
    """Training curves: one line for every number that the rows hold beside their `epoch`, each on its own scale."""
    names = [name for name in (rows[0] if rows else {}) if name != "epoch"]
    lines: list[Line] = []
    for name in names:
        values = [float(row[name]) for row in rows if isinstance(row.get(name), int | float)]
        if len(values) == len(rows) and all(map(math.isfinite, values)):
            labels = [f"epoch {row.get('epoch', at)}" for at, row in enumerate(rows, start=1)]
            lines.append(_line(name, values, min(values), max(values), labels))
    return tuple(lines)


def metric_rows(
    metrics: Mapping[str, Mapping[str, Any]], baselines: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> tuple[MetricRow, ...]:
    """One row a metric; those within 0 and 1 share that scale, any other has its own."""
    rows: list[MetricRow] = []
    for name, estimate in metrics.items():
        beside = {who: float(found[name]["value"]) for who, found in baselines.items() if name in found}
        low, high, value = (float(estimate[part]) for part in ("low", "high", "value"))
        numbers = [low, high, value, *beside.values()]
        left, right = (0.0, 1.0) if min(numbers) >= 0 and max(numbers) <= 1 else _around(numbers)

        def place(number: float, left: float = left, right: float = right) -> float:
            return _percent(number - left, right - left)

        rows.append(
            MetricRow(
                name=name, value=value, low=low, high=high, n=int(estimate["n"]), at=place(value), start=place(low),
                width=max(0.5, place(high) - place(low)), left=left, right=right,
                baselines=tuple(Mark(name=who, value=number, at=place(number)) for who, number in beside.items()),
            )
        )  # fmt: skip
    return tuple(rows)


def calibration(bins: Sequence[Mapping[str, Any]]) -> Line:
    """What was said against what was, from (0, 0) to (1, 1), in a square of CALIBRATION_SIDE."""
    places = [(round(CALIBRATION_SIDE * one["said"], 1), round(CALIBRATION_SIDE * (1 - one["was"]), 1)) for one in bins]
    marks = tuple(
        (x, y, f"said {one['said']:.3f}, was {one['was']:.3f}, n = {one['n']}")
        for (x, y), one in zip(places, bins, strict=True)
    )
    return Line(name="calibration", points=" ".join(f"{x},{y}" for x, y in places), marks=marks)


def confusion(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> tuple[ConfusionRow, ...]:
    """One row a true class; a cell's shade, 0 to 4, is its share of the row."""
    return tuple(
        ConfusionRow(
            name=name, cells=tuple((count, math.ceil(4 * count / sum(row)) if sum(row) else 0) for count in row)
        )
        for name, row in zip(classes, counts, strict=True)
    )


def bars(values: Mapping[str, float]) -> tuple[Bar, ...]:
    """One bar a value, all on one scale that holds zero."""
    numbers = {name: float(value) for name, value in values.items() if math.isfinite(value)}
    least, most = min([0.0, *numbers.values()]), max([0.0, *numbers.values()])
    span = most - least
    return tuple(
        Bar(
            name=name, value=value, start=_percent(min(0.0, value) - least, span), width=_percent(abs(value), span),
            below=value < 0,
        )
        for name, value in numbers.items()
    )  # fmt: skip


def timeline(durations: Mapping[str, float]) -> tuple[Bar, ...]:
    """Stages one after the other, on one scale of time."""
    total = sum(durations.values())
    placed: list[Bar] = []
    before = 0.0
    for name, duration in durations.items():
        placed.append(Bar(name=name, value=duration, start=_percent(before, total), width=_percent(duration, total)))
        before += duration
    return tuple(placed)


def _percent(part: float, whole: float) -> float:
    return round(min(HUNDRED, max(0.0, HUNDRED * part / whole)), 2) if whole else 0.0


def _around(numbers: Sequence[float]) -> tuple[float, float]:
    margin = (max(numbers) - min(numbers)) * 0.08 or 1.0
    return min(numbers) - margin, max(numbers) + margin


def _line(name: str, values: Sequence[float], low: float, high: float, labels: Sequence[str]) -> Line:
    span = high - low or 1.0
    step = TREND_WIDTH / max(1, len(values) - 1)
    places = [
        (round(step * at, 1), round(TREND_HEIGHT * (1 - (value - low) / span), 1)) for at, value in enumerate(values)
    ]
    if len(places) == 1:
        places = [(round(TREND_WIDTH / 2, 1), places[0][1])]
    marks = tuple((x, y, f"{label}: {value:.4g}") for (x, y), value, label in zip(places, values, labels, strict=True))
    return Line(name=name, points=" ".join(f"{x},{y}" for x, y in places), marks=marks)


def moved(values: Sequence[float]) -> float:
    """The last step of a series; 0 when it has none."""
    steps = list(pairwise(values))
    return round(steps[-1][1] - steps[-1][0], 1) if steps else 0.0
