"""What of the statements of a request was understood, what contradicts itself, and what no check could use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.score.rubric import CHECKS, DIMENSIONS

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

MOST_KEYS = 40
"""Keys of one object that are tried one by one; a larger object is judged as a whole."""


def statements_read(facts: Facts, findings: Iterable[Finding], *, serving: str = "") -> dict[str, Any]:
    """Summarise what became of the claims.

    Returns:
        understood (check -> what was read out of them), contradictions (check -> why they cannot be true), unused
        (dimension -> keys that change no verdict when left out).
    """
    if not facts.claims:
        return {}
    claims_alone = replace(facts, project=None, data=None, run=None, models=())
    judged = run_checks(claims_alone, serving=serving)
    contradicted = {f.check: f.observed for f in judged if f.outcome is Outcome.FAIL}
    contradicted |= {f.check: f.observed for f in findings if f.refuted}
    return {
        "understood": {
            f.check: f.observed for f in judged if f.level is Level.CLAIMED and f.outcome is not Outcome.FAIL
        },
        "contradictions": contradicted,
        "unused": {
            dimension.key: unused
            for dimension in DIMENSIONS
            if (unused := _unused(claims_alone, dimension.key, dimension.id, serving))
        },
    }


def _unused(facts: Facts, dimension: str, letter: str, serving: str) -> list[str]:
    claim: Mapping[str, Any] = facts.claims.get(dimension, {})
    if not claim or len(claim) > MOST_KEYS:
        return []
    ids = [check for check in CHECKS if check.startswith(letter)]
    whole = run_checks(facts, ids, serving=serving)
    unused: list[str] = []
    for key in claim:
        rest = {name: value for name, value in claim.items() if name != key}
        without = replace(facts, claims={**facts.claims, dimension: rest})
        if run_checks(without, ids, serving=serving) == whole:
            unused.append(str(key))
    return unused
