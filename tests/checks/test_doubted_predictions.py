"""Predictions that other files contradict earn nothing; those of honest models do, however good or bad they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Table
from mlestar.core.score.scoring import credit
from mlestar.evidence.predictions import read_predictions

RANDOM = np.random.default_rng(5)
BY_ANSWERS = ("A1.1", "A1.3", "A2.1", "A2.2", "T3.1", "T3.2")
N = 1200


def signal(noise: float) -> pd.DataFrame:
    frame = pd.DataFrame(RANDOM.normal(size=(N, 4)), columns=list("abcd"))
    return frame.assign(y=(frame.a + RANDOM.normal(size=N) * noise > 0).astype(int))


def exact() -> pd.DataFrame:
    frame = pd.DataFrame(RANDOM.integers(0, 5, (N, 2)), columns=list("ab"))
    return frame.assign(y=((frame.a > 2) ^ (frame.b > 1)).astype(int))


def judged(frame: pd.DataFrame, answers: Callable[[pd.DataFrame], dict[str, Any]]) -> list[Finding]:
    train, test = frame[: N // 2].reset_index(drop=True), frame[N // 2 :].reset_index(drop=True)
    tables = {"train": train, "test": test, "predictions": pd.DataFrame(answers(test))}
    read = {n: Table(path=f"{n}.csv", frame=part, sha256=n, n_rows=len(part)) for n, part in tables.items()}
    predictions = read_predictions(read.pop("predictions"))
    data = DataFacts(task="binary", target="y", predictions=predictions, **read)  # pyright: ignore[reportArgumentType] - train and test
    return [one for one in run_checks(Facts(data=data), BY_ANSWERS) if one.level is Level.MEASURED]


def copied(test: pd.DataFrame) -> dict[str, Any]:
    return {"y_true": test.y, "y_pred": test.y}


def copied_with_noise(test: pd.DataFrame) -> dict[str, Any]:
    return {"y_true": test.y, "y_score": test.y + RANDOM.normal(size=len(test)) * 0.2}


def nearly_copied(test: pd.DataFrame) -> dict[str, Any]:
    return {"y_true": test.y, "y_pred": np.where(np.arange(len(test)) % 300 == 0, 1 - test.y, test.y)}


def fewer_rows(test: pd.DataFrame) -> dict[str, Any]:
    return {"y_true": test.y[:400], "y_pred": (test.a[:400] > 0).astype(int)}


def other_truth(test: pd.DataFrame) -> dict[str, Any]:
    return {"y_true": (test.a > 1).astype(int), "y_pred": (test.a > 1.1).astype(int)}


def modelled(test: pd.DataFrame) -> dict[str, Any]:
    return {"y_true": test.y, "y_pred": (test.a > 0).astype(int)}


def written_in_words(test: pd.DataFrame) -> dict[str, Any]:
    words = np.array(["no", "yes"])
    return {"y_true": words[test.y], "y_pred": words[(test.a > 0).astype(int)]}


DOUBTED = {
    "copied from the truth": (signal(1.0), copied, "not one of 600 answers"),
    "the truth and a little noise, where nothing can be learnt": (signal(1e9), copied_with_noise, "gradient boosting"),
    "copied with an error now and then": (signal(1.0), nearly_copied, "no model of these columns"),
    "fewer rows than the test file": (signal(1.0), fewer_rows, "test.csv has 600"),
    "another truth than the test file's": (signal(1.0), other_truth, "is not the y of test.csv"),
}
TRUSTED = {
    "of a model": (signal(1.0), modelled),
    "with classes in other words": (signal(1.0), written_in_words),
    "faultless where the columns tell everything": (exact(), copied),
}


@pytest.mark.parametrize("name", DOUBTED)
def test_predictions_that_other_files_contradict_are_inconclusive(name: str) -> None:
    frame, answers, says = DOUBTED[name]
    found = judged(frame, answers)
    assert {one.check: credit(one) for one in found if credit(one)} == {}
    assert any(one.outcome is Outcome.INCONCLUSIVE and says in one.observed for one in found)


@pytest.mark.parametrize("name", TRUSTED)
def test_predictions_that_nothing_contradicts_count(name: str) -> None:
    frame, answers = TRUSTED[name]
    earned = {one.check for one in judged(frame, answers) if credit(one)}
    assert {"A1.1", "T3.1"} <= earned


def test_bad_answers_stay_bad_when_their_rows_are_doubted() -> None:
    found = judged(signal(1.0), lambda test: {"y_true": test.y[:500], "y_pred": 1 - test.y[:500]})
    assert next(one for one in found if one.check == "T3.1").outcome is Outcome.FAIL


def test_no_feature_dominates_where_none_tells_anything() -> None:
    read = {name: Table(path=name, frame=signal(1e9), sha256=name, n_rows=N) for name in ("train", "test")}
    data = DataFacts(task="binary", target="y", **read)  # pyright: ignore[reportArgumentType] - train and test
    assert run_checks(Facts(data=data), ["A4.3"])[0].outcome is Outcome.INCONCLUSIVE
