from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlestar.core.report.radar import LINE, RADIUS, VIEW_BOX, radar
from mlestar.core.score.rubric import DIMENSIONS
from mlestar.core.score.views import DimensionView

PERCENT = st.floats(min_value=0, max_value=100)
LETTER = 7
"""A wide letter of the text that is set, in the drawing's units."""


def dimensions(values: list[float]) -> list[DimensionView]:
    return [
        DimensionView(
            id=d.id, key=d.key, name=d.name, score=value, declared=value, ceiling=100, coverage=0, criteria=(),
            blockers=(),
        )
        for d, value in zip(DIMENSIONS, values, strict=True)
    ]  # fmt: skip


def places(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


@given(st.lists(PERCENT, min_size=5, max_size=5))
def test_a_score_s_corner_is_as_far_from_the_middle_as_the_score_is_high(values: list[float]) -> None:
    drawn = radar(dimensions(values))
    far = [math.hypot(x, y) for x, y in places(drawn.score)]
    assert far == pytest.approx([value / 100 * RADIUS for value in values], abs=0.2)
    assert len(places(drawn.ceiling)) == 5


def test_no_label_reaches_out_of_the_drawing() -> None:
    left, top, width, height = map(float, VIEW_BOX.split())
    for axis in radar(dimensions([100.0] * 5)).axes:
        long = LETTER * len(axis.name)
        start = axis.label_x - {"start": 0, "middle": long / 2, "end": long}[axis.anchor]
        assert left <= start
        assert start + long <= left + width
        assert top <= axis.label_y - LINE
        assert axis.label_y + LINE + LETTER <= top + height
