"""T1.5 and T2.1: what reaches the model that it will not have when it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.measured import measured
from mlestar.checks.registry import check
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.statistics.columns import features, kind_of
from mlestar.core.wording import counted, listed, percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import DataFacts, Table
    from mlestar.core.statistics.modelling import Target
    from mlestar.core.statistics.single_features import SingleFeature
    from mlestar.core.statistics.splits import Overlap

_ENTITY_NAME = re.compile(
    r"(^|_|\b)(patient|subject|user|customer|client|person|participant|session|household)s?(_?id)?$"
)
_MIN_ROWS = 30
_FAR_AHEAD = (
    (0.95, 0.15),
    (0.995, 0.05),
    (0.9995, 0.015),
)  # [ours] strength, lead on the next: one says it all, the next little
_SHOWN = 5
_DOUBTFUL = 0.05  # [ours] an overlap that coincidence brings more often than this is taken for coincidence


@check("T1.5")
def split_is_clean(facts: Facts) -> Iterator[Verdict]:
    """Train and test share no rows and no entities, and train ends before test begins.

    Why: A model that has seen the test rows, or the same patient, or the future, is graded on its memory.
    How: Test rows found in train, against the rate at which train rows have twins by coincidence; values of the group
        columns that stand on both sides; train rows dated after the first test row.
    Threshold: fail on overlap above 1% that coincidence does not explain (p < 0.001, at least 3 rows), on
        shared groups or on future rows; partial when there is no time or group column to test; inconclusive when
        coincidence might explain the overlap (p < 0.05), or when copies of a tenth of the test rows would not show
        among the natural repeats.
    Source: Kapoor and Narayanan 2023, L1.4, L3.1 and L3.2; Rules of ML 33; deepchecks train-test overlap.
    Fix: Split by group and by time before any copying or sampling; drop the rows named from one side.
    Limits: Near copies are not found; group and time columns are known by declaration, entity columns also by name.
    """
    data = facts.data
    if data is None or data.train is None or data.test is None:
        return
    found = _shared_rows(facts, data.train, data.test)
    problems = [*_overlap(facts, found, data.train, data.test)]
    groups, entities = _groups(data, data.train, data.test)
    problems += groups
    time_column = _time_column(data, data.train, data.test)
    if time_column:
        problems += _order(data.train, data.test, time_column, declared=bool(data.time_column))
    if problems:
        yield from problems
        return
    tested = [f"groups of {name}" for name in entities] + ([f"order of {time_column}"] if time_column else [])
    observed = f"no overlap of {data.train.path} and {data.test.path}"
    if found.count:
        shared = (
            f"{counted(found.count, 'row')} of {data.test.path} ({percent(found.share)}) stand in {data.train.path}"
        )
        observed = f"{shared} too, as coincidence explains ({percent(found.expected)})"
    if tested:
        yield measured(data.test, Outcome.PASS, f"{observed}; {listed(tested)} hold")
    else:
        yield measured(
            data.test,
            Outcome.PARTIAL,
            f"{observed}; without a time or group column neither order nor entities could be tested",
            fix="Name the time column (time=...) or the entity column (groups=...), so that the split is tested by it.",
        )


def _shared_rows(facts: Facts, train: Table, test: Table) -> Overlap:
    from mlestar.core.statistics.splits import overlap

    both = [name for name in features(train.frame) if name in test.frame.columns]
    return overlap(train.frame, test.frame, both, alpha=facts.limit("T1.5", "alpha"))


def _overlap(facts: Facts, found: Overlap, train: Table, test: Table) -> Iterator[Verdict]:
    excess = found.share - found.expected
    if found.count < facts.limit("T1.5", "min_rows"):
        return
    observed = f"{counted(found.count, 'row')} of {test.path} ({percent(found.share)}) stand in {train.path} too"
    large = excess > facts.limit("T1.5", "overlap")
    if large and found.p_value < facts.limit("T1.5", "alpha"):
        yield measured(test, Outcome.FAIL, f"{observed}, {percent(found.expected)} by coincidence", rows=found.rows)
    elif large and found.p_value < _DOUBTFUL:
        n = round(len(test.frame) * _growth(found.count, found.expected * len(test.frame)))
        observed += f"; coincidence could explain it (p = {found.p_value:.2g}), about {n} test rows would settle it"
        yield measured(test, Outcome.INCONCLUSIVE, observed, rows=found.rows)
    elif found.growth > 1:
        observed += f", {percent(found.expected)} by coincidence; copies would not stand out among as many"
        observed += f", tables {found.growth:.1f} times as long would settle it"
        yield measured(test, Outcome.INCONCLUSIVE, observed, rows=found.rows)


def _growth(count: int, expected: float) -> float:
    """By how much n must grow for the excess to reach the 3.1 standard errors of p = 0.001."""
    return max(1.5, 3.1**2 * expected / max(count - expected, 0.5) ** 2)


def _groups(data: DataFacts, train: Table, test: Table) -> tuple[list[Verdict], list[str]]:
    from mlestar.core.statistics.splits import is_entity, shared_groups

    problems: list[Verdict] = []
    tested: list[str] = []
    for name in features(train.frame, without=[data.target]):
        declared = name in data.group_columns
        if name not in test.frame.columns or not (declared or _ENTITY_NAME.search(name.lower())):
            continue
        if not is_entity(train.frame[name]):
            continue
        tested.append(name)
        share, examples = shared_groups(train.frame[name], test.frame[name])
        if share:
            observed = f"{percent(share)} of {test.path} has a {name} that {train.path} has too ({listed(examples)})"
            outcome = Outcome.FAIL if declared else Outcome.PARTIAL
            problems.append(measured(test, outcome, observed, column=name))
    return problems, tested


def _time_column(data: DataFacts, train: Table, test: Table) -> str:
    if data.time_column:
        dated = all(
            data.time_column in table.frame.columns and kind_of(table.frame[data.time_column]) in {"time", "number"}
            for table in (train, test)
        )
        return data.time_column if dated else ""
    dates = [name for name in features(train.frame, without=[data.target]) if kind_of(train.frame[name]) == "time"]
    return dates[0] if len(dates) == 1 and dates[0] in test.frame.columns else ""


def _order(train: Table, test: Table, column: str, *, declared: bool) -> Iterator[Verdict]:
    from mlestar.core.statistics.splits import future_rows

    count, rows = future_rows(train.frame[column], test.frame[column])
    if count:
        observed = f"{counted(count, 'row')} of {train.path} lie after the first {column} of {test.path}"
        outcome = Outcome.FAIL if declared else Outcome.PARTIAL
        yield measured(train, outcome, observed, column=column, rows=rows)


@check("T2.1")
def no_feature_gives_the_target_away(facts: Facts) -> Iterator[Verdict]:
    """No feature is the target in disguise.

    Why: A column that is written after the outcome is known makes a brilliant test score and a useless model.
    How: For each feature the out-of-fold discrimination (AUC; concordance for a quantity) of a depth-4 tree (deeper for
        more than four classes) on its value and its absence, against that of gradient boosting on all other features;
        also whether its values are the target's own under other names.
    Threshold: fail when a feature alone reaches 0.90 and beats all others together by 0.05 beyond sampling noise, or
        leaves less than a quarter of their squared error; when it reaches 0.95 with the next feature 0.15 behind,
        0.995 with 0.05 or 0.9995 with 0.015; or when it agrees with the target as a recoded copy (kappa 0.85, rank
        correlation 0.99, or correlation 0.98 that rests not on the tail).
        Partial (to be reviewed) when it reaches 0.90, or 0.75 with a lead of 0.10.
    Source: Kapoor and Narayanan 2023, L2; deepchecks predictive power score; the bands are this project's own.
    Fix: Drop the column named, or show that its value exists at the moment of prediction.
    Limits: A leak no stronger than honest features looks like one of them; at most 3,000 rows are used.
    """
    data = facts.data
    if data is None or data.train is None or data.target not in data.train.frame.columns:
        return
    from mlestar.core.statistics.modelling import encode, sampled, target_of
    from mlestar.core.statistics.single_features import single_features

    table = data.train
    frame = table.frame.iloc[sampled(len(table.frame), data.seed)].reset_index(drop=True)
    target = target_of(frame[data.target], data.task)
    needed = f"{_MIN_ROWS} rows" + ("" if target.task == "regression" else " in two values")
    if len(target.rows) < _MIN_ROWS or (target.task != "regression" and len(target.classes) <= 1):
        yield measured(
            table,
            Outcome.INCONCLUSIVE,
            f"{counted(len(target.rows), 'row')} with a usable {data.target}{_classes(target)}; {needed} settle it",
        )
        return
    names = features(frame, without=[data.target])
    (matrix,) = encode([frame.iloc[target.rows]], names)
    strengths = single_features(matrix, target, threshold=facts.limit("T2.1", "review"), seed=data.seed)
    suspects = sorted(strengths, key=lambda feature: (not _leaks(facts, feature), -feature.alone))
    leaks = [feature for feature in suspects if _leaks(facts, feature)]
    reviewed = [feature for feature in suspects if not leaks and _needs_review(facts, feature)]
    for feature in (leaks or reviewed)[:_SHOWN]:
        yield measured(
            table, Outcome.FAIL if leaks else Outcome.PARTIAL, _strength(feature, data.target), column=feature.name
        )
    if not suspects:
        yield measured(table, Outcome.PASS, f"{table.path} has no features")
    elif not leaks and not reviewed:
        observed = f"the strongest single feature of {table.path} is {_strength(suspects[0], data.target)}"
        yield measured(table, Outcome.PASS, observed)


def _classes(target: Target) -> str:
    """What is said of the classes beside the number of rows."""
    from mlestar.core.statistics.modelling import MIN_CLASS_ROWS

    if target.task == "regression":
        return ""
    return f" in {counted(len(target.classes), 'value')} of {MIN_CLASS_ROWS} rows or more"


def _leaks(facts: Facts, feature: SingleFeature) -> bool:
    if feature.is_twin:
        return True
    if feature.alone < facts.limit("T2.1", "fail") or feature.others is None:
        return False
    leads = feature.alone - feature.others >= facts.limit("T2.1", "fail_margin") and feature.lead_is_certain
    stands_alone = any(feature.alone >= least and feature.lead_on_next >= lead for least, lead in _FAR_AHEAD)
    return leads or feature.settles or stands_alone


def _needs_review(facts: Facts, feature: SingleFeature) -> bool:
    if feature.alone >= facts.limit("T2.1", "fail"):
        return True
    lead = 0.0 if feature.others is None else feature.alone - feature.others
    return feature.alone >= facts.limit("T2.1", "review") and lead >= facts.limit("T2.1", "review_margin")


def _strength(feature: SingleFeature, target: str) -> str:
    rest = "" if feature.others is None else f", all others together {feature.others:.3f}"
    twin = f"; its values are those of {target} under other names" if feature.is_twin else ""
    return f"{feature.name}: {feature.alone:.3f} alone{rest}{twin}"
