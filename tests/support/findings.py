"""Findings for tests of scoring: one a check, as asked for."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from hypothesis import strategies as st

from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.score.rubric import CHECKS

LEVELS = tuple(Level)[1:]
SLOTS = st.fractions(min_value=0, max_value=1, max_denominator=9)


def outcome_of(value: Fraction) -> Outcome:
    return Outcome.PASS if value == 1 else Outcome.PARTIAL if value > 0 else Outcome.FAIL


def finding(check: str, value: Fraction | int = 1, level: Level = Level.MEASURED, **more: object) -> Finding:
    parts: dict[str, object] = {
        "check": check,
        "outcome": outcome_of(Fraction(value)),
        "level": level,
        "value": Fraction(value),
        "observed": "seen",
        "threshold": "",
        "source": "",
        "fix": "",
    }
    return Finding(**{**parts, **more})  # pyright: ignore[reportArgumentType] - parts are typed by name above


def all_at(level: Level, value: Fraction | int = 1) -> list[Finding]:
    return [finding(check, value, level) for check in CHECKS]


@st.composite
def judged(draw: st.DrawFn, levels: Iterable[Level] = LEVELS) -> list[Finding]:
    """Any mix of decided checks at these levels; the rest are not there, which is unknown."""
    chosen = draw(st.lists(st.sampled_from(list(CHECKS)), unique=True))
    levels_list = list(levels)
    return [finding(check, draw(SLOTS), draw(st.sampled_from(levels_list))) for check in chosen]
