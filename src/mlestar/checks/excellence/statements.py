"""What a request states about excellence (projectArtifacts)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.checks.registry import statement
from mlestar.checks.stated import claims
from mlestar.core.claims.slots import DATE, Slot, is_concrete, slot_verdict
from mlestar.core.claims.text import first_number, under
from mlestar.core.evidence import Level, Outcome, Verdict

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

SECURITY = r"\b(security|audit|pen ?test|security audit)\b"
AUDIT_SLOTS = (
    Slot(name="mentioned", keys=SECURITY, adjective=True),
    Slot(
        name="who and when",
        keys=rf"{SECURITY}.*\b(by|who|auditor|date|when)\b",
        text=rf"\bby [A-Z]\w+|{DATE}",
        within=SECURITY,
    ),
    Slot(name="scope", keys=rf"{SECURITY}.*\bscope\b"),
    Slot(
        name="tool",
        keys=rf"{SECURITY}.*\b(tool|scanner|method)\b",
        text=r"\b(?:bandit|semgrep|codeql|trivy|snyk|sonar\w*|pip-audit)\b",
        within=SECURITY,
    ),
    Slot(name="findings", keys=rf"{SECURITY}.*\b(findings|issues|results|vulnerabilities|high|medium)\b", value=r"\d"),
)
REVIEW_SLOTS = (
    Slot(name="reviewers", keys=r"\b(code )?reviewers?\b"),
    Slot(name="share of changes reviewed", keys=r"\breview\w*\b.*\b(share|rate|coverage|percent\w*)\b", value=r"\d"),
    Slot(name="rule", keys=r"\b(branch protection|required (reviews|approvals)|min approvals)\b"),
)
README_SLOTS = tuple(
    Slot(name=name, keys=keys)
    for name, keys in {
        "dependencies": r"\b(dependencies|requirements|environment file|lock ?file)\b",
        "training command": r"\btrain(ing)? (command|script|code)\b",
        "evaluation command": r"\beval(uation)? (command|script|code)\b",
        "pre-trained model": r"\b(pre ?trained( models?)?|weights|checkpoints?|model (file|url))\b",
        "results": r"\bresults( table)?\b",
    }.items()
)
SEEDS = r"\b(seeds?|random state|random seeds?)$"
LOCK = r"(?:uv|poetry|pdm|conda|pixi|pipfile|requirements)[\w.-]*\.?(?:lock|txt)|lock"
SPDX = (
    r"\b(?:MIT|Apache-2\.0|BSD-[23]-Clause|GPL-[23]\.0[\w-]*|LGPL-[\w.-]+|MPL-2\.0|AGPL-3\.0[\w-]*|ISC|"
    r"Unlicense|CC0-1\.0|Proprietary)\b"
)


@statement("X3.2")
def security(facts: Facts) -> Iterable[Verdict]:
    """Who audited when, what, with which tool, with which findings."""
    verdict = slot_verdict(AUDIT_SLOTS, claims(facts, "excellence"), Level.CLAIMED)
    if verdict:
        yield verdict


@statement("X1.1")
def readme(facts: Facts) -> Iterable[Verdict]:
    """The five of the code completeness list."""
    verdict = slot_verdict(README_SLOTS, claims(facts, "excellence"), Level.CLAIMED)
    if verdict:
        yield verdict


@statement("X2.1")
def review(facts: Facts) -> Iterable[Verdict]:
    """Reviewers, share of changes, rule."""
    verdict = slot_verdict(REVIEW_SLOTS, claims(facts, "excellence"), Level.CLAIMED)
    if verdict:
        yield verdict


@statement("X4.1")
def lock_file(facts: Facts) -> Iterable[Verdict]:
    """A named lock file."""
    named = [
        s
        for s in under(claims(facts, "excellence"), r"\b(lock|lock file|dependencies|requirements)$")
        if re.search(LOCK, s.text, re.IGNORECASE)
    ]
    if named:
        yield Verdict(outcome=Outcome.PASS, level=Level.CLAIMED, observed=f"{named[0].key}: {named[0].text[:60]!r}")


@statement("X4.2")
def seeds(facts: Facts) -> Iterable[Verdict]:
    """A stated seed: one number, of libraries that are not named."""
    stated = under([*claims(facts, "excellence"), *claims(facts, "training")], SEEDS)
    if first_number(stated, SEEDS) is not None:
        yield Verdict(
            outcome=Outcome.PARTIAL,
            level=Level.CLAIMED,
            observed=f"seed {stated[0].text} stated, for which libraries is not",
        )


@statement("X5.4")
def licence(facts: Facts) -> Iterable[Verdict]:
    """An SPDX identifier is one of the three parts."""
    named = [
        s
        for s in under(claims(facts, "excellence"), r"\blicen[cs]e$")
        if re.search(SPDX, s.text) and is_concrete(s.text)
    ]
    if named:
        yield Verdict(
            outcome=Outcome.PARTIAL,
            level=Level.CLAIMED,
            observed=f"licence {named[0].text[:40]!r}; 1 of 3",
            value=Fraction(1, 3),
        )
