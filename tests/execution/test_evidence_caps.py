"""What somebody only says, writes or reports never earns more than its kind of evidence may.

The same evaluation that users call, on folders that hold nothing but papers: which checks papers can speak for, and
how strongly, is a table; generated folders stay within the table, and the table at its best stays below the cap. That a
cap is met when every check takes the evidence shows `test_everything_perfect_at_one_level_scores_that_levels_cap`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestar.core.claims.evidence_input import claims_of
from mlestar.core.evidence import Level, Outcome
from mlestar.core.score.finding_json import from_json
from mlestar.core.score.rubric import CHECKS
from mlestar.core.score.scoring import score
from mlestar.execution.judge import judge
from support.findings import finding
from support.papers import DOCUMENTS, REPORTS, SAID
from support.payloads import GUIDE, PERFECT
from support.trees import commit, write_tree

if TYPE_CHECKING:
    from mlestar.core.evidence import Finding
    from mlestar.core.score.scoring import Scorecard

CLAIMS, PAPERS, BOTH = 25, 50, 65
KEYS = {key: value for part in PERFECT.values() for key, value in part.items()}
SLOT_FILES = st.sampled_from(
    ["problem.yaml", "slo.yaml", "PLAN.yaml", "MODEL_CARD.yaml", "experiment.yaml", "RUNBOOK.yaml", "DATASHEET.yaml"]
)
"""Names that the readers of documents look for; any statement may stand in any of them."""


STATED_AT_MOST = (
    "S1.1 S1.2 S1.3 S2.1 S2.2 S2.3 S2.4 S3.1 S3.2 S4.1 S4.3 S5.1 S5.2 S5.3 T3.3 T4.1 T4.2 T4.3 T5.3 A1.1 A1.2 A1.3 "
    "A2.2 A2.3 A3.1 A3.3 A4.2 A5.1 A5.2 R1.2 R1.3 R1.4 R2.1 R2.2 R2.3 R3.1 R3.2 R3.4 R4.3 R5.2 X1.1 X1.2 X2.1 X3.2 "
    "X4.1 X4.2 X5.1"
)
"""Checks that words can speak for: at most documented."""
LOOKED_AT = {
    "X1.1": Level.INSPECTED,
    "X1.3": Level.INSPECTED,
    "X2.2": Level.INSPECTED,
    "X3.1": Level.MEASURED,
    "X3.5": Level.INSPECTED,
    "X5.4": Level.INSPECTED,
}
"""Checks of the papers themselves: their commands and paths, credentials in them, a licence, a security policy."""
REPORTED = "T2.2 T3.3 T4.1 T4.3 T5.4 S4.2 S5.2 A1.4 R3.3 X2.1 X3.2 X3.4 X5.1"
"""Checks that the report of another tool can speak for: at most attested."""
WORDS: dict[str, Level] = dict.fromkeys(STATED_AT_MOST.split(), Level.DOCUMENTED) | LOOKED_AT
MOST: dict[int, dict[str, Level]] = {PAPERS: WORDS, BOTH: WORDS | dict.fromkeys(REPORTED.split(), Level.ATTESTED)}


@pytest.mark.parametrize("cap", MOST)
def test_all_that_papers_can_speak_for_stays_below_the_cap(cap: int) -> None:
    card = score([finding(check, level=level) for check, level in MOST[cap].items()])
    assert card.overall.score <= cap
    assert {d.id: d.marks.score for d in card.dimensions if d.marks.score > cap} == {}


def evaluated(
    files: Mapping[str, str], claims: Mapping[str, Any] | None = None, *, history: bool = False
) -> list[Finding]:
    with tempfile.TemporaryDirectory() as name:
        root = write_tree(Path(name), {path: text.replace("{SAID}", SAID) for path, text in files.items()})
        if history and files:
            commit(root)
        answer = judge(
            {
                "claims": claims_of("all", claims or {}),
                "dimensions": list("STARX"),
                "places": {"project": {"path": str(root), "shown": "p", "boundary": str(root)}} if files else {},
                "target": "",
                "groups": [],
                "time": "",
                "execute": False,
                "max_rows": 1000,
                "max_bytes": 1 << 20,
            },
            lambda *_: None,
        )
    return [from_json(parts) for parts in answer["findings"]]


def card_of(findings: list[Finding], cap: int) -> Scorecard:
    """The scorecard, after what must hold for any folder."""
    card = score(findings)
    assert {finding.check for finding in findings if finding.outcome is Outcome.ERROR} == set()
    assert card.overall.score <= cap
    assert {d.id for d in card.dimensions if d.marks.score > cap} == set()
    assert sum(card.lost.values()) == 100 - card.uncapped
    earning = [one for one in findings if one.value > 0 and one.outcome in {Outcome.PASS, Outcome.PARTIAL}]
    assert {one.check for one in earning if one.level.rank > CHECKS[one.check].best.rank} == set()
    return card


def stronger_than(most: Mapping[str, Level], findings: list[Finding]) -> set[tuple[str, str]]:
    """What earns credit at a level that papers do not have."""
    return {
        (one.check, one.level.value)
        for one in findings
        if one.value > 0 and one.level.rank > most.get(one.check, Level.NONE).rank
    }


def part_of(text: str) -> st.SearchStrategy[str]:
    """Some of the paragraphs of a document, in any order."""
    paragraphs = text.split("\n\n")
    return st.lists(st.sampled_from(paragraphs), unique=True, max_size=len(paragraphs)).map("\n\n".join)


def some_of(files: Mapping[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """A subset of the files, each whole or in part."""
    return st.fixed_dictionaries(
        {}, optional={path: st.one_of(st.just(text), part_of(text)) for path, text in files.items()}
    )


def yaml_of(parts: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(parts), allow_unicode=True)


SLOTTED = st.dictionaries(
    SLOT_FILES,
    st.dictionaries(st.sampled_from(sorted(KEYS)), st.sampled_from(list(KEYS.values())), max_size=20).map(yaml_of),
    max_size=4,
)
STATED = st.fixed_dictionaries(
    {},
    optional={
        dimension: st.fixed_dictionaries({}, optional={key: st.just(value) for key, value in part.items()})
        for dimension, part in PERFECT.items()
    },
)


@given(some_of(DOCUMENTS), SLOTTED, STATED)
@settings(max_examples=40, deadline=None)
def test_documents_and_claims_never_pass_half(
    files: dict[str, str], slotted: dict[str, str], claims: dict[str, Any]
) -> None:
    findings = evaluated({**slotted, **files}, claims)
    assert stronger_than(MOST[PAPERS], findings) == set()
    card_of(findings, PAPERS)


@given(some_of(DOCUMENTS), some_of(REPORTS), STATED)
@settings(max_examples=40, deadline=None)
def test_reports_with_documents_and_claims_never_pass_their_cap(
    documents: dict[str, str], reports: dict[str, str], claims: dict[str, Any]
) -> None:
    findings = evaluated({**documents, **reports}, claims)
    assert stronger_than(MOST[BOTH], findings) == set()
    card_of(findings, BOTH)


BEST: dict[str, tuple[dict[str, str], Mapping[str, Any], int, float]] = {
    "every statement we can think of": ({}, PERFECT, CLAIMS, 10),
    "the guide's own statements": ({}, GUIDE, CLAIMS, 0),
    "every document": (DOCUMENTS, {}, PAPERS, 11),
    "every document and statement": (DOCUMENTS, PERFECT, PAPERS, 15),
    "every report": (REPORTS, {}, BOTH, 4),
    "every report, document and statement": ({**DOCUMENTS, **REPORTS}, PERFECT, BOTH, 18),
}
"""Name -> files, claims, cap, and what it earns at least, so that the bound is not kept by earning nothing."""


@pytest.mark.parametrize("name", BEST)
def test_papers_at_their_best_earn_something_and_stay_below_their_cap(name: str) -> None:
    files, claims, cap, least = BEST[name]
    card = card_of(evaluated(files, claims, history=True), cap)
    assert card.overall.score >= least
    assert card.overall.score < 70
