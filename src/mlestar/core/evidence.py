"""What a check says: an outcome, how strong the evidence was, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from mlestar.core.quoting import name_shown


class Level(StrEnum):
    """How a thing is known, weakest first. The cap is the most credit that evidence of this kind can earn."""

    NONE = "none"
    CLAIMED = "claimed"
    DOCUMENTED = "documented"
    ATTESTED = "attested"
    INSPECTED = "inspected"
    MEASURED = "measured"

    @property
    def cap(self) -> Fraction:
        """Credit ceiling, 0 to 1."""
        return _CAPS[self]

    @property
    def rank(self) -> int:
        """Order of strength: 0 (nothing) to 5 (measured by us)."""
        return list(Level).index(self)


_CAPS = {
    Level.NONE: Fraction(0),
    Level.CLAIMED: Fraction(25, 100),
    Level.DOCUMENTED: Fraction(50, 100),  # ML Test Score: a manual, documented test earns half
    Level.ATTESTED: Fraction(65, 100),
    Level.INSPECTED: Fraction(85, 100),
    Level.MEASURED: Fraction(1),
}


class Outcome(StrEnum):
    """The verdict of one check. Only pass and partial earn credit."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    PARTIAL = "partial"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"  # looked at, undecidable: says the n that would settle it
    UNKNOWN = "unknown"  # the input the check needs was not given
    NOT_APPLICABLE = "not_applicable"  # by a deterministic rule of the profile only
    ERROR = "error"  # the check itself broke; never counted as a fail


@dataclass(frozen=True, kw_only=True)
class Where:
    """The place a verdict speaks of. Empty parts do not apply."""

    path: str = ""
    line: int | None = None
    column: str = ""
    rows: tuple[int, ...] = ()
    sha256: str = ""

    def __str__(self) -> str:
        """`path:line`, `path#column`, or as much of it as is known; nothing in it hides or turns around."""
        text = name_shown(self.path) + (f":{self.line}" if self.line is not None else "")
        if self.column:
            text += f"#{name_shown(self.column)}" if text else name_shown(self.column)
        return text


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check function yields: one piece of evidence and what it shows.

    `value` is v of the scoring formula, 0 to 1; left out it follows from the outcome (pass 1, partial 1/2, else 0).
    """

    outcome: Outcome
    level: Level
    observed: str
    value: Fraction | None = None
    where: Where = field(default_factory=Where)
    n: int | None = None
    fix: str = ""

    @property
    def v(self) -> Fraction:
        """The credited share before the level's cap."""
        if self.value is not None:
            return self.value
        return {Outcome.PASS: Fraction(1), Outcome.PARTIAL: Fraction(1, 2)}.get(self.outcome, Fraction(0))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A verdict with its check's identity: what is stored, scored and shown."""

    check: str
    outcome: Outcome
    level: Level
    value: Fraction
    observed: str
    threshold: str
    source: str
    fix: str
    where: Where = field(default_factory=Where)
    n: int | None = None
    run_id: str = ""  # set when a pipeline run measured it
    refuted: bool = False  # a stronger level contradicts a weaker pass


def slots(
    filled: int, total: int, level: Level, observed: str, *, where: Where | None = None, fix: str = ""
) -> Verdict:
    """A verdict over `total` required pieces of which `filled` are there: v = filled / total."""
    share = Fraction(filled, total)
    outcome = Outcome.PASS if share == 1 else Outcome.PARTIAL if share > 0 else Outcome.FAIL
    return Verdict(outcome=outcome, level=level, observed=observed, value=share, where=where or Where(), fix=fix)
