"""The geometry of the radar chart: scores in, places in a drawing around (0, 0) out. Whoever draws it colours it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlestar.core.score.views import DimensionView

RADIUS = 110.0
RINGS = (25, 50, 75, 100)
VIEW_BOX = "-200 -150 400 300"
"""Holds every label beside the spokes: a viewer cuts off what stands outside."""
LABEL_DISTANCE = 1.2
LINE = 15
"""From the baseline of a label's name to that of its score below."""
UPRIGHT = 0.3
"""Horizontal share of a spoke below which its label is centred."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One spoke: its end, and where its label stands."""

    name: str
    score: float
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Radar:
    """Polygons as SVG points, one corner a dimension, clockwise from the top."""

    axes: tuple[Axis, ...]
    rings: tuple[str, ...]
    score: str
    declared: str
    ceiling: str
    view_box: str = VIEW_BOX
    line: int = LINE

    def ring(self, value: float) -> str:
        """The polygon of one value on every axis."""
        return _polygon([value] * len(self.axes))


def radar(dimensions: Sequence[DimensionView]) -> Radar:
    """Scores of the dimensions, 0 to 100."""
    axes: list[Axis] = []
    for angle, dimension in zip(_angles(len(dimensions)), dimensions, strict=True):
        x, y = _place(angle, RADIUS)
        label_x, label_y = _place(angle, RADIUS * LABEL_DISTANCE)
        lean = math.cos(angle)
        anchor = "middle" if abs(lean) < UPRIGHT else "start" if lean > 0 else "end"
        axes.append(
            Axis(name=dimension.name, score=dimension.score, x=x, y=y, label_x=label_x, label_y=label_y, anchor=anchor)
        )
    return Radar(
        axes=tuple(axes),
        rings=tuple(_polygon([ring] * len(dimensions)) for ring in RINGS),
        score=_polygon([dimension.score for dimension in dimensions]),
        declared=_polygon([dimension.declared for dimension in dimensions]),
        ceiling=_polygon([dimension.ceiling for dimension in dimensions]),
    )


def _angles(count: int) -> Iterable[float]:
    return (2 * math.pi * at / count - math.pi / 2 for at in range(count))


def _polygon(values: Sequence[float]) -> str:
    places = (_place(angle, value / 100 * RADIUS) for angle, value in zip(_angles(len(values)), values, strict=True))
    return " ".join(f"{x},{y}" for x, y in places)


def _place(angle: float, radius: float) -> tuple[float, float]:
    return round(radius * math.cos(angle), 1), round(radius * math.sin(angle), 1)
