"""Verdicts on files of the project, by how they are known."""

from __future__ import annotations

from fractions import Fraction

from mlestar.core.evidence import Level, Outcome, Verdict, Where


def inspected(
    outcome: Outcome,
    observed: str,
    where: Where | None = None,
    *,
    value: Fraction | None = None,
    n: int | None = None,
    fix: str = "",
) -> Verdict:
    """What we parsed ourselves: source, configuration, history."""
    return Verdict(
        outcome=outcome, level=Level.INSPECTED, observed=observed, where=where or Where(), value=value, n=n, fix=fix
    )


def attested(
    outcome: Outcome,
    observed: str,
    where: Where | None = None,
    *,
    value: Fraction | None = None,
    n: int | None = None,
    fix: str = "",
) -> Verdict:
    """What another tool's report says."""
    return Verdict(
        outcome=outcome, level=Level.ATTESTED, observed=observed, where=where or Where(), value=value, n=n, fix=fix
    )


def absent(observed: str, fix: str = "") -> Verdict:
    """The project was looked at and holds nothing that this check could judge: unknown, not a fail."""
    return Verdict(outcome=Outcome.UNKNOWN, level=Level.NONE, observed=observed, fix=fix)


def graded(value: float, passing: float, partial: float) -> Outcome:
    """Pass from `passing` upwards, partial from `partial`, else fail."""
    if value >= passing:
        return Outcome.PASS
    return Outcome.PARTIAL if value >= partial else Outcome.FAIL
