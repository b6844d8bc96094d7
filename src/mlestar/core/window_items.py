"""What of a judgement goes into a context window: what is wrong or contradicted, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlestar.core.evidence import Outcome

if TYPE_CHECKING:
    from mlestar.core.score.views import Judgement

MOST_ITEMS = 12
WORTH_TELLING = frozenset({Outcome.FAIL, Outcome.PARTIAL, Outcome.INCONCLUSIVE, Outcome.ERROR})
HIGH, NORMAL = 4, 3


def window_items(judgement: Judgement, letter: str) -> list[dict[str, Any]]:
    """The findings of a dimension as window entries: key (check id), text, priority (4 critical or fail, else 3).

    What is merely unknown is left out: it would crowd out what is known.
    """
    items: list[dict[str, Any]] = []
    for finding in judgement.ordered(letter):
        if finding.outcome not in WORTH_TELLING:
            continue
        view = judgement.view(finding)
        place = f" at {finding.where}" if str(finding.where) else ""
        fix = f" Fix: {finding.fix.rstrip('.')}." if finding.fix else ""
        said = f"{finding.check} {finding.outcome} ({finding.level})"
        seen = finding.observed.rstrip(".")
        important = finding.outcome is Outcome.FAIL or finding.check in judgement.card.blockers
        items.append(
            {
                "key": finding.check,
                "text": f"{said}{place}: {seen}.{fix} (+{view.gain} points)",
                "priority": HIGH if important else NORMAL,
            }
        )
    return items[:MOST_ITEMS]
