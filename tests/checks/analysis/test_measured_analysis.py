"""A1 to A5 on predictions, tables and experiments: each defect is found, and a sound twin passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Table
from mlestar.evidence.datasets import read_builtin
from mlestar.evidence.experiments import read_experiment
from mlestar.evidence.predictions import read_predictions

RANDOM = np.random.default_rng(11)
N = 1000
TRUTH = RANDOM.integers(0, 2, N)


def table(columns: Mapping[str, Any] | pd.DataFrame, name: str = "predictions.csv") -> Table:
    frame = columns if isinstance(columns, pd.DataFrame) else pd.DataFrame(dict(columns))
    return Table(path=name, frame=frame.reset_index(drop=True), sha256="0" * 64, n_rows=len(frame))


def judged(check: str, columns: Mapping[str, Any], *, claim: Mapping[str, Any] | None = None, **more: Any) -> Finding:
    predictions = read_predictions(table(columns), groups=more.get("group_columns", ()))
    facts = Facts(claims={"analysis": claim or {}}, data=DataFacts(predictions=predictions, target="target", **more))
    measured = [finding for finding in run_checks(facts, [check]) if finding.level is Level.MEASURED]
    return measured[0] if measured else run_checks(facts, [check])[-1]


def wrong(n: int) -> np.ndarray:
    answer = TRUTH.copy()
    answer[:n] = 1 - answer[:n]
    return answer


@pytest.mark.parametrize(
    ("claim", "outcome", "says"),
    [
        ({"accuracy": 0.92}, Outcome.PASS, "0.9200 recomputed"),
        ({"accuracy": "92%"}, Outcome.PASS, "0.9200 recomputed"),
        ({"accuracy": 92}, Outcome.PASS, "0.9200 recomputed"),
        ({"accuracy": 0.9}, Outcome.PASS, "0.9"),
        ({"accuracy": 0.94}, Outcome.FAIL, "refuted"),
        ({"accuracy": 1.0}, Outcome.FAIL, "refuted"),
        ({"accuracy": 1.02}, Outcome.FAIL, "refuted"),
        ({"accuracy": 0.88}, Outcome.PARTIAL, "favour"),
        ({"accuracy": 0.92, "f1Score": 0.99}, Outcome.FAIL, "f1Score"),
        ({"metrics": {"test": {"accuracy": 0.99}}}, Outcome.FAIL, "refuted"),
        ({"logLoss": 0.1}, Outcome.PARTIAL, "cannot be recomputed"),
        ({}, Outcome.PARTIAL, "nothing was claimed"),
        ({"accuracy": True, "auc": "high", "f1": float("nan")}, Outcome.PARTIAL, "nothing was claimed"),
    ],
)
def test_a_claim_is_held_against_the_predictions(claim: dict[str, Any], outcome: Outcome, says: str) -> None:
    finding = judged("A1.1", {"y_true": TRUTH, "y_pred": wrong(80)}, claim=claim)
    assert finding.outcome is outcome, finding.observed
    assert says in finding.observed


def test_an_error_claimed_too_small_is_refuted() -> None:
    truth = RANDOM.normal(size=N)
    columns = {"y_true": truth, "y_pred": truth + 0.5}
    assert judged("A1.1", columns, claim={"mae": 0.3}).outcome is Outcome.FAIL
    assert judged("A1.1", columns, claim={"mae": 0.5}).outcome is Outcome.PASS


def test_a_claim_alone_earns_a_slot_for_each_thing_it_states() -> None:
    claim = {"accuracy": 0.92, "testSize": 500, "date": "2026-01-01"}
    (finding,) = run_checks(Facts(claims={"analysis": claim}), ["A1.1"])
    assert (finding.level, finding.outcome, finding.value) == (Level.CLAIMED, Outcome.PARTIAL, 0.5)


@pytest.mark.parametrize(("n", "outcome"), [(40, Outcome.FAIL), (300, Outcome.PARTIAL), (1000, Outcome.PASS)])
def test_precision_follows_from_the_number_of_rows(n: int, outcome: Outcome) -> None:
    finding = judged("A1.3", {"y_true": TRUTH[:n], "y_pred": wrong(n // 20)[:n]})
    assert finding.outcome is outcome, finding.observed
    assert ("rows would bring it" in finding.observed) is (outcome is not Outcome.PASS)


def test_sharpened_scores_are_not_calibrated_and_true_ones_are() -> None:
    share = RANDOM.random(4 * N)
    truth = (RANDOM.random(4 * N) < share).astype(int)
    sharp = share**3 / (share**3 + (1 - share) ** 3)
    assert judged("A1.5", {"y_true": truth, "y_score": share}).outcome is Outcome.PASS
    assert judged("A1.5", {"y_true": truth, "y_score": sharp}).outcome is Outcome.FAIL
    assert judged("A1.5", {"y_true": truth, "y_score": share * 9 - 4}).outcome is Outcome.INCONCLUSIVE
    few = judged("A1.5", {"y_true": truth[:60], "y_score": share[:60]})
    assert few.outcome in {Outcome.PASS, Outcome.INCONCLUSIVE}


def test_a_broken_slice_is_named() -> None:
    region = np.where(np.arange(N) < 250, "north", "south")
    answer = wrong(125)
    finding = judged("A2.1", {"y_true": TRUTH, "y_pred": answer, "region": region})
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, "region")
    assert "region = north" in finding.observed


def test_slices_come_from_the_test_table_when_its_rows_align() -> None:
    answer = wrong(125)
    size = pd.DataFrame({"size": np.arange(N), "target": TRUTH})
    finding = judged("A2.1", {"y_true": TRUTH, "y_pred": answer}, test=table(size, "test.csv"))
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, "size")
    shuffled = size.assign(target=1 - TRUTH)
    assert judged("A2.1", {"y_true": TRUTH, "y_pred": answer}, test=table(shuffled)).outcome is Outcome.INCONCLUSIVE


def test_even_errors_leave_no_slice_behind() -> None:
    answer = np.where(np.arange(N) % 10 == 0, 1 - TRUTH, TRUTH)
    columns = {"y_true": TRUTH, "y_pred": answer, "region": np.where(np.arange(N) < 250, "north", "south")}
    assert judged("A2.1", columns).outcome is Outcome.PASS


def test_a_slice_of_a_regression_with_large_errors_is_found() -> None:
    truth = RANDOM.normal(size=N)
    error = RANDOM.normal(size=N) * np.where(np.arange(N) < 250, 3, 1)
    columns = {"y_true": truth, "y_pred": truth + error, "region": np.where(np.arange(N) < 250, "n", "s")}
    assert judged("A2.1", columns).outcome is Outcome.FAIL


@pytest.mark.parametrize(("lost", "outcome"), [(0.0, Outcome.PASS), (0.95, Outcome.FAIL)])
def test_a_class_that_is_never_found_fails(lost: float, outcome: Outcome) -> None:
    truth = (np.arange(N) < 200).astype(int)
    answer = np.where(RANDOM.random(N) < lost, 0, truth)
    assert judged("A2.2", {"y_true": truth, "y_pred": answer}).outcome is outcome


def test_a_withheld_group_is_unfair_and_an_equal_one_is_not() -> None:
    group = np.where(RANDOM.random(N) < 0.5, "a", "b")
    withheld = np.where((group == "b") & (RANDOM.random(N) < 0.4), 0, TRUTH)
    columns = {"y_true": TRUTH, "y_pred": withheld, "group": group}
    finding = judged("A3.1", columns, group_columns=("group",))
    assert finding.outcome is Outcome.FAIL
    assert "b against a" in finding.observed
    balanced = {"y_true": np.tile([0, 1], 2000), "y_pred": np.tile([0, 1], 2000), "sex": np.repeat(["f", "m"], 2000)}
    assert judged("A3.1", balanced).outcome is Outcome.PASS


def test_small_groups_leave_fairness_open_and_say_how_many_positives_would_do() -> None:
    columns = {"y_true": TRUTH[:80], "y_pred": TRUTH[:80], "sex": np.tile(["f", "m"], 40)}
    finding = judged("A3.1", columns)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "positives a group" in finding.observed


def test_sensitive_columns_must_be_declared() -> None:
    people = pd.DataFrame({"Sex": ["f", "m"] * 50, "height": [165, 180] * 50, "target": [0, 1] * 50})
    undeclared = run_checks(Facts(data=DataFacts(train=table(people), target="target")), ["A3.2"])[0]
    assert (undeclared.outcome, undeclared.where.column) == (Outcome.FAIL, "Sex")
    facts = Facts(data=DataFacts(train=table(people), target="target", group_columns=("Sex",)))
    declared = run_checks(facts, ["A3.2"])[0]
    assert declared.outcome is Outcome.PASS
    assert "give Sex away" in declared.observed


def test_importances_are_stable_and_spread_on_real_data() -> None:
    frame = read_builtin("sklearn:wine").frame.sample(frac=1, random_state=0)
    facts = Facts(data=DataFacts(train=table(frame.iloc[:130]), test=table(frame.iloc[130:]), target="target"))
    findings = run_checks(facts, ["A4.1", "A4.3"])
    assert [finding.outcome for finding in findings] == [Outcome.PASS, Outcome.PASS]


def test_a_leak_dominates_the_importances() -> None:
    frame = pd.DataFrame(RANDOM.normal(size=(300, 6)), columns=list("abcdef"))
    frame = frame.assign(leak=np.arange(300) % 2, target=np.arange(300) % 2)
    facts = Facts(data=DataFacts(train=table(frame.iloc[:200]), test=table(frame.iloc[200:]), target="target"))
    (finding,) = run_checks(facts, ["A4.3"])
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, "leak")


def experiment(check: str, columns: Mapping[str, Any], claim: Mapping[str, Any] | None = None) -> Finding:
    data = DataFacts(experiment=read_experiment(table(columns, "experiment.csv")))
    return run_checks(Facts(claims={"analysis": claim or {}}, data=data), [check])[0]


@pytest.mark.parametrize(
    ("check", "columns", "claim", "outcome"),
    [
        ("A5.2", {"arm": ["control", "b"], "n": [5000, 5050]}, {}, Outcome.PASS),
        ("A5.2", {"arm": ["control", "b"], "n": [5000, 5280]}, {}, Outcome.PARTIAL),
        ("A5.2", {"arm": ["control", "b"], "n": [5000, 5600]}, {}, Outcome.FAIL),
        ("A5.2", {"arm": ["control", "b"], "n": [9000, 1000]}, {"abTest": {"split": [0.9, 0.1]}}, Outcome.PASS),
        ("A5.3", {"arm": ["a", "b"], "n": [5000, 5000], "conversions": [500, 600]}, {}, Outcome.PASS),
        ("A5.3", {"arm": ["a", "b"], "n": [5000, 5000], "conversions": [500, 520]}, {}, Outcome.PARTIAL),
        ("A5.3", {"arm": ["a", "b"], "n": [5000, 5000], "conversions": [600, 500]}, {}, Outcome.FAIL),
        (
            "A5.3",
            {"arm": ["a", "b"], "n": [5000, 5000], "conversions": [600, 500]},
            {"abTest": {"direction": "decrease"}},
            Outcome.PASS,
        ),
        ("A5.4", {"arm": ["a", "b"], "n": [5000, 5000]}, {}, Outcome.FAIL),
        (
            "A5.4",
            {"arm": ["a", "b"], "n": [5000, 5000]},
            {"abTest": {"nPerArm": 4000, "stoppingRule": "group sequential"}},
            Outcome.PARTIAL,
        ),
    ],
)
def test_an_experiment_is_judged_by_its_arms(
    check: str, columns: Mapping[str, Any], claim: Mapping[str, Any], outcome: Outcome
) -> None:
    finding = experiment(check, columns, claim)
    assert finding.outcome is outcome, finding.observed


def test_a_long_dated_experiment_with_strong_evidence_ran_to_its_plan() -> None:
    days = pd.date_range("2026-01-01", periods=20).astype(str)
    arm = np.tile(["control", "treatment"], 2000)
    outcome = RANDOM.random(4000) < np.where(arm == "treatment", 0.3, 0.1)
    columns = {"arm": arm, "converted": outcome, "date": np.resize(days, 4000)}
    assert experiment("A5.4", columns, {"abTest": {"nPerArm": 2000}}).outcome is Outcome.PASS
