"""What changed between two judgements, and why."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mlestar.core.score.rubric import CHECKS

if TYPE_CHECKING:
    from mlestar.core.score.views import Judgement

MOST_CHANGES = 10
TREND_CHANGES = 3


def state_of(judgement: Judgement) -> dict[str, list[str]]:
    """Check -> outcome, level and earned overall points, those of its waiver too: what `changes` compares."""
    card = judgement.card
    return {
        check: [
            finding.outcome.value,
            finding.level.value,
            str(card.shares.get(check, Fraction(0)) - card.lost.get(check, Fraction(0))),
        ]
        for check, finding in judgement.findings.items()
    }


def changes(before: Mapping[str, list[str]], judgement: Judgement) -> list[dict[str, Any]]:
    """The checks that moved since `before`, those that moved the score most first, each with what was observed."""
    after = state_of(judgement)
    moved: list[tuple[Fraction, dict[str, Any]]] = []
    for check in CHECKS:
        old, new = before.get(check, ["unknown", "none", "0"]), after.get(check, ["unknown", "none", "0"])
        if old[:2] != new[:2] or old[2] != new[2]:
            points = Fraction(new[2]) - Fraction(old[2])
            finding = judgement.findings.get(check)
            change = {
                "check": check,
                "before": f"{old[0]} ({old[1]})",
                "after": f"{new[0]} ({new[1]})",
                "points": round(float(points), 2),
                "why": finding.observed if finding is not None else "no longer looked at",
            }
            moved.append((points, change))
    moved.sort(key=lambda pair: -abs(pair[0]))
    return [change for _, change in moved]
