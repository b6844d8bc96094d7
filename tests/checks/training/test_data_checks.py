"""T1.2 to T3.4 on real tables: each defect is found where it is, and a clean table passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Predictions, Table
from mlestar.core.facts.run import Estimate, RunFacts
from mlestar.evidence.datasets import read_builtin
from mlestar.evidence.predictions import read_predictions

CANCER = read_builtin("sklearn:breast_cancer").frame.iloc[:, [0, 1, 2, 3, 4, 5, 30]].sample(frac=1, random_state=0)
TRAIN, TEST = CANCER.iloc[:400].reset_index(drop=True), CANCER.iloc[400:].reset_index(drop=True)
RANDOM = np.random.default_rng(5)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def table(frame: pd.DataFrame, name: str = "train.csv") -> Table:
    return Table(path=name, frame=frame.reset_index(drop=True), sha256="0" * 64, n_rows=len(frame))


def found(check: str, **parts: Any) -> list[Finding]:
    run = parts.pop("run", None)
    return run_checks(Facts(data=DataFacts(target="target", **parts), run=run), [check])


def one(check: str, **parts: Any) -> Finding:
    return found(check, **parts)[0]


def with_gaps(share: float) -> Change:
    return lambda frame: frame.assign(
        **{"mean area": frame["mean area"].where(np.arange(len(frame)) >= share * len(frame))}
    )


def with_words(frame: pd.DataFrame) -> pd.DataFrame:
    column = frame["mean area"].astype(object)
    column.iloc[:12] = "unknown"
    return frame.assign(**{"mean area": column})


def with_copies(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(40)])


def with_contradictions(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(20).assign(target=lambda rows: 1 - rows["target"])])


@pytest.mark.parametrize(
    ("check", "change", "outcome", "column"),
    [
        ("T1.2", with_gaps(0), Outcome.PASS, ""),
        ("T1.2", with_gaps(0.1), Outcome.PARTIAL, "mean area"),
        ("T1.2", with_gaps(0.4), Outcome.FAIL, "mean area"),
        ("T1.2", lambda frame: frame.assign(empty="?"), Outcome.FAIL, "empty"),
        ("T1.3", lambda frame: frame, Outcome.PASS, ""),
        ("T1.3", lambda frame: frame.assign(batch=3), Outcome.PARTIAL, "batch"),
        ("T1.3", with_words, Outcome.PARTIAL, "mean area"),
        ("T1.3", with_copies, Outcome.PARTIAL, ""),
        ("T1.3", with_contradictions, Outcome.FAIL, ""),
        ("T1.3", lambda frame: with_copies(frame).assign(batch=3), Outcome.FAIL, "batch"),
        ("T2.1", lambda frame: frame.assign(code=frame["target"]), Outcome.FAIL, "code"),
        ("T2.1", lambda frame: frame.assign(word="state-" + frame["target"].astype(str)), Outcome.FAIL, "word"),
        (
            "T2.1",
            lambda frame: frame.assign(later=frame["target"] * 4 + RANDOM.normal(0, 0.3, len(frame))),
            Outcome.FAIL,
            "later",
        ),
    ],
)
def test_a_training_table_is_judged_by_what_is_in_it(check: str, change: Change, outcome: Outcome, column: str) -> None:
    finding = one(check, train=table(change(TRAIN)))
    assert finding.outcome is outcome, finding.observed
    assert finding.where.path == "train.csv"
    if column:
        assert finding.where.column == column


def test_repeats_name_their_rows() -> None:
    assert one("T1.3", train=table(with_copies(TRAIN))).where.rows[:3] == (400, 401, 402)


def test_repeats_of_coarse_rows_are_taken_for_coincidence() -> None:
    coarse = pd.DataFrame(RANDOM.integers(0, 3, (400, 4)), columns=list("abcd")).assign(
        target=RANDOM.integers(0, 2, 400)
    )
    assert one("T1.3", train=table(coarse)).outcome in {Outcome.PASS, Outcome.INCONCLUSIVE}


def test_a_leak_in_a_numeric_target_is_found() -> None:
    frame = read_builtin("sklearn:diabetes").frame
    leaked = frame.assign(billed=frame["target"] * 2 + RANDOM.normal(0, 15, len(frame)))
    assert one("T2.1", train=table(frame)).outcome is Outcome.PASS
    finding = one("T2.1", train=table(leaked))
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, "billed")


@pytest.mark.parametrize("target", [[1] * 100, [None] * 100, list(range(20)) + [None] * 80])
def test_a_target_that_cannot_be_learnt_is_inconclusive_not_an_error(target: list[object]) -> None:
    finding = one("T2.1", train=table(TRAIN.head(100).assign(target=pd.Series(target, dtype=object))))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "settle" in finding.observed


def split(train: pd.DataFrame = TRAIN, test: pd.DataFrame = TEST, **more: Any) -> Finding:
    return one("T1.5", train=table(train), test=table(test, "test.csv"), **more)


def test_a_clean_split_without_time_or_groups_is_worth_half() -> None:
    assert split().outcome is Outcome.PARTIAL


def test_test_rows_that_stand_in_train_fail_and_are_named() -> None:
    finding = split(test=pd.concat([TEST, TRAIN.head(20)]))
    assert finding.outcome is Outcome.FAIL
    assert finding.where.rows[0] == len(TEST)


def with_natural_repeats() -> pd.DataFrame:
    """1,200 rows of their own and 400 drawn from twenty: a fifth of the rows stands there twice or more."""
    rng = np.random.default_rng(0)
    own, twenty = (pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd")) for n in (1200, 20))
    repeated = twenty.sample(400, replace=True, random_state=1)
    return pd.concat([own, repeated], ignore_index=True).assign(target=rng.integers(0, 2, 1600))


def test_natural_repeats_on_both_sides_of_a_random_split_are_no_overlap() -> None:
    frame = with_natural_repeats()
    for seed in range(40):
        rows = frame.sample(frac=1, random_state=seed)
        finding = one("T1.5", train=table(rows[:1200]), test=table(rows[1200:], "test.csv"))
        assert finding.outcome is not Outcome.FAIL, finding.observed


def test_copied_rows_stand_out_among_natural_repeats() -> None:
    rows = with_natural_repeats().sample(frac=1, random_state=0)
    leaked = pd.concat([rows[1200:], rows[:60]])
    assert one("T1.5", train=table(rows[:1200]), test=table(leaked, "test.csv")).outcome is Outcome.FAIL


def test_row_numbers_do_not_hide_an_overlap() -> None:
    train, test = TRAIN.assign(id=range(400)), pd.concat([TEST, TRAIN.head(20)]).assign(id=range(1000, 1189))
    assert split(train, test).outcome is Outcome.FAIL


def test_numbers_read_as_floats_on_one_side_still_match() -> None:
    whole = pd.DataFrame({"a": RANDOM.integers(0, 10**6, 300), "b": RANDOM.integers(0, 10**6, 300), "target": 0})
    test = pd.concat([whole.tail(50), whole.head(20)]).astype(float)
    assert split(whole.head(250), test).outcome is Outcome.FAIL


def test_train_before_test_passes_and_future_rows_fail() -> None:
    days = pd.date_range("2025-01-01", periods=len(CANCER)).astype(str)
    early, late = TRAIN.assign(day=days[:400]), TEST.assign(day=days[400:])
    assert split(early, late, time_column="day").outcome is Outcome.PASS
    finding = split(TRAIN.assign(day=days[169:]), TEST.assign(day=days[:169]), time_column="day")
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, "day")


def test_a_person_on_both_sides_fails() -> None:
    train, test = TRAIN.assign(patient=np.arange(400) // 4), TEST.assign(patient=np.arange(169) // 4)
    assert split(train, test, group_columns=("patient",)).outcome is Outcome.FAIL
    apart = TEST.assign(patient=np.arange(169) // 4 + 500)
    assert split(train, apart, group_columns=("patient",)).outcome is Outcome.PASS


def test_noise_features_are_idle_and_real_ones_are_not() -> None:
    noise = {f"noise_{i}": RANDOM.normal(size=len(CANCER)) for i in range(20)}
    whole = CANCER.assign(**noise)
    parts = {"train": table(whole.iloc[:400]), "test": table(whole.iloc[400:], "test.csv")}
    finding = one("T2.4", **parts)
    assert finding.outcome is Outcome.FAIL
    assert "noise_0" in finding.observed
    assert one("T2.4", train=table(TRAIN), test=table(TEST, "test.csv")).outcome is Outcome.PASS


def answers(y_true: Any, **columns: Any) -> Predictions:
    return read_predictions(table(pd.DataFrame({"y_true": y_true, **columns}), "predictions.csv"))


TRUTH = RANDOM.integers(0, 2, 300)


@pytest.mark.parametrize(
    ("score", "outcome"),
    [
        (np.clip(TRUTH * 0.5 + RANDOM.random(300) * 0.5, 0, 1), Outcome.PASS),
        (RANDOM.random(300), Outcome.FAIL),
        (1 - np.clip(TRUTH * 0.5 + RANDOM.random(300) * 0.5, 0, 1), Outcome.FAIL),
    ],
)
def test_scores_are_held_against_a_dummy(score: np.ndarray, outcome: Outcome) -> None:
    assert one("T3.1", predictions=answers(TRUTH, y_score=score)).outcome is outcome


def test_a_constant_answer_on_unbalanced_classes_is_a_dummy() -> None:
    truth = (np.arange(400) < 40).astype(int)
    answer = np.where(np.arange(400) % 200 == 0, 1, 0)
    finding = one("T3.1", predictions=answers(truth, y_pred=answer))
    assert finding.outcome is not Outcome.PASS


def test_too_few_predictions_leave_the_dummy_open_and_say_how_many_would_do() -> None:
    finding = one("T3.1", predictions=answers([0, 1] * 4, y_pred=[0, 1, 1, 0] * 2))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "rows would settle it" in finding.observed


def test_a_regression_is_held_against_its_mean() -> None:
    truth = RANDOM.normal(size=200)
    good = one("T3.1", predictions=answers(truth, y_pred=truth + RANDOM.normal(0, 0.5, 200)))
    bad = one("T3.1", predictions=answers(truth, y_pred=RANDOM.permutation(truth) * 0.1))
    assert (good.outcome, bad.outcome) == (Outcome.PASS, Outcome.FAIL)


@pytest.mark.parametrize(("errors", "outcome"), [(0, Outcome.PASS), (60, Outcome.FAIL)])
def test_predictions_are_held_against_a_linear_model(errors: int, outcome: Outcome) -> None:
    answer = TEST["target"].to_numpy().copy()
    answer[:errors] = 1 - answer[:errors]
    finding = one(
        "T3.2", train=table(TRAIN), test=table(TEST, "test.csv"), predictions=answers(TEST["target"], y_pred=answer)
    )
    assert finding.outcome is outcome, finding.observed


def test_a_gap_between_training_and_test_rows_is_found_in_one_file() -> None:
    truth = np.tile([0, 1], 200)
    answer = truth.copy()
    answer[200:280] = 1 - answer[200:280]
    rows = {"y_pred": answer, "split": ["train"] * 200 + ["test"] * 200}
    finding = one("T3.4", predictions=answers(truth, **rows))
    assert finding.outcome is Outcome.FAIL
    assert "0.600 held out" in finding.observed


def estimate(value: float, half: float = 0.02) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=500)


@pytest.mark.parametrize(
    ("check", "run", "outcome"),
    [
        ("T3.1", {"baselines": {"dummy": {"accuracy": estimate(0.6)}}}, Outcome.PASS),
        ("T3.1", {"baselines": {"dummy": {"accuracy": estimate(0.9)}}}, Outcome.FAIL),
        ("T3.2", {"baselines": {"simple": {"accuracy": estimate(0.8)}}}, Outcome.PASS),
        ("T3.2", {"baselines": {"simple": {"accuracy": estimate(0.9)}}}, Outcome.PARTIAL),
        ("T3.2", {"baselines": {"simple": {"accuracy": estimate(0.99)}}}, Outcome.FAIL),
        ("T3.4", {"train_metrics": {"accuracy": 0.92}}, Outcome.PASS),
        ("T3.4", {"train_metrics": {"accuracy": 1.2}}, Outcome.FAIL),
        ("T2.4", {"importances": {"a": 0.3, "b": 0.0, "c": -0.1}}, Outcome.FAIL),
        ("A4.1", {"importance_stability": 0.9}, Outcome.PASS),
        ("A4.2", {"importances": {"a": 1.0}, "local_explanation": True}, Outcome.PASS),
        ("A4.2", {"importances": {"a": 1.0}}, Outcome.PARTIAL),
        ("A4.3", {"importances": {"a": 9.0, "b": 0.2, "c": 0.1, "d": 0.1, "e": 0.1}}, Outcome.FAIL),
        ("A1.1", {}, Outcome.PASS),
        ("A1.3", {}, Outcome.PASS),
        ("A1.4", {"versions": 2}, Outcome.PARTIAL),
    ],
)
def test_what_a_run_measured_is_judged_too(check: str, run: dict[str, Any], outcome: Outcome) -> None:
    facts = Facts(run=RunFacts(run_id="r1", name="demo", metrics={"accuracy": estimate(0.9)}, **run))
    (finding,) = run_checks(facts, [check])
    assert finding.outcome is outcome, finding.observed
    assert finding.where.path == "run://r1"
    assert finding.level.value == "measured"


@pytest.mark.parametrize(("flipped", "outcome"), [(0, Outcome.PASS), (10, Outcome.PARTIAL), (30, Outcome.FAIL)])
def test_raters_who_disagree_fail_the_label_audit(flipped: int, outcome: Outcome) -> None:
    first = np.tile(["spam", "ham"], 40)
    second = first.copy()
    second[:flipped] = second[1 : flipped + 1]
    audit = table(pd.DataFrame({"rater_1": first, "rater_2": second}), "label_audit.csv")
    assert one("T1.4", label_audit=audit).outcome is outcome


def test_a_short_label_audit_is_inconclusive() -> None:
    audit = table(pd.DataFrame({"rater_1": ["a", "b"] * 10, "rater_2": ["a", "b"] * 10}), "audit.csv")
    finding = one("T1.4", label_audit=audit)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "50 rows" in finding.observed
