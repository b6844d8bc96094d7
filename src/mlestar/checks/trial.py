"""Verdicts on what running the project's own code showed, and on what there was to run."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent
from mlestar.core.evidence import Level, Outcome, Verdict, Where
from mlestar.core.project.trial_plan import LINES, line_to_add

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.trial import TestTrial

_LOG = 400
_DECLARED_AS = {"X4.4": "train_command", "R2.4": "predict", "R3.2": "predict", "R4.4": "load", "R5.4": "detector"}


def tried(
    facts: Facts, outcome: Outcome, observed: str, *, fix: str = "", value: Fraction | None = None, n: int | None = None
) -> Verdict:
    """What we measured by running the project's code; says how it was kept from doing harm."""
    enclosure = facts.trial.enclosure if facts.trial is not None else ""
    said = f"run here ({enclosure}): {observed}" if enclosure else observed
    return Verdict(outcome=outcome, level=Level.MEASURED, observed=said, value=value, where=Where(), fix=fix, n=n)


def not_settled(facts: Facts, what: str, problem: str, log: str) -> Verdict:
    """Running it told nothing about the project: why, with the end of its log."""
    end = " ".join(log[-_LOG:].split())
    observed = f"{what}: {problem}" + (f"; its log ends: {end}" if end else "")
    return tried(facts, Outcome.INCONCLUSIVE, observed, fix=f"make {what} run without network in a fresh copy")


def undeclared(facts: Facts, check: str) -> Verdict | None:
    """That the project declares nothing to run for this check, with the very line to add; None when it does."""
    if facts.project is None or not facts.project.own_modules or check in facts.runnable:
        return None
    name = _DECLARED_AS[check]
    return absent(f"the project declares no {LINES[name].partition(' ')[0]}", line_to_add(name))


def lacking(trial: TestTrial) -> str:
    """Which tests need what is withheld from them."""
    first, what = next(iter(trial.unmet.items()))
    return f"{len(trial.unmet)} of {trial.cases} tests need what is not there; {first} needs {what}"
