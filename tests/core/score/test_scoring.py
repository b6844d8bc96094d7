from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.score.readiness import shown
from mlestar.core.score.rubric import CHECKS, CRITERIA
from mlestar.core.score.scoring import resolve, score
from mlestar.execution.verify import MEASURED_CHECKS
from support.findings import LEVELS, SLOTS, all_at, finding, judged, outcome_of

WEAK: dict[tuple[Level, ...], int] = {
    (Level.CLAIMED,): 25,
    (Level.CLAIMED, Level.DOCUMENTED): 50,
    (Level.CLAIMED, Level.DOCUMENTED, Level.ATTESTED): 65,
}


@pytest.mark.parametrize(
    ("level", "overall"),
    [(Level.CLAIMED, 25), (Level.DOCUMENTED, 50), (Level.ATTESTED, 65), (Level.INSPECTED, 85), (Level.MEASURED, 100)],
)
def test_everything_perfect_at_one_level_scores_that_levels_cap(level: Level, overall: int) -> None:
    card = score(all_at(level))
    assert [card.overall.score, *(d.marks.score for d in card.dimensions)] == [overall] * 6


def test_nothing_known_scores_zero_with_everything_still_possible() -> None:
    card = score([])
    assert (card.overall.score, card.overall.ceiling, card.overall.coverage) == (0, 100, 0)


def test_one_leaked_secret_caps_its_dimension_at_59_and_overall_at_69() -> None:
    card = score([*(f for f in all_at(Level.MEASURED) if f.check != "X3.1"), finding("X3.1", 0)])
    assert [d.marks.score for d in card.dimensions] == [100, 100, 100, 100, 59]
    assert (card.overall.score, card.blockers) == (69, ("X3.1",))


def test_a_critical_fail_that_is_only_claimed_caps_nothing() -> None:
    card = score([*(f for f in all_at(Level.MEASURED) if f.check != "X3.1"), finding("X3.1", 0, Level.CLAIMED)])
    assert card.blockers == ()
    assert card.overall.score > 69


@pytest.mark.parametrize("levels", WEAK)
def test_weak_evidence_never_passes_its_cap(levels: tuple[Level, ...]) -> None:
    @given(judged(levels))
    @settings(max_examples=30, deadline=None)
    def never(findings: list[Finding]) -> None:
        card = score(findings)
        assert all(d.marks.score <= WEAK[levels] for d in card.dimensions)
        assert card.overall.score <= WEAK[levels]

    never()


@given(judged(), st.data())
@settings(max_examples=60, deadline=None)
def test_raising_a_value_or_a_level_lowers_nothing(findings: list[Finding], data: st.DataObject) -> None:
    if not findings:
        return
    chosen = data.draw(st.sampled_from(findings))
    if data.draw(st.booleans()):
        value = data.draw(SLOTS.filter(lambda v: v >= chosen.value))
        raised = finding(chosen.check, value, chosen.level)
    else:
        level = data.draw(st.sampled_from([level for level in LEVELS if level.rank >= chosen.level.rank]))
        # a critical fail that becomes certain caps on purpose: only credit is monotone there
        if CHECKS[chosen.check].critical and chosen.value == 0:
            return
        raised = finding(chosen.check, chosen.value, level)
    before = score(findings)
    after = score([f if f.check != chosen.check else raised for f in findings])
    assert after.overall.score >= before.overall.score
    for old, new in zip(before.dimensions, after.dimensions, strict=True):
        assert new.marks.score >= old.marks.score
        for old_part, new_part in zip(old.criteria, new.criteria, strict=True):
            assert new_part.marks.score >= old_part.marks.score


@given(judged())
@settings(max_examples=40, deadline=None)
def test_lost_points_add_up_to_what_is_missing(findings: list[Finding]) -> None:
    card = score(findings)
    assert sum(card.lost.values()) == 100 - card.uncapped
    assert sum(card.shares.values()) == 100


@given(judged(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_findings_changes_nothing(findings: list[Finding], shuffler: random.Random) -> None:
    doubled = [*findings, *(finding(f.check, 1, Level.CLAIMED) for f in findings)]
    shuffled = list(doubled)
    shuffler.shuffle(shuffled)
    assert score(shuffled) == score(doubled)


@given(judged())
@settings(max_examples=40, deadline=None)
def test_score_is_at_most_declared_and_declared_at_most_the_ceiling(findings: list[Finding]) -> None:
    card = score(findings)
    for marks in [card.overall, *(d.marks for d in card.dimensions)]:
        assert 0 <= marks.score <= marks.declared <= marks.ceiling <= 100
        assert 0 <= marks.coverage <= 100


@given(st.sampled_from(list(CHECKS)), SLOTS, SLOTS)
@settings(max_examples=40, deadline=None)
def test_withholding_a_bad_measurement_is_worth_at_most_a_claim(check: str, claimed: Fraction, real: Fraction) -> None:
    told = score([finding(check, claimed, Level.CLAIMED), finding(check, real)])
    withheld = score([finding(check, claimed, Level.CLAIMED)])
    share = told.shares[check]
    assert withheld.uncapped - told.uncapped <= share * Fraction(1, 4)


def test_a_measured_fail_beats_a_claimed_pass_and_says_refuted() -> None:
    resolved = resolve([finding("A1.1", 1, Level.CLAIMED), finding("A1.1", 0)])["A1.1"]
    assert (resolved.outcome, resolved.level, resolved.refuted) == (Outcome.FAIL, Level.MEASURED, True)


def test_equal_levels_take_the_worst_verdict() -> None:
    assert resolve([finding("T1.2", 1), finding("T1.2", Fraction(1, 2))])["T1.2"].value == Fraction(1, 2)


def test_what_a_run_measured_of_its_own_pipeline_excuses_no_fail_seen_in_the_project() -> None:
    leak = finding("T2.3", 0, Level.INSPECTED)
    own = finding("T2.3", 1, run_id="run-1")
    assert resolve([own, leak])["T2.3"] == leak
    assert resolve([own, finding("T2.3", 0, Level.DOCUMENTED)])["T2.3"] == own
    assert score([own, leak]).blockers == ("T2.3",)


def test_every_check_that_a_run_judges_may_be_measured_by_it() -> None:
    assert {check for check in MEASURED_CHECKS if CHECKS[check].best_of("run-1") is not Level.MEASURED} == set()
    assert {check for check, spec in CHECKS.items() if spec.by_run} <= set(MEASURED_CHECKS)
    assert CHECKS["T4.1"].best_of("") is Level.ATTESTED


def test_an_undecided_measurement_does_not_undo_a_document() -> None:
    undecided = finding("A3.1", 0, outcome=Outcome.INCONCLUSIVE)
    assert resolve([undecided, finding("A3.1", 1, Level.DOCUMENTED)])["A3.1"].level is Level.DOCUMENTED


def test_an_error_is_not_a_fail() -> None:
    card = score([finding("X3.1", 0, Level.NONE, outcome=Outcome.ERROR)])
    assert (card.blockers, card.overall.ceiling) == ((), 100)


def test_a_check_that_does_not_apply_leaves_the_denominator() -> None:
    absent = [finding(f"R2.{k}", 0, outcome=Outcome.NOT_APPLICABLE) for k in (1, 2, 3)]
    card = score([*absent, finding("R2.4", 1)])
    assert next(c for c in card.dimension("R").criteria if c.id == "R2").marks.score == 100
    assert sum(card.shares.values()) == 100


def test_a_waiver_earns_half_of_a_document_and_lifts_no_cap() -> None:
    assert score([], waived=["X2.3"]).lost["X2.3"] == score([]).shares["X2.3"] * Fraction(3, 4)
    assert score([finding("X3.1", 0)], waived=["X3.1"]).blockers == ("X3.1",)


def test_an_overridden_weight_moves_only_its_criterion() -> None:
    card = score([finding("A3.1", 1)], weights={"A3.1": 9})
    assert next(c for c in card.dimension("A").criteria if c.id == "A3").marks.score == Fraction(100 * 9, 12)
    assert sum(card.shares.values()) == 100


def test_what_is_shown_is_rounded_down() -> None:
    assert [shown(Fraction(699999, 10000)), shown(Fraction(70))] == [69.9, 70.0]


def test_every_criterion_has_checks_and_there_are_96() -> None:
    assert len(CHECKS) == 96
    assert {spec.criterion for spec in CHECKS.values()} == {criterion.id for criterion in CRITERIA}
    assert [spec.id for spec in CHECKS.values() if spec.critical] == [
        "S3.4", "T1.5", "T2.1", "T2.3", "T3.1", "A1.1", "X3.1", "X3.3",
    ]  # fmt: skip


def test_a_good_team_with_gaps_is_ready() -> None:
    """The plausible team of the design: documents in scoping, measured training and analysis, some gaps."""
    gaps = {"A5.2", "A5.3", "A5.4", "R4.3", "R4.4", "R5.4"}
    findings = [
        finding(
            check, value, Level.DOCUMENTED if spec.dimension == "S" and spec.best is Level.DOCUMENTED else spec.best
        )
        for check, spec in CHECKS.items()
        if check not in gaps
        for value in [Fraction(1, 2) if check in {"X2.1", "R1.2"} else Fraction(1)]
    ]
    card = score(findings)
    assert card.overall.score >= 70
    assert outcome_of(Fraction(1, 2)) is Outcome.PARTIAL
