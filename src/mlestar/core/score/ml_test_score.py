"""The ML Test Score of Breck, Cai, Nielsen, Salib and Sculley (IEEE Big Data 2017), read from the same findings.

Each of 28 tests earns 0.5 when done by hand and documented, 1 when a system does it automatically and repeatedly; a
section is the sum of its seven, the score the minimum of the four sections. A test that several checks make up is as
good as the worst of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from mlestar.core.evidence import Finding, Level, Outcome

SECTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "data": (
        ("Feature expectations are captured in a schema", "T1.1"),
        ("All features are beneficial", "T2.4"),
        ("No feature's cost is too much", "R3.2"),
        ("Features adhere to meta-level requirements", "S3.3 T2.1"),
        ("The data pipeline has appropriate privacy controls", "S3.4"),
        ("New features can be added quickly", ""),
        ("All input feature code is tested", "T2.2"),
    ),
    "model": (
        ("Model specs are reviewed and submitted", "X2.1"),
        ("Offline and online metrics correlate", "S2.3 A5.3"),
        ("All hyperparameters have been tuned", "T4.1 T4.2"),
        ("The impact of model staleness is known", "T5.3"),
        ("A simpler model is not better", "T3.1 T3.2"),
        ("Model quality is sufficient on important data slices", "A2.1"),
        ("The model is tested for considerations of inclusion", "A3.1"),
    ),
    "infrastructure": (
        ("Training is reproducible", "X4.4"),
        ("Model specs are unit tested", "X5.1"),
        ("The ML pipeline is integration tested", "T5.2"),
        ("Model quality is validated before serving", "S2.2 A1.1"),
        ("The model is debuggable", "A4.2"),
        ("Models are canaried before serving", "A5.1 R4.2"),
        ("Serving models can be rolled back", "R4.1 R4.3"),
    ),
    "monitoring": (
        ("Dependency changes result in notification", "X3.4 R1.2"),
        ("Data invariants hold for inputs", "R5.2 T1.1"),
        ("Training and serving are not skewed", "T2.5"),
        ("Models are not too stale", "T5.3"),
        ("Models are numerically stable", "R2.4"),
        ("Computing performance has not regressed", "R3.2 R3.3"),
        ("Prediction quality has not regressed", "R1.2 R5.3"),
    ),
}
SENTENCES = (
    (0, "More of a research project than a productionized system."),
    (1, "Not totally untested, but it is worth considering the possibility of serious holes in reliability."),
    (2, "There has been a first pass at basic productionization, but additional investment may be needed."),
    (3, "Reasonably tested, but it is possible that more of those tests and procedures may be automated."),
    (5, "Strong levels of automated testing and monitoring, appropriate for mission-critical systems."),
)
EXCEPTIONAL = "Exceptional levels of automated testing and monitoring."
AUTOMATIC = frozenset({Level.ATTESTED, Level.INSPECTED, Level.MEASURED})
HALF = Fraction(1, 2)


@dataclass(frozen=True, kw_only=True)
class MlTest:
    """One of the 28 tests; `checks` are those of this rubric that stand for it, none where nothing does."""

    name: str
    points: float
    checks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MlTestScore:
    """The score: the minimum of the section sums, each 0 to 7, with the paper's sentence for it."""

    score: float
    sentence: str
    sections: Mapping[str, float]
    tests: Mapping[str, tuple[MlTest, ...]]


def ml_test_score(findings: Mapping[str, Finding]) -> MlTestScore:
    """Read the 28 tests off the resolved findings (check id -> finding)."""
    tests = {
        section: tuple(_test(name, ids.split(), findings) for name, ids in rows) for section, rows in SECTIONS.items()
    }
    sections = {section: sum(test.points for test in rows) for section, rows in tests.items()}
    total = min(sections.values())
    sentence = next((text for line, text in SENTENCES if total <= line), EXCEPTIONAL)
    return MlTestScore(score=total, sentence=sentence, sections=sections, tests=tests)


def _test(name: str, checks: list[str], findings: Mapping[str, Finding]) -> MlTest:
    applying = [c for c in checks if c not in findings or findings[c].outcome is not Outcome.NOT_APPLICABLE]
    points = min((_points(findings.get(check)) for check in applying), default=Fraction(0))
    return MlTest(name=name, points=float(points), checks=tuple(checks))


def _points(finding: Finding | None) -> Fraction:
    if finding is None or finding.outcome not in {Outcome.PASS, Outcome.PARTIAL}:
        return Fraction(0)
    if finding.level in AUTOMATIC:
        return Fraction(1) if finding.outcome is Outcome.PASS else HALF
    documented = finding.level is Level.DOCUMENTED and finding.outcome is Outcome.PASS
    return HALF if documented else Fraction(0)
