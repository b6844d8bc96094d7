"""Whether stated numbers can be true together: ranges, F1 from precision and recall, prevalence, counts.

Every stated number stands for the interval that its rounding leaves; a contradiction is one that no values inside
the intervals could avoid. For multi-class averages (macro, weighted) the identities do not hold and are not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlestar.core.claims.statements import StatedMetric, stated_metrics
from mlestar.core.claims.text import from_json, number_of, words_of

SHARES = frozenset({"accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "roc_auc"})
AT_MOST_ONE = frozenset({"mcc", "kappa", "r2"})
NOT_NEGATIVE = frozenset({"mae", "mse", "rmse", "log_loss", "brier"})
CHANCE = 0.5
COUNTS = {
    "tp": r"\b(tp|true positives?)$",
    "fp": r"\b(fp|false positives?)$",
    "fn": r"\b(fn|false negatives?)$",
    "tn": r"\b(tn|true negatives?)$",
}
AVERAGED = re.compile(r"macro|weighted|multi ?class|per class")
CLASSES = r"\b(n classes|num classes|classes)$"
BINARY = 2
TWO_DIGITS = 0.005
MANY_DIGITS = 0.0005
"""Width of what is written with four digits or more."""
NO_PERCENTAGE = 2
"""A share written as a number above 1 and below this is a mistake, not a percentage."""
SLACK = 1e-9
"""Room for floating point, far below any rounding."""


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """What the numbers say of each other.

    Attributes:
        relations: Relations that could be checked, in words.
        contradictions: Those that cannot hold.
        notes: What follows from the numbers, for the reader.
    """

    relations: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Interval:
    """Every value that a stated number may stand for."""

    low: float
    high: float

    def meets(self, other: Interval) -> bool:
        """Whether some value is in both."""
        return self.low <= other.high + SLACK and other.low <= self.high + SLACK

    def __str__(self) -> str:
        """Four digits are below any rounding that matters."""
        return f"[{self.low:.4f}, {self.high:.4f}]"


@dataclass
class _Record:
    relations: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def compare(self, relation: str, holds: bool, why: str) -> None:
        self.relations.append(relation)
        if not holds:
            self.contradictions.append(why)


def check_numbers(claim: Mapping[str, Any]) -> Arithmetic:
    """Check the stated metrics and counts of one claim against each other."""
    metrics = list(stated_metrics(claim))
    record = _Record()
    statements = from_json(claim)
    written = {statement.key: statement.value for statement in statements}
    for metric in metrics:
        _range(metric, written.get(words_of(metric.key)), record)
    known = _intervals(metrics)
    averaged = any(AVERAGED.search(statement.key) for statement in statements) or any(
        (number_of(s.value) or BINARY) > BINARY for s in statements if re.search(CLASSES, s.key)
    )
    if not averaged and not _is_weighted(known) and not record.contradictions:
        _f1(known, record)
        _prevalence(known, record)
        _counts(claim, known, record)
    _errors(known, record)
    return Arithmetic(
        relations=tuple(record.relations),
        contradictions=tuple(record.contradictions),
        notes=tuple(record.notes),
    )


def _intervals(metrics: Sequence[StatedMetric]) -> dict[str, Interval]:
    """Metric -> its interval. `0.90` arrives as 0.9 in JSON: a share is taken as written with two digits at least."""
    return {
        metric.metric: Interval(metric.value - half, metric.value + half)
        for metric in reversed(metrics)
        for half in [min(metric.half_unit, TWO_DIGITS) if metric.metric in SHARES else metric.half_unit]
    }


def _is_weighted(known: Mapping[str, Interval]) -> bool:
    """Recall weighted by class is the accuracy: the same many digits twice are an average over classes."""
    accuracy, recall = known.get("accuracy"), known.get("recall")
    return accuracy is not None and accuracy == recall and accuracy.high - accuracy.low < MANY_DIGITS


def _range(metric: StatedMetric, written: object, record: _Record) -> None:
    value = metric.value
    if metric.metric in SHARES | AT_MOST_ONE and isinstance(written, int | float) and 1 < written < NO_PERCENTAGE:
        value = float(written)
    low, high = 0.0, float("inf")
    if metric.metric in SHARES or metric.metric == "brier":
        high = 1.0
    elif metric.metric in AT_MOST_ONE:
        low, high = (-1.0 if metric.metric != "r2" else -float("inf")), 1.0
    record.compare(
        f"{metric.key} in range",
        low - SLACK <= value <= high + SLACK,
        f"{metric.key} {value:g} is outside [{low:g}, {high:g}]",
    )
    if metric.metric == "roc_auc" and metric.value < CHANCE:
        record.contradictions.append(f"{metric.key} {metric.value:g} is below chance: the scores are inverted")


def _f1(known: Mapping[str, Interval], record: _Record) -> None:
    if not {"f1", "precision", "recall"} <= known.keys():
        return
    p, r, f1 = known["precision"], known["recall"], known["f1"]
    implied = Interval(_harmonic(p.low, r.low), _harmonic(p.high, r.high))
    record.compare(
        "f1 follows from precision and recall",
        implied.meets(f1),
        f"precision and recall give an F1 within {implied}, stated is {f1}",
    )


def _harmonic(a: float, b: float) -> float:
    a, b = max(a, 0.0), max(b, 0.0)
    return 2 * a * b / (a + b) if a + b else 0.0


def _prevalence(known: Mapping[str, Interval], record: _Record) -> None:
    """(1 - accuracy) = prevalence x ((1 - recall) + recall x (1 - precision) / precision), prevalence in (0, 1)."""
    if not {"accuracy", "precision", "recall"} <= known.keys():
        return
    accuracy, p, r = known["accuracy"], known["precision"], known["recall"]
    if p.low <= 0:
        return
    least = max(0.0, 1 - r.high) + r.low * max(0.0, 1 - p.high) / p.high
    most = (1 - r.low) + r.high * (1 - p.low) / p.low
    lowest = max(0.0, 1 - accuracy.high) / most if most > 0 else 0.0
    highest = (1 - accuracy.low) / least if least > 0 else float("inf")
    record.compare(
        "accuracy, precision and recall imply a prevalence",
        lowest < 1 and highest > 0,
        f"accuracy, precision and recall would need a share of positives of at least {lowest:.0%}",
    )
    middle = [(i.low + i.high) / 2 for i in (accuracy, p, r)]
    per_positive = (1 - middle[2]) + middle[2] * (1 - middle[1]) / middle[1]
    if per_positive > 0 and lowest < 1:
        prevalence = min((1 - middle[0]) / per_positive, 1.0)
        constant = max(prevalence, 1 - prevalence)
        record.notes.append(
            f"implied share of positives {prevalence:.1%}; a constant answer would have accuracy {constant:.1%}"
        )


def _counts(claim: Mapping[str, Any], known: Mapping[str, Interval], record: _Record) -> None:
    groups: dict[str, dict[str, float]] = {}
    for statement in from_json(claim):
        for name, pattern in COUNTS.items():
            number, match = number_of(statement.value), re.search(pattern, statement.key)
            if number is not None and match:
                groups.setdefault(statement.key[: match.start()].strip(), {}).setdefault(name, number)
    if len(groups) > 1:  # one table of counts a threshold or a class: which one the metrics are of is not said
        return
    found = next(iter(groups.values()), {})
    for name, number in found.items():
        whole = number >= 0 and number == int(number)
        record.compare(f"{name} is a count", whole, f"{name} {number:g} is not a whole number of 0 or more")
    if set(found) != set(COUNTS) or record.contradictions:
        return
    tp, fp, fn, tn = (found[name] for name in ("tp", "fp", "fn", "tn"))
    exact = {
        "accuracy": (tp + tn, tp + fp + fn + tn),
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "f1": (2 * tp, 2 * tp + fp + fn),
    }
    for name, (part, whole) in exact.items():
        if name in known and whole:
            value = part / whole
            record.compare(
                f"{name} follows from the counts",
                Interval(value, value).meets(known[name]),
                f"the counts give {name} {value:.4f}, stated is {known[name]}",
            )


def _errors(known: Mapping[str, Interval], record: _Record) -> None:
    """RMSE is never below MAE, and MSE is RMSE squared."""
    if {"rmse", "mae"} <= known.keys():
        rmse, mae = known["rmse"], known["mae"]
        record.compare("rmse is at least mae", rmse.high >= mae.low, f"RMSE {rmse} is below MAE {mae}")
    if {"rmse", "mse"} <= known.keys():
        rmse, mse = known["rmse"], known["mse"]
        squared = Interval(max(0.0, rmse.low) ** 2, rmse.high**2)
        record.compare("mse is rmse squared", squared.meets(mse), f"RMSE squared is {squared}, stated MSE is {mse}")
