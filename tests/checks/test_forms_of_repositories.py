"""Forms of code, configuration and tasks that public repositories have: path -> content -> outcome of one check."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlestar.core.evidence import Outcome
from support.trees import Files, commit, git, judge, outcome_of, write_tree

PASS, PARTIAL, FAIL, UNKNOWN = Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.UNKNOWN
WORKFLOW = "on: [push]\njobs:\n  a:\n    steps:\n    - "
TOX = '[tool.tox.env_run_base]\ncommands = [["pytest", "-v", {replace = "posargs", default = [], extend = true}]]\n'
NOX = "import nox\n@nox.session\ndef tests(session):\n    session.run('pytest', *session.posargs)\n"
TESTS = "def test_a():\n    assert run() == 1\n"
FIXTURE = "import pytest\n@pytest.fixture\ndef tests_path():\n    return here()\n"
HATCH = "[tool.hatch.envs.tests.scripts]\nunit = 'sh scripts/unit.sh'\n"
HELM = "dependencies:\n- name: kafka\n  repository: file://charts\n  version: 1.0.0\ndigest: sha256:a\n"
HF_SETUP = (
    "from setuptools import setup\n_deps = ['torch==2.8.0', 'hydra-core==1.3.2']\nsetup(install_requires=_deps)\n"
)
MLPROJECT = "name: tutorial\ndependencies:\n- numpy=2.1.0\n- scikit-learn=1.7.0\n"
REPEATS = "# A\n\n| model | accuracy |\n|---|---|\n| a | 0.91 |\n\n```\npython train.py\n```\n"
SERVE = "from fastapi import FastAPI\napp = FastAPI()\n"
SHAPES = (
    '"""FastAPI compatibility."""\nfrom fastapi import Depends, UploadFile\n'
    "def rows(file: UploadFile):\n    return file.file.read()\n"
)
ASKS = "import bentoml\nwith bentoml.SyncHTTPClient('http://a') as client:\n    client.predict(x=1)\n"
ROUTES = "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/a')\ndef a():\n    return 1\n"
PODS = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec:\n  replicas: 3\n  template:\n    spec:\n"
MODEL = PODS.replace("NAME", "model") + "      containers:\n      - {name: a, image: a/model:1.2}\n"
LOAD = PODS.replace("NAME", "clients").replace("3", "1") + "      containers:\n      - {name: a, command: [locust]}\n"
COMPOSE = "services:\n  api:\n    build: .\n    ports: ['80:80']\n"
PAGES = "services:\n  serve:\n    build: .\n    command: [mkdocs, serve]\n    ports: ['8000:8000']\n"
ONCE = "services:\n  format:\n    build: .\n    command: [black, .]\n"
PROFILED = "model.fit(x, y)\ntrain = torch.profiler.profile(schedule=torch.profiler.schedule(wait=2))\n"
TIMED = "from prefect import flow\n@flow(schedule='0 3 * * *')\ndef train():\n    model.fit(x, y)\n"
DRIFTED = "def compute_drift(a, b):\n    return abs(a - b) > 0.1\n"
FITS = "def run():\n    model.fit(x, y)\n"
TRAINS = "import train\ndef test_it():\n    assert train.run() is None\n"
REPLACED = (
    "import train\ndef test_it(monkeypatch):\n    monkeypatch.setattr(train, 'fit', len)\n    assert train.run()\n"
)
IN_CI: Files = {".github/workflows/a.yml": WORKFLOW + "run: pytest tests/unit -q\n", "train.py": FITS}
ASSETS = "import dagster as dg\n@dg.asset\ndef scored():\n    return dg.MaterializeResult()\n"
IN_A_DICTIONARY = """\
def load(df):
    train_df, test_df = train_test_split(df)
    return {"train": train_df, "test": test_df}
def train(df):
    data = load(df)
    rows = data['train'].drop('y', axis=1)
    scaler = StandardScaler().fit(rows)
    return scaler.transform(data["test"])
"""
WRONG_SIDE = IN_A_DICTIONARY.replace("data['train']", "data['test']")
FILLED = "a, b = train_test_split(x)\na = a.fillna(a.mode())\nb = b.fillna(a.mode())\n"
LAGGED = "y = df['co2']\ndf['lag'] = df.groupby('c')['co2'].shift(1)\na, b = train_test_split(df)\n"
THREE_SIDES = (
    "splitter = Splitter()\nx_train, x_val, x_test, y_train, y_val, y_test = splitter.split(x, y)\n"
    "scaler = StandardScaler()\nscaler.fit(x_train)\n"
)
HELD_OUT = (
    "import pandas as pd\n"
    "def split(train_data):\n    x = pd.read_parquet(train_data)\n    x = StandardScaler().fit_transform(x)\n"
    "    x_train, x_test = train_test_split(x)\n    return x_train, x_test\n"
)
SCALED = "data = load()\ndata = StandardScaler().fit_transform(data)\nrows = data['train']\nheld = data['test']\n"

CASES: dict[str, tuple[str, Files, Outcome]] = {
    "tox with what it puts in later": (
        "X5.3",
        {".github/workflows/a.yml": WORKFLOW + "run: uv run --locked tox run\n", "pyproject.toml": TOX},
        PASS,
    ),
    "a script of hatch": (
        "X5.3",
        {".github/workflows/a.yml": WORKFLOW + "run: hatch run tests.py${{ matrix.python || '3.11' }}:unit\n",
         "pyproject.toml": HATCH, "scripts/unit.sh": "pytest tests\n"},
        PASS,
    ),
    "a nox session": (
        "X5.3",
        {".github/workflows/a.yml": WORKFLOW + "run: nox -s tests\n", "noxfile.py": NOX, "tests/test_a.py": TESTS},
        PASS,
    ),
    "a run that finds no test": (
        "X5.3",
        {".github/workflows/a.yml": WORKFLOW + "run: pytest\n", "a.py": "x = 1\n"},
        PARTIAL,
    ),
    "a run that finds tests": (
        "X5.3",
        {".github/workflows/a.yml": WORKFLOW + "run: pytest\n", "a.py": "x = 1\n", "tests/test_a.py": TESTS},
        PASS,
    ),
    "fixtures are no tests": ("X5.1", {"a.py": "x = 1\n", "tests/conftest.py": FIXTURE}, FAIL),
    "a script below the job's working folder": (
        "X5.3",
        {
            ".github/workflows/a.yml": WORKFLOW + "run: bash scripts/test.sh\n      working-directory: backend\n",
            "backend/scripts/test.sh": "coverage run -m pytest tests/\n",
        },
        PASS,
    ),
    "the check of an R package": (
        "X5.3",
        {".github/workflows/a.yml": WORKFLOW + "uses: r-lib/actions/check-r-package@v2\n"},
        PASS,
    ),
    "an action that checks nothing": ("X5.3", {".github/workflows/a.yml": WORKFLOW + "uses: r-lib/a@v2\n"}, PARTIAL),
    "tests of a Julia package": (
        "X5.3",
        {".github/workflows/a.yml": WORKFLOW + "run: julia --project -e 'using Pkg; Pkg.test()'\n"},
        PASS,
    ),
    "tests in R": ("X5.1", {"a.py": "x = 1\n", "tests/testthat/test-a.R": "test_that('a', {})\n"}, UNKNOWN),
    "no tests at all": ("X5.1", {"a.py": "x = 1\n", "R/a.R": "f <- 1\n"}, FAIL),
    "notebooks beside a package in Julia": (
        "X5.4",
        {"src/A.jl": "f(x) = x\n" * 9, "a.ipynb": '{"cells": [{"cell_type": "code", "source": ["x = 1"]}]}',
         "LICENSE": "MIT License\n"},
        PASS,
    ),
    "a script that is called run": ("X1.4", {"run.py": "def f():\n    return 1\n"}, FAIL),
    "names of imports and of their distributions": (
        "X4.1",
        {"a.py": "import hydra, ruamel.yaml, box, torch, imblearn\n",
         "requirements.txt": "hydra-core==1\nruamel.yaml==0.18\npython-box==7\npytorch-cpu==2.8\nimblearn==0.0\n"},
        PASS,
    ),
    "requirements in a list with a name of its own": ("X4.1", {"a.py": "import torch\n", "setup.py": HF_SETUP}, PASS),
    "the lock file of a Helm chart": ("X4.1", {"a.py": "import numpy\n", "charts/requirements.lock": HELM}, FAIL),
    "five items with the environment of MLproject": (
        "X1.1",
        {"conda.yaml": MLPROJECT, "train.py": "learn.fine_tune(3)\n", "a.onnx": b"a", "README.md": REPEATS,
         "evaluate.py": "from sklearn.metrics import f1_score\n"},
        PASS,
    ),
    "an R package without a model": (
        "X1.1",
        {"DESCRIPTION": "Package: a\n", "R/fit.R": "m <- glm(y ~ x)\n", "README.md": REPEATS},
        PARTIAL,
    ),
    "types of a web library alone": ("R1.1", {"typing/fastapi.py": SHAPES}, UNKNOWN),
    "a client of a service": ("R1.1", {"client.py": ASKS}, UNKNOWN),
    "routes without an application": ("R1.1", {"api.py": ROUTES}, FAIL),
    "Compose beside Kubernetes": ("R2.1", {"k.yaml": MODEL, "docker-compose.yml": COMPOSE, "a.py": SERVE}, PASS),
    "a load generator beside the model": ("R2.1", {"k.yaml": MODEL, "load.yaml": LOAD}, PASS),
    "pages of documentation": ("R2.1", {"docker-compose.yml": PAGES}, UNKNOWN),
    "a task that Compose runs once": ("R2.1", {"docker-compose.yml": ONCE}, UNKNOWN),
    "a demonstration": ("R2.1", {"docker-compose.demo.yml": COMPOSE}, UNKNOWN),
    "a service that was put away": ("R2.1", {"archive/old/docker-compose.yml": COMPOSE}, UNKNOWN),
    "the schedule of a profiler": ("T5.3", {"train.py": PROFILED}, FAIL),
    "the schedule of a flow": ("T5.3", {"train.py": TIMED}, PARTIAL),
    "connection profiles of dbt": ("R5.1", {"dbt/profiles.yml": "a:\n  target: dev\n"}, UNKNOWN),
    "the settings of a baseline": ("R5.1", {"config/classical_baseline.yaml": "depth: 3\n"}, UNKNOWN),
    "the store of a tracker": ("X4.3", {"mlflow.db": b"a", "logs/eval/qa.jsonl": '{"a": 1}\n'}, UNKNOWN),
    "a table": ("X4.3", {"wine.csv": "a\n1\n"}, FAIL),
    "a record of load": ("R5.1", {"raw/idle_baseline_requests_c0.csv": "a\n1\n"}, UNKNOWN),
    "the settings of a profiler": ("R5.1", {"configs/debug/profiler.yaml": "depth: 3\n"}, UNKNOWN),
    "a profile of the training data": ("R5.1", {"models/data_profile.json": '{"age": 1}'}, PARTIAL),
    "the drift of a forecast": ("R5.2", {"forecasting/theta.py": DRIFTED, "app.py": SERVE}, FAIL),
    "the drift of data": ("R5.2", {"checks.py": DRIFTED, "app.py": SERVE}, PARTIAL),
    "two models are not two versions": ("R4.1", {"week_01/gan/d.onnx": b"a", "week_02/ae/e.onnx": b"b"}, FAIL),
    "homework of two years": (
        "R4.1",
        {"2022/04/homework/a/m.onnx": b"a", "2023/04/homework/a/m.onnx": b"b"},
        FAIL,
    ),
    "two versions of one model": ("R4.1", {"models/v1/m.onnx": b"a", "models/v2/m.onnx": b"b"}, PASS),
    "models of dbt": ("R4.1", {"dbt/marts__models.yml": "models:\n- name: a\n- name: b\n"}, UNKNOWN),
    "a registered model is no run": ("T5.4", {"mlruns/models/m/tags/algorithm": "forest"}, UNKNOWN),
    "tests in CI where nothing trains": (
        "T5.2",
        {".github/workflows/a.yml": WORKFLOW + "run: pytest\n", "a.py": "x = 1\n"},
        UNKNOWN,
    ),
    "sides of a split in a dictionary": ("T2.3", {"train.py": IN_A_DICTIONARY}, PASS),
    "the wrong side of a dictionary": ("T2.3", {"train.py": WRONG_SIDE}, PARTIAL),
    "a data set scaled before its sides are taken": ("T2.3", {"train.py": SCALED}, PARTIAL),
    "a gap of the test rows filled from the training rows": ("T2.3", {"train.py": FILLED}, PASS),
    "a gap of the test rows filled from themselves": (
        "T2.3",
        {"train.py": FILLED.replace("b.fillna(a", "b.fillna(b")},
        PARTIAL,
    ),
    "the target of an earlier row": ("T2.3", {"train.py": LAGGED}, PASS),
    "the target's mean by group": ("T2.3", {"train.py": LAGGED.replace("shift(1)", "transform('mean')")}, FAIL),
    "a splitter with three sides": ("T2.3", {"train.py": THREE_SIDES}, PASS),
    "a scaler on the third side": ("T2.3", {"train.py": THREE_SIDES.replace("fit(x_train", "fit(x_val")}, PARTIAL),
    "test rows out of what is called training data": ("T2.3", {"a.py": HELD_OUT}, PARTIAL),
    "a validation fold of the training data": ("T2.3", {"a.py": HELD_OUT.replace("x_test", "x_val")}, PASS),
    "assets of Dagster under a short name": ("T5.1", {"assets.py": ASSETS, "train.py": FITS}, PASS),
    "seconds of staleness": ("T5.3", {"train.py": FITS, "a.md": "selisih staleness ~68 detik\n"}, FAIL),
    "days of staleness": ("T5.3", {"train.py": FITS, "a.md": "maximum model age: 68 days\n"}, PARTIAL),
    "a test that CI does not collect": ("T5.2", {**IN_CI, "scripts/test_train.py": TRAINS}, PARTIAL),
    "a test that CI collects": ("T5.2", {**IN_CI, "tests/unit/test_train.py": TRAINS}, PASS),
    "a test that replaces the training": ("T5.2", {**IN_CI, "tests/unit/test_train.py": REPLACED}, PARTIAL),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_form_gets_its_verdict(name: str, tmp_path: Path) -> None:
    check_id, files, expected = CASES[name]
    verdict = outcome_of(check_id, tmp_path, files)
    assert verdict.outcome is expected, verdict.observed


@pytest.mark.parametrize(
    ("tags", "expected"), [(["churn@v1.0", "churn@v1.1"], PASS), (["churn@v1.0", "price@v1.0"], FAIL)]
)
def test_versions_that_tags_register_are_those_of_one_model(tmp_path: Path, tags: list[str], expected: Outcome) -> None:
    write_tree(tmp_path, {"models/churn.onnx": b"a"})
    for number, tag in enumerate(tags):
        commit(tmp_path, date=f"2026-06-0{number + 1}T12:00:00+00:00")
        git(tmp_path, "tag", tag)
    assert judge("R4.1", tmp_path)[0].outcome is expected
