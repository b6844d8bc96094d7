"""The static checks of the dimension Training, over small folders: path -> content -> outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mlestar.core.evidence import Level, Outcome
from mlestar.core.facts.data import DataFacts, Table
from mlestar.core.facts.run import Estimate, RunFacts
from support.trees import commit, judge, outcome_of, write_tree

PASS, PARTIAL, FAIL, UNKNOWN = Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.UNKNOWN
FEATURES = "def build(df):\n    return df.fillna(0)\n"
TRAIN = "from src.features import build\nmodel.fit(build(df), y)\n"
SERVE = "from fastapi import FastAPI\n"
TEST = "from src.features import build\ndef test_build():\n    assert build(x) is not None\n"
COVERED = (
    "<coverage><packages><package><classes><class "
    'filename="src/features.py"><lines>{}</lines></class></classes></package></packages></coverage>'
)
OPTUNA = """
import optuna
def objective(trial):
    c = trial.suggest_float("c", 0.1, 10)
    return cross_val_score(Model(c), {data}).mean()
study = optuna.create_study(direction="maximize")
study.optimize(objective, n_trials={trials})
"""
LOOP = """
best = 0
for c in [0.1, 1, 10]:
    model = Model(c).fit(X_train, y_train)
    score = model.score(X_{side}, y_{side})
    if score > best:
        best = score
"""
DVC = (
    "stages:\n  prep:\n    cmd: python src/prep.py\n    outs: [d.csv]\n  train:\n "
    "   cmd: python src/train.py\n    deps: [d.csv]\n"
)
CIRCLE = (
    "stages:\n  a:\n    cmd: python src/prep.py\n    deps: [y]\n    outs: [x]\n  b:\n "
    "   cmd: python src/train.py\n    deps: [x]\n    outs: [y]\n"
)
FITS: dict[str, str | bytes] = {"src/train.py": "model.fit(X, y)\n"}
CI = "on: [push]\njobs:\n  t:\n    steps:\n"


def mlflow(number: int, algorithm: str, depth: int, *, linked: bool = True) -> dict[str, str | bytes]:
    run = f"mlruns/1/{number:032x}"
    files: dict[str, str | bytes] = {
        f"{run}/params/algorithm": algorithm,
        f"{run}/params/max_depth": str(depth),
        f"{run}/params/learning_rate": str(0.1 * number),
        f"{run}/params/n_estimators": str(100 * number),
        f"{run}/metrics/auc": f"1700000000000 0.8{number} 0\n",
    }
    if linked:
        files |= {f"{run}/tags/mlflow.source.git.commit": "a" * 40, f"{run}/tags/data_sha256": "b" * 64}
    return files


CASES: dict[str, tuple[str, dict[str, str | bytes], Outcome]] = {
    "T1.1 called, holding is unknown": (
        "T1.1",
        {"s.py": "import pandera as pa\nS = pa.DataFrameSchema({})\nS.validate(df)\n"},
        PARTIAL,
    ),
    "T1.1 none beside data": ("T1.1", {"a.py": "", "d.csv": "a\n1\n"}, FAIL),
    "T2.2 tested": ("T2.2", {"src/features.py": FEATURES, "tests/test_f.py": TEST}, PASS),
    "T2.2 untested": ("T2.2", {"src/features.py": FEATURES, "tests/test_f.py": "def test_a(): ...\n"}, FAIL),
    "T2.2 imported, hardly covered": (
        "T2.2",
        {
            "src/features.py": FEATURES,
            "tests/test_f.py": TEST,
            "coverage.xml": COVERED.format("".join(f'<line number="{n}" hits="{int(n < 2)}"/>' for n in range(10))),
        },
        FAIL,
    ),
    "T2.5 one module for both": (
        "T2.5",
        {"src/features.py": FEATURES, "src/train.py": TRAIN, "src/app.py": SERVE + "from src.features import build\n"},
        PASS,
    ),
    "T2.5 one saved pipeline": (
        "T2.5",
        {
            "train.py": "import joblib\np = make_pipeline(S(), M())\np.fit(X, y)\njoblib.dump(p, 'm')\n",
            "app.py": SERVE + "import joblib\nmodel = joblib.load('m')\n",
        },
        PASS,
    ),
    "T2.5 written twice": (
        "T2.5",
        {"src/features.py": FEATURES, "src/train.py": TRAIN, "app.py": SERVE + "x = pd.get_dummies(x)\n"},
        PARTIAL,
    ),
    "T2.5 nothing shared": (
        "T2.5",
        {"src/features.py": FEATURES, "src/train.py": TRAIN, "app.py": SERVE + "def f(x):\n    return m.predict(x)\n"},
        FAIL,
    ),
    "T3.3 three algorithms tracked": (
        "T3.3",
        {**mlflow(1, "lgbm", 3), **mlflow(2, "logistic", 5), **mlflow(3, "forest", 7), "model.onnx": b"a",
         "README.md": "LightGBM was chosen because it was best on all five folds.\n"},
        PASS,
    ),
    "T3.3 one": ("T3.3", mlflow(1, "lgbm", 3), PARTIAL),
    ("T4.1 tracked and "
"searched"): ("T4.1", {**mlflow(1, "a", 3), "tune.py": OPTUNA.format(data="X_train", trials=80)}, PASS),
    "T4.1 nothing": ("T4.1", {"a.py": ""}, UNKNOWN),
    "T4.2 eighty trials on training rows": ("T4.2", {"t.py": OPTUNA.format(data="X_train", trials=80)}, PASS),
    "T4.2 twenty": ("T4.2", {"t.py": OPTUNA.format(data="X_train", trials=20)}, PARTIAL),
    "T4.2 three": ("T4.2", {"t.py": OPTUNA.format(data="X_train", trials=3)}, FAIL),
    "T4.2 the objective sees test rows": ("T4.2", {"t.py": OPTUNA.format(data="X_test", trials=80)}, FAIL),
    "T4.2 a loop keeps the best on test": ("T4.2", {"t.py": LOOP.format(side="test")}, FAIL),
    "T4.2 a loop keeps the best on validation": ("T4.2", {"t.py": LOOP.format(side="val")}, UNKNOWN),
    "T4.2 a grid": ("T4.2", {"t.py": "g = GridSearchCV(m, {'c': [1, 2]}, scoring='f1')\ng.fit(X_train, y)\n"}, PASS),
    "T4.3 three varied": ("T4.3", {**mlflow(1, "a", 3), **mlflow(2, "a", 5)}, PASS),
    "T4.3 one run": ("T4.3", mlflow(1, "a", 3), FAIL),
    "T5.1 dvc": ("T5.1", {"dvc.yaml": DVC, "src/prep.py": "", **FITS}, PASS),
    "T5.1 a script is gone": ("T5.1", {"dvc.yaml": DVC, **FITS}, PARTIAL),
    "T5.1 a circle": ("T5.1", {"dvc.yaml": CIRCLE, "src/prep.py": "", **FITS}, FAIL),
    "T5.1 make": ("T5.1", {"Makefile": "train:\n\tpython src/train.py\n", **FITS}, PASS),
    "T5.1 a notebook's order": (
        "T5.1",
        {"n.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "model.fit(X, y)"}]})},
        FAIL,
    ),
    "T5.2 both": ("T5.2", {**FITS, ".github/workflows/c.yml": CI + ("    - run: pytest\n    - run: python "
"src/train.py --sample\n")}, PASS),
    "T5.2 both through make": (
        "T5.2",
        {**FITS, "Makefile": ("ci: train\n\tpytest\ntrain:\n\tpython "
"-m src.train\n"), ".github/workflows/c.yml": CI + "    - run: make ci\n"},
        PASS,
    ),
    "T5.2 a test that trains": (
        "T5.2",
        {
            "src/train.py": "def train(df):\n    model.fit(df)\n",
            "tests/test_t.py": "from src.train import train\ndef test_smoke():\n    train(sample)\n",
            ".github/workflows/c.yml": CI + "    - run: pytest\n",
        },
        PASS,
    ),
    "T5.2 tests only": ("T5.2", {**FITS, ".github/workflows/c.yml": CI + "    - run: pytest\n"}, PARTIAL),
    "T5.2 no CI": ("T5.2", FITS, FAIL),
    "T5.3 nothing": ("T5.3", FITS, FAIL),
    "T5.4 all linked": ("T5.4", mlflow(1, "a", 3), PASS),
    "T5.4 no commit, no data": ("T5.4", mlflow(1, "a", 3, linked=False), PARTIAL),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_folder_gets_its_verdict(name: str, tmp_path: Path) -> None:
    check_id, files, expected = CASES[name]
    verdict = outcome_of(check_id, tmp_path, files)
    assert verdict.outcome is expected, verdict.observed


def test_a_choice_by_test_rows_is_located_at_its_line(tmp_path: Path) -> None:
    verdict = outcome_of("T4.2", tmp_path, {"tune.py": LOOP.format(side="test")})
    assert str(verdict.where) == "tune.py:5"


@pytest.mark.parametrize(("head", "expected"), [("2026-06-10", PASS), ("2027-06-10", PARTIAL)])
def test_a_model_ages_with_head_not_with_the_clock(tmp_path: Path, head: str, expected: Outcome) -> None:
    schedule = "on:\n  schedule:\n  - cron: '0 3 * * 1'\njobs:\n  t:\n    steps:\n    - run: python src/train.py\n"
    files: dict[str, str | bytes] = {**FITS, "model.onnx": b"a", "config.yaml": "max_model_age_days: 30\n"}
    commit(write_tree(tmp_path, {**files, ".github/workflows/t.yml": schedule}), date="2026-06-01T00:00:00+00:00")
    commit(write_tree(tmp_path, {"notes.md": "later\n"}), date=f"{head}T00:00:00+00:00")
    assert judge("T5.3", tmp_path)[0].outcome is expected


def table(name: str, frame: pd.DataFrame) -> Table:
    return Table(path=name, frame=frame, sha256="", n_rows=len(frame))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, PARTIAL),
        ({"a": ["x", "y"] * 20}, FAIL),
        ({"a": [None] * 20 + [1.0] * 20}, FAIL),
        ({"c": ["new"] * 40}, FAIL),
        ({"a": [1000.0] * 40}, FAIL),
    ],
    ids=["the same", "another type", "now missing", "unseen values", "far outside"],
)
def test_an_inferred_schema_is_held_against_the_test_rows(
    tmp_path: Path, change: dict[str, list[object]], expected: Outcome
) -> None:
    values = {"a": [float(n) for n in range(40)], "c": ["u", "v"] * 20}
    data = DataFacts(
        train=table("train.csv", pd.DataFrame(values)), test=table("test.csv", pd.DataFrame(values | change))
    )
    (verdict,) = judge("T1.1", write_tree(tmp_path, {"a.py": ""}), data=data)
    assert (verdict.outcome, verdict.level) == (expected, Level.MEASURED)


FULL = RunFacts(
    run_id="r1", name="demo", algorithm="lightgbm", params={"max_depth": 3}, single_pipeline=True,
    fitted_on_train_only=True, schema_holds=True, metrics={"auc": Estimate(value=0.9, low=0.8, high=1.0, n=100)},
    alternatives={"lightgbm": 0.9, "linear": 0.8, "extra_trees": 0.85},
    tuning={"method": "tpe", "trials": 64, "metric": "auc", "space": {"a": [0, 1]}, "uses_test": False,
            "sensitivity": {"a": 0.1, "b": 0.2, "c": 0.3}},
    model_sha256="a", data_sha256="b", code_commit="c", prediction_sha256="d", repeat_sha256="d",
)  # fmt: skip


@pytest.mark.parametrize("check_id", ["T1.1", "T2.3", "T2.5", "T3.3", "T4.1", "T4.2", "T4.3", "T5.4", "X4.4"])
def test_a_complete_run_passes_as_measured(tmp_path: Path, check_id: str) -> None:
    verdict = judge(check_id, tmp_path, run=FULL)[0]
    assert (verdict.outcome, verdict.level) == (PASS, Level.MEASURED)
    assert verdict.where.path == "run://r1"
