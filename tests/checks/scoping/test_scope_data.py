"""S1.1, S2.2, S3.2, S3.4: the scope held against the data."""

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
from mlestar.core.statistics.personal_data import is_iban, is_sensitive_name, luhn
from mlestar.core.statistics.sizes import stated_rows
from mlestar.evidence.predictions import read_predictions

RANDOM = np.random.default_rng(4)
N = 400
FRAME = pd.DataFrame({"a": RANDOM.normal(size=N), "b": RANDOM.normal(size=N), "target": np.tile([0, 1], N // 2)})


def table(frame: pd.DataFrame) -> Table:
    return Table(path="train.csv", frame=frame, sha256="0" * 64, n_rows=len(frame))


def judged(check: str, frame: pd.DataFrame = FRAME, claim: Mapping[str, Any] | None = None, **more: Any) -> Finding:
    parts: dict[str, Any] = {"train": table(frame), "target": "target"}
    data = DataFacts(**(parts | more))
    findings = run_checks(Facts(claims={"scoping": claim or {}}, data=data), [check])
    return next(finding for finding in findings if finding.level is Level.MEASURED)


@pytest.mark.parametrize(
    ("target", "claim", "outcome"),
    [
        ("target", {"task": "binary classification"}, Outcome.PASS),
        ("target", {}, Outcome.PARTIAL),
        ("price", {"task": "regression"}, Outcome.FAIL),
        ("a", {"task": "classification"}, Outcome.FAIL),
        ("a", {"task": "regression"}, Outcome.PASS),
        ("a", {"task": "binary"}, Outcome.FAIL),
    ],
)
def test_the_target_is_held_against_the_declared_task(target: str, claim: dict[str, str], outcome: Outcome) -> None:
    assert judged("S1.1", claim=claim, target=target).outcome is outcome


@pytest.mark.parametrize(
    ("columns", "claim", "outcome"),
    [
        (2, {}, Outcome.PASS),
        (15, {}, Outcome.PARTIAL),
        (60, {}, Outcome.FAIL),
        (2, {"data": "400 posts"}, Outcome.PASS),
        (2, {"data": "10,000 posts"}, Outcome.FAIL),
        (2, {"dataset": {"rows": 402}}, Outcome.PASS),
    ],
)
def test_rows_are_counted_for_the_parameters_and_the_claim(
    columns: int, claim: dict[str, Any], outcome: Outcome
) -> None:
    wide = pd.DataFrame({f"x{i}": RANDOM.normal(size=N) for i in range(columns)}).assign(target=FRAME["target"])
    assert judged("S3.2", wide, claim).outcome is outcome


@pytest.mark.parametrize(
    ("claim", "rows"),
    [({"data": "10k posts"}, 10_000), ({"data": "1.5"}, 0), ({"dataSize": 70}, 70), ({"goal": "2 rows"}, 0)],
)
def test_stated_row_counts_are_read(claim: dict[str, Any], rows: int) -> None:
    assert stated_rows(claim) == rows


PERSONAL: list[tuple[str, list[str]]] = [
    ("contact", [f"user{i}@mail.example" for i in range(N)]),
    ("note", [f"call back, ref {i}, user{i}@mail.example" for i in range(N)]),
    ("tel", [f"+49 170 {i:07}" for i in range(N)]),
    ("ssn", [f"{i % 600 + 100:03}-45-{i + 1:04}" for i in range(N)]),
    ("iban", ["DE89 3704 0044 0532 0130 00"] * N),
    ("card", ["4111 1111 1111 1111"] * N),
    ("first_name", [f"{a}{b}lice" for a in "ABCDEFGHIJKLMNOPQRST" for b in "abcdefghijklmnopqrst"]),
]


@pytest.mark.parametrize(("name", "values"), PERSONAL, ids=[name for name, _ in PERSONAL])
def test_raw_personal_data_is_found_in_its_column(name: str, values: list[str]) -> None:
    finding = judged("S3.4", FRAME.assign(**{name: values}))
    assert (finding.outcome, finding.where.column) == (Outcome.FAIL, name)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("amount", [10**15 + i * 7919 for i in range(N)]),
        ("date", ["2025-01-01"] * N),
        ("product_code", [f"AB-{i:05}" for i in range(N)]),
        ("city", ["New York", "Los Angeles"] * (N // 2)),
        ("email_hash", [f"{i:064x}" for i in range(N)]),
        ("version", [f"1.{i % 9}.{i % 7}" for i in range(N)]),
    ],
)
def test_numbers_codes_and_places_are_no_personal_data(name: str, values: list[object]) -> None:
    assert judged("S3.4", FRAME.assign(**{name: pd.Series(values)})).outcome is Outcome.PARTIAL


def test_a_licence_makes_clean_data_pass() -> None:
    assert judged("S3.4", claim={"dataLicense": "CC-BY 4.0"}).outcome is Outcome.PASS


def test_check_digits_are_those_of_the_standards() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398710")
    assert is_iban("GB82 WEST 1234 5698 7654 32")
    assert not is_iban("GB82 WEST 1234 5698 7654 33")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Gender", True), ("maritalStatus", True), ("age_group", True), ("page", False), ("mage", False)],
)
def test_sensitive_attributes_are_known_by_name(name: str, expected: bool) -> None:
    assert is_sensitive_name(name) is expected


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [
        ({"success": {"accuracy": 0.85}}, Outcome.PASS),
        ({"goal": "reach an accuracy of at least 0.85"}, Outcome.PASS),
        ({"successMetric": "accuracy >= 89%"}, Outcome.PARTIAL),
        ({"target metric": "accuracy >= 0.95"}, Outcome.FAIL),
    ],
)
def test_a_promise_is_held_against_the_interval(claim: dict[str, Any], outcome: Outcome) -> None:
    truth = np.tile([0, 1], 500)
    answer = np.where(np.arange(1000) % 10 == 0, 1 - truth, truth)
    frame = pd.DataFrame({"y_true": truth, "y_pred": answer})
    assert judged("S2.2", claim=claim, predictions=read_predictions(table(frame))).outcome is outcome
