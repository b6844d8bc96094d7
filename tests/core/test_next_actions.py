from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.core.evidence import Finding, Level, Outcome, Where
from mlestar.core.score.rubric import CHECKS, DIMENSIONS
from mlestar.core.score.views import Judgement
from support.findings import finding

if TYPE_CHECKING:
    from mlestar.core.score.readiness import NextAction

EVERYTHING = sorted({need for spec in CHECKS.values() for need in spec.needs} - {"execute"})


def actions(*found: Finding, given: list[str]) -> tuple[NextAction, ...]:
    passed = [finding(check) for check in CHECKS if check not in {f.check for f in found}]
    return Judgement.of([*passed, *found], {d.id: {"given": given} for d in DIMENSIONS}).actions()


def failed(check: str, where: Where | None = None) -> Finding:
    return finding(check, 0, Level.INSPECTED, where=where or Where())


def unknown(check: str) -> Finding:
    return finding(check, 0, Level.NONE, outcome=Outcome.UNKNOWN)


def test_a_finding_with_a_place_is_mended_there() -> None:
    (action,) = actions(failed("X4.1", Where(path="requirements.txt", line=3)), given=EVERYTHING)
    assert str(action.where) == "requirements.txt:3"


def test_a_missing_artefact_names_the_file_to_write() -> None:
    (action,) = actions(failed("S4.1"), given=EVERYTHING)
    assert str(action.where) == "CODEOWNERS:1"


def test_an_absent_input_that_settles_much_comes_before_small_repairs() -> None:
    first, *_ = actions(unknown("A5.2"), unknown("A1.5"), failed("X5.4"), given=["project"])
    assert first.text.startswith("Evaluate again with")
    assert str(first.where) == "evaluate_dimension#predictions"


def test_running_the_project_s_code_is_proposed_after_what_can_be_mended_by_hand() -> None:
    found = [unknown("X4.4"), failed("X5.4"), failed("X2.2"), failed("S1.3")]
    assert all("execute" not in action.text for action in actions(*found, given=EVERYTHING))
    (only,) = actions(unknown("X4.4"), given=EVERYTHING)
    assert "`execute`" in only.text


def test_a_blocker_comes_first() -> None:
    first, *_ = actions(failed("X3.1", Where(path="settings.py", line=9)), failed("S4.1"), given=EVERYTHING)
    assert first.check == "X3.1"


def test_a_waived_check_gives_only_what_its_waiver_does_not() -> None:
    terms = {"X": {"waivers": [{"check": "X2.3", "valid": True}]}}
    plain, waived = (Judgement.of([unknown("X2.3")], part) for part in ({}, terms))
    assert waived.points("X2.3") < plain.points("X2.3")
    assert waived.points("X2.3") + waived.card.overall.score == plain.points("X2.3") + plain.card.overall.score


def test_fixing_a_blocker_of_a_waived_project_counts_from_its_own_score() -> None:
    """The score without the waiver is another project's: the gain of the lifted cap must not come from it."""
    passed = [finding(check) for check in CHECKS if check not in {"X3.1", "X2.3"}]
    terms = {"X": {"waivers": [{"check": "X2.3", "valid": True}]}}
    judgement = Judgement.of([*passed, failed("X3.1"), unknown("X2.3")], terms)
    mended = Judgement.of([*passed, finding("X3.1"), unknown("X2.3")], terms)
    assert judgement.points("X3.1") == mended.card.overall.score - judgement.card.overall.score
