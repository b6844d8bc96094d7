"""Tables that mislead a check easily: heavy tails, near-perfect features, designs that repeat, a handful of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Table
from mlestar.core.statistics.baselines import compare
from mlestar.evidence.predictions import read_predictions

N = 900


def table(frame: pd.DataFrame, name: str = "train.csv") -> Table:
    return Table(path=name, frame=frame.reset_index(drop=True), sha256="0" * 64, n_rows=len(frame))


def one(check: str, **parts: Any) -> Finding:
    return run_checks(Facts(data=DataFacts(target="target", **parts)), [check])[0]


def heavy_tailed() -> pd.DataFrame:
    random = np.random.default_rng(1)
    frame = pd.DataFrame({name: random.normal(size=N) for name in "abc"})
    return frame.assign(target=np.exp(1.5 * random.normal(size=N) + frame["a"]))


def test_a_noisy_copy_of_a_heavy_tailed_quantity_is_a_leak_though_it_orders_the_small_values_badly() -> None:
    frame = heavy_tailed()
    assert one("T2.1", train=table(frame)).outcome is Outcome.PASS
    noise = np.random.default_rng(2).normal(0, 0.1 * float(frame["target"].std()), N)
    finding = one("T2.1", train=table(frame.assign(later=3 * frame["target"] + noise)))
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, "later")


def test_a_line_that_rests_on_one_giant_is_no_copy() -> None:
    frame = heavy_tailed()
    frame.loc[0, ["a", "target"]] = 1e6
    assert one("T2.1", train=table(frame)).outcome is Outcome.PASS


def test_a_perfect_feature_is_a_leak_even_where_honest_ones_are_nearly_perfect_together() -> None:
    random = np.random.default_rng(3)
    truth = (random.random(N) < 0.2).astype(int)
    honest = pd.DataFrame({name: truth * 2.6 + random.normal(size=N) for name in "abcdef"}).assign(target=truth)
    assert one("T2.1", train=table(honest)).outcome is not Outcome.FAIL
    finding = one("T2.1", train=table(honest.assign(later=3 * truth + random.normal(0, 0.1, N))))
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, "later")


def test_a_scale_with_a_step_for_each_of_twelve_classes_is_a_leak() -> None:
    random = np.random.default_rng(12)
    truth = random.integers(0, 12, N)
    honest = pd.DataFrame({name: truth % 4 + 0.5 * random.normal(size=N) for name in "abc"})
    honest = honest.assign(d=truth // 4 + 0.3 * random.normal(size=N), target=[f"kind {code}" for code in truth])
    assert one("T2.1", train=table(honest)).outcome is not Outcome.FAIL
    finding = one("T2.1", train=table(honest.assign(later=3 * truth + random.normal(0, 0.3, N))))
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, "later"), finding.observed


def design() -> pd.DataFrame:
    """300 cards of forty attributes, each answered by three persons of two kinds."""
    random = np.random.default_rng(4)
    cards = pd.DataFrame(random.integers(0, 4, (300, 40))).add_prefix("x")
    rows = cards.loc[np.repeat(np.arange(300), 3)].reset_index(drop=True)
    return rows.assign(kind=random.integers(0, 2, N), target=random.integers(0, 3, N))


def test_rows_of_one_design_do_not_contradict_each_other() -> None:
    assert one("T1.3", train=table(design())).outcome is Outcome.INCONCLUSIVE


def test_contradictions_stand_out_where_the_design_has_no_near_twins() -> None:
    cards = design().drop_duplicates([f"x{number}" for number in range(40)])
    twins = cards.head(30).assign(target=(cards["target"].head(30) + 1) % 3)
    assert one("T1.3", train=table(pd.concat([cards, twins]))).outcome is Outcome.FAIL


def test_a_target_of_one_frequent_class_says_which_part_is_missing() -> None:
    frame = pd.DataFrame({"a": np.arange(100.0), "target": [1, 1, 1] + [0] * 97})
    finding = one("T2.1", train=table(frame))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "in 1 value of 6 rows or more; 30 rows in two values settle it" in finding.observed


def test_three_rows_that_differ_do_not_make_a_model_better() -> None:
    candidate, simple = np.array([1.0] * 11), np.array([0.0] * 3 + [1.0] * 8)
    assert compare(candidate, simple, alpha=0.05, seed=0).low == 0
    assert compare(np.tile(candidate, 4), np.tile(simple, 4), alpha=0.05, seed=0).low > 0


def test_values_far_worse_than_the_mean_fail_although_the_tail_makes_their_error_wide() -> None:
    frame = heavy_tailed()
    shuffled = frame["target"].sample(frac=1, random_state=0).to_numpy()
    answers = read_predictions(table(pd.DataFrame({"y_true": frame["target"], "y_pred": shuffled})))
    assert one("T3.1", predictions=answers).outcome is Outcome.FAIL


def halves(frame: pd.DataFrame) -> dict[str, Table]:
    cut = 2 * len(frame) // 3
    return {"train": table(frame.iloc[:cut]), "test": table(frame.iloc[cut:], "test.csv")}


def test_the_order_of_what_hardly_matters_does_not_make_importances_unstable() -> None:
    """Two features decide, thirty add a thousandth: which of these stands out is chance."""
    random = np.random.default_rng(13)
    frame = pd.DataFrame(random.normal(size=(2 * N, 32))).add_prefix("f")
    frame["target"] = 3 * frame["f0"] + 2 * frame["f1"] + 0.12 * frame.to_numpy()[:, 2:].sum(axis=1)
    assert one("A4.1", **halves(frame)).outcome is Outcome.PASS


def test_one_strong_feature_of_a_modest_model_is_no_suspect() -> None:
    random = np.random.default_rng(5)
    frame = pd.DataFrame({name: random.normal(size=N) for name in "abcdef"})
    frame["target"] = (frame["a"] + 1.5 * random.normal(size=N) > 0).astype(int)
    finding = one("A4.3", **halves(frame))
    assert (finding.outcome, finding.where.column) == (Outcome.PARTIAL, "a")
    assert "not too good to be true" in finding.observed


def test_a_feature_that_others_replace_is_no_suspect_though_the_model_rests_on_it() -> None:
    random = np.random.default_rng(11)
    truth = random.integers(0, 2, N)
    strong = {f"s{number}": truth * 2.5 + random.normal(size=N) for number in range(5)}
    frame = pd.DataFrame(strong).assign(best=truth * 6 + random.normal(size=N), target=truth)
    finding = one("A4.3", **halves(frame))
    assert (finding.outcome, finding.where.column) == (Outcome.PARTIAL, "best"), finding.observed
    assert "without it" in finding.observed


def test_a_feature_does_not_dominate_those_that_tell_the_same_as_each_other() -> None:
    """Permuting one of four that tell the same loses little, permuting all four loses as much as the strong one."""
    random = np.random.default_rng(6)
    base, strong = random.normal(size=N), random.normal(size=N)
    alike = {f"same{number}": base + 0.1 * random.normal(size=N) for number in range(4)}
    frame = pd.DataFrame({"strong": strong, **alike}).assign(target=(strong + base > 0).astype(int))
    finding = one("A4.3", **halves(frame))
    assert finding.outcome is not Outcome.FAIL, finding.observed
    assert finding.where.column == "strong"


@pytest.mark.parametrize("check", ["T2.4", "A4.1", "A4.3"])
def test_a_handful_of_rows_says_what_features_would_need_to_be_judged(check: str) -> None:
    random = np.random.default_rng(7)
    frame = pd.DataFrame({name: random.normal(size=24) for name in "abcde"}).assign(target=[0, 1] * 12)
    finding = one(check, **halves(frame))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "16 training and 8 test rows are too few" in finding.observed


def test_idle_features_of_forty_rows_are_not_proven_idle() -> None:
    random = np.random.default_rng(8)
    frame = pd.DataFrame({name: random.normal(size=66) for name in "abcde"}).assign(target=[0, 1] * 33)
    finding = one("T2.4", **halves(frame))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "as far as 44 training rows show" in finding.observed


def test_days_before_months_keep_their_order_though_the_test_rows_have_no_day_above_twelve() -> None:
    train = pd.DataFrame({"a": np.arange(40.0), "day": [f"{1 + i % 28:02d}/{3 + i // 28:02d}/2024" for i in range(40)]})
    test = pd.DataFrame({"a": np.arange(50.0, 60.0), "day": [f"{i:02d}/05/2024" for i in range(1, 11)]})
    later = one("T1.5", train=table(train), test=table(test, "test.csv"), time_column="day")
    assert later.outcome is Outcome.PASS, later.observed
    before = one("T1.5", train=table(test), test=table(train, "test.csv"), time_column="day")
    assert before.outcome is Outcome.FAIL


def test_a_declared_person_is_followed_in_a_short_table_and_a_sex_is_not() -> None:
    random = np.random.default_rng(10)
    frame = pd.DataFrame({"a": random.normal(size=60), "card": np.arange(60) % 15, "sex": ["f", "m"] * 30})
    parts = {"train": table(frame.head(45)), "test": table(frame.tail(15), "test.csv")}
    assert one("T1.5", group_columns=("card",), **parts).outcome is Outcome.FAIL
    assert one("T1.5", group_columns=("sex",), **parts).outcome is Outcome.PARTIAL


def test_copies_that_would_drown_in_natural_repeats_leave_the_overlap_open() -> None:
    random = np.random.default_rng(9)
    frame = pd.DataFrame({name: random.integers(0, 2, 130) for name in "abcdefg"})
    few = one("T1.5", train=table(frame.head(90)), test=table(frame.iloc[90:130], "test.csv"))
    assert few.outcome is Outcome.INCONCLUSIVE
    assert "times as long would settle it" in few.observed


def test_one_unseen_value_in_five_rows_breaks_no_schema() -> None:
    train = pd.DataFrame({"city": ["Rome", "Oslo"] * 20})
    few, many = (pd.DataFrame({"city": ["Lima", "Rome", "Oslo", "Oslo", "Rome"] * times}) for times in (1, 10))
    assert one("T1.1", train=table(train), test=table(few, "test.csv")).outcome is Outcome.PARTIAL
    assert one("T1.1", train=table(train), test=table(many, "test.csv")).outcome is Outcome.FAIL


def test_scores_of_many_classes_count_where_one_class_outnumbers_every_answer() -> None:
    """The commonest class is always the likeliest, so the answers are a dummy's; the probabilities know more."""
    random = np.random.default_rng(15)
    truth = random.choice(3, N, p=[0.8, 0.1, 0.1])
    share = np.tile([0.8, 0.1, 0.1], (N, 1)) + 0.1 * np.eye(3)[truth] + 0.05 * random.random((N, 3))
    share /= share.sum(axis=1, keepdims=True)
    columns = {f"proba_{code}": share[:, code] for code in range(3)}
    known = read_predictions(table(pd.DataFrame({"y_true": truth, **columns})))
    assert one("T3.1", predictions=known).outcome is Outcome.PASS
    blind = read_predictions(table(pd.DataFrame({"y_true": random.permutation(truth), **columns})))
    assert one("T3.1", predictions=blind).outcome is Outcome.FAIL
