"""R5.3: a moved column is found and named, sampling noise is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Table
from mlestar.core.statistics.drift import drift

RANDOM = np.random.default_rng(2)


def normal(n: int) -> np.ndarray:
    """The quantiles of a standard normal in random order: as close to it as n values can be."""
    return RANDOM.permutation(norm.ppf((np.arange(n) + 0.5) / n))


BEFORE = pd.DataFrame({name: normal(600) for name in "abcd"}).assign(
    colour=RANDOM.choice(["red", "blue"], 600), id=range(600)
)
AFTER = pd.DataFrame({name: normal(400) for name in "abcd"}).assign(
    colour=RANDOM.choice(["red", "blue"], 400), id=range(600, 1000)
)


def judged(after: pd.DataFrame, before: pd.DataFrame = BEFORE) -> Finding:
    tables = [
        Table(path=name, frame=frame, sha256="0" * 64, n_rows=len(frame))
        for name, frame in (("reference.csv", before), ("current.csv", after))
    ]
    return run_checks(Facts(data=DataFacts(reference=tables[0], current=tables[1])), ["R5.3"])[0]


@pytest.mark.parametrize(
    ("after", "outcome", "column"),
    [
        (AFTER, Outcome.PASS, ""),
        (AFTER.assign(a=AFTER["a"] + 0.4), Outcome.PARTIAL, "a"),
        (AFTER.assign(a=AFTER["a"] + 0.8), Outcome.FAIL, "a"),
        (AFTER.assign(b=AFTER["b"] * 3), Outcome.FAIL, "b"),
        (AFTER.assign(c=AFTER["c"].where(AFTER["a"] > 0)), Outcome.FAIL, "c"),
        (AFTER.assign(colour="green"), Outcome.FAIL, "colour"),
        (AFTER.drop(columns="d"), Outcome.FAIL, "d"),
    ],
)
def test_each_way_of_moving_is_found_in_its_column(after: pd.DataFrame, outcome: Outcome, column: str) -> None:
    finding = judged(after)
    assert finding.outcome is outcome, finding.observed
    assert finding.where.column == column


def test_a_few_rows_leave_it_open_and_say_how_many_would_do() -> None:
    finding = judged(AFTER.head(20))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "rows on each side would settle it" in finding.observed


def test_names_that_are_always_partly_new_do_not_drift_until_they_are_all_new() -> None:
    """Some 700 shops, most of them seen once or twice: a fifth of the current rows name one the reference never saw."""
    shops = [f"shop {number}" for number in (RANDOM.pareto(0.7, 1000) * 20).astype(int)]
    before, after = BEFORE.assign(shop=shops[:600]), AFTER.assign(shop=shops[600:])
    assert (~after["shop"].isin(before["shop"])).mean() > 0.15
    assert judged(after, before).outcome is Outcome.PASS
    other = judged(after.assign(shop="store " + after["shop"]), before)
    assert (other.outcome, other.where.column) == (Outcome.FAIL, "shop")


def test_tables_without_a_comparable_column_are_inconclusive() -> None:
    text = pd.DataFrame({"when": ["2026-01-01", "2026-01-02"]})
    assert judged(text, text).outcome is Outcome.INCONCLUSIVE


def test_the_index_of_a_shifted_normal_is_the_square_of_the_shift() -> None:
    """Symmetric Kullback-Leibler divergence of N(0, 1) and N(d, 1) is d squared; deciles keep nearly all of it."""
    before, after = pd.Series(RANDOM.normal(size=50_000)), pd.Series(RANDOM.normal(0.6, 1, 50_000))
    assert drift(before, after, column="x", bins=10, alpha=0.01).psi == pytest.approx(0.36, rel=0.12)


def test_without_drift_the_index_exceeds_its_critical_value_as_seldom_as_it_should() -> None:
    hits = 0
    for _ in range(300):
        before, after = pd.Series(RANDOM.normal(size=300)), pd.Series(RANDOM.normal(size=100))
        found = drift(before, after, column="x", bins=10, alpha=0.10)
        hits += found.significant
    assert hits / 300 < 0.16
