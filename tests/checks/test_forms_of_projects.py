"""Forms that public projects have, each once misjudged: path -> content -> outcome of one check."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mlestar.core.claims.arithmetic import check_numbers
from mlestar.core.code.imports import import_targets, imports
from mlestar.core.evidence import Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.score.profiles import profile_of
from mlestar.evidence.project import read_project
from support.trees import Files, commit, git, judge, outcome_of, write_tree

PASS, PARTIAL, FAIL, UNKNOWN = Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.UNKNOWN
SERVE = "from fastapi import FastAPI\napp = FastAPI()\n"
AZURE = "trigger: [main]\nstages:\n- stage: a\n  jobs:\n  - job: b\n    steps:\n    - script: pytest tests\n"
TRACKING = "services:\n  mlflow:\n    image: ghcr.io/mlflow/mlflow:v3\n    command: mlflow server --port 5000\n"
NOTEBOOKS = "services:\n  course:\n    build: .\n    image: a/course:latest\n    command: jupyter lab --port=8888\n"
API = "services:\n  api:\n    build: .\n"
FIXED = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: m}\nspec:\n  template:\n    spec:\n      containers:\n"
NOTEBOOK_SERVER = (
    '{"cells": [{"cell_type": "code", "source": ["from flask import Flask\\n", "app = Flask(__name__)\\n"]}]}'
)
TREE = """# P

```
├── data            <- kept by DVC
│   ├── raw.xml
│   └── prepared
│       └── test.tsv
└── train.py
```
"""
DVC = "stages:\n  prepare:\n    cmd: python train.py\n    outs: [data/prepared]\n"
DUMPS = "import pickle\ndef save(path, model):\n    pickle.dump(model, open(path, 'wb'))\n"
SHAPES = (
    "from utils import save\ndef shape(rows):\n    p = Pipeline([('a', S())])\n    save('p.pkl', p)\n    return p\n"
)
LOADS = "import pickle\ndef answer(x):\n    return pickle.load(open('p.pkl', 'rb')).predict(x)\n"
LEASES = "def _check_time_drift(app, db):\n    if abs(app - db) > 1000.0:\n        raise RuntimeError('apart')\n"
EXPECTS = "def test_rows(df):\n    df.expect_column_values_to_not_be_null(column='tag')\n"
AZURE_ML = (
    "from azureml.pipeline.core import Pipeline\nfrom azureml.pipeline.steps import PythonScriptStep\n"
    "step = PythonScriptStep(name='a')\nPipeline(steps=[step])\nmodel.fit(x, y)\n"
)
SETUP = "from setuptools import setup\ninstall_requires = ['numpy==2.1.0']\nsetup(install_requires=install_requires)\n"
SETUP_CFG = "[options]\ninstall_requires =\n    numpy==2.1.0\n"
EXTRAS = (
    '[project]\nname = "a"\ndependencies = []\n[project.optional-dependencies]\nn = ["numpy==2.1.0"]\nd = ["x>1"]\n'
)
KEY = '"key": "-----BEGIN PRIVATE KEY-----\\nMIIEogIBAAKCAQEAjj1EQOX7o14lnDRJAyFZeXGNLywPuyfvdDt6tI2v0cTgoOH"}'
PLUGIN = "from airflow.plugins_manager import AirflowPlugin\nfrom flask import Blueprint\n"
OF_OTHERS = "- [DVC](https://dvc.org/): data versioning.\n- [Monitoring](#monitoring)\n"

CASES: dict[str, tuple[str, Files, Outcome]] = {
    "pipelines of Azure in their own folder": ("X5.3", {".pipelines/ci.yml": AZURE, "a.py": ""}, PASS),
    "a tracking server is no service": ("R2.1", {"compose.yaml": TRACKING}, UNKNOWN),
    "notebooks in a container are no service": ("R3.4", {"docker/docker-compose.yml": NOTEBOOKS}, UNKNOWN),
    "a developer's override": ("R2.1", {"docker-compose.override.yml": API}, UNKNOWN),
    "containers of an integration test": ("R2.1", {"integration_tests/docker-compose.yml": API}, UNKNOWN),
    "a scheduler in an image of its own": (
        "R3.4",
        {"compose.yaml": "services:\n  airflow-web:\n    build: .\n"},
        UNKNOWN,
    ),
    "a key of an account that is made up": ("X3.1", {"dev.json": '{"project": "dummy-project", ' + KEY}, PARTIAL),
    "a key of an account": ("X3.1", {"dev.json": '{"project": "scoring", ' + KEY}, FAIL),
    "the rate of an airflow": (
        "X1.3",
        {"README.md": "# Airflow Rate\n\nThe airflow rate follows from `train.py`.\n", "train.py": "x()\n"},
        PASS,
    ),
    "files of an example": (
        "X1.3",
        {"README.md": "Say `dag_a.py` and `dag_b.py`; see `train.py`.\n", "train.py": "x()\n"},
        PASS,
    ),
    "an API beside a tracking server": ("R2.1", {"compose.yaml": TRACKING + "  api:\n    build: .\n"}, FAIL),
    "an image whose tag is filled in later": (
        "R4.2",
        {"k.yaml": FIXED + "        - {name: a, image: 'r/m:${TAG}'}\n"},
        PASS,
    ),
    "a model among the fixtures": ("R4.1", {"tests/data/m.onnx": b"a", "app.py": SERVE}, UNKNOWN),
    "data among the fixtures": ("X4.3", {"tests/data/a.csv": "a\n1\n"}, UNKNOWN),
    "a schema of fixtures alone": ("T1.1", {"a.py": "x = 1\n", "tests/a.csv": "a\n1\n"}, UNKNOWN),
    "expectations in tests": ("T1.1", {"a.py": "x = 1\n", "d.csv": "a\n1\n", "tests/data/test_d.py": EXPECTS}, PARTIAL),
    "a pipeline of Azure ML": ("T5.1", {"pipeline.py": AZURE_ML}, PASS),
    "a pipeline saved through a helper": (
        "T2.5",
        {"utils.py": DUMPS, "transformation.py": SHAPES, "train.py": "m.fit(x, y)\n", "app.py": SERVE + LOADS},
        PASS,
    ),
    "generated code is nobody's": (
        "X1.4",
        {"a_pb2_grpc.py": "def f():\n    return 1\n", "a.py": 'def g():\n    """G."""\n'},
        PASS,
    ),
    "stubs are no feature code": ("T2.2", {"features.pyi": "def build(): ...\n", "a.py": "x = 1\n"}, UNKNOWN),
    "the template of another project": (
        "T2.2",
        {"{{ cookiecutter.repo }}/features.py": "def build(df):\n    return df.fillna(0)\n", "a.py": "x = 1\n"},
        UNKNOWN,
    ),
    "clocks that drift": ("R5.4", {"lock.py": LEASES}, UNKNOWN),
    "requirements of setup.py": ("X4.1", {"a.py": "import numpy\n", "setup.py": SETUP}, PASS),
    "requirements of setup.cfg": ("X4.1", {"a.py": "import numpy\n", "setup.cfg": SETUP_CFG}, PASS),
    "an extra that the code imports": ("X4.1", {"a.py": "import numpy\n", "pyproject.toml": EXTRAS}, PASS),
    "outputs of DVC in the drawn tree": (
        "X1.3",
        {"README.md": TREE, "dvc.yaml": DVC, "train.py": "x()\n", "data/.gitignore": "/raw.xml\n"},
        PASS,
    ),
    "a file of the drawn tree that is not there": ("X1.3", {"README.md": TREE, "train.py": "x()\n"}, FAIL),
    "what a README says of others": (
        "X1.3",
        {"README.md": f"Run `train.py`.\n\n{OF_OTHERS}", "train.py": "x()\n"},
        PASS,
    ),
    "the name of a tool that ends in .py": (
        "X1.3",
        {"README.md": "Uses `coverage.py` and `train.py`.\n", "train.py": "x()\n"},
        PASS,
    ),
    "an error section without categories": (
        "A2.3",
        {"README.md": "# Error analysis\n\nSee the wiki.\n\n# Error analysis of old\n"},
        UNKNOWN,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_form_gets_its_verdict(name: str, tmp_path: Path) -> None:
    check_id, files, expected = CASES[name]
    verdict = outcome_of(check_id, tmp_path, files)
    assert verdict.outcome is expected, verdict.observed


def test_a_web_library_in_a_notebook_serves_nobody(tmp_path: Path) -> None:
    write_tree(tmp_path, {"19_deploying.ipynb": NOTEBOOK_SERVER})
    assert profile_of(Facts(project=read_project(tmp_path))).serving == ""
    write_tree(tmp_path, {"app.py": SERVE})
    assert profile_of(Facts(project=read_project(tmp_path))).serving == "online"


def test_a_page_that_a_plugin_adds_to_the_scheduler_is_no_service(tmp_path: Path) -> None:
    write_tree(tmp_path, {"plugins/version.py": PLUGIN, "dags/d.py": "from airflow import DAG\nwith DAG('a'): ...\n"})
    assert profile_of(Facts(project=read_project(tmp_path))).serving == "batch"


SERVICE = "GitHub <noreply@github.com>"


def squash(root: Path, number: int) -> None:
    """A commit as the hosting service makes it of a pull request: the author's, committed by the service."""
    git(root, "-c", "user.name=GitHub", "-c", "user.email=noreply@github.com", "commit", "-q", "--allow-empty", "-m",
        f"Change (#{number})", author=SERVICE)  # fmt: skip
    git(root, "commit", "-q", "--amend", "--no-edit", "--allow-empty", "--author", "Ada <ada@x.org>", author=SERVICE)


@pytest.mark.parametrize(("pushed", "expected"), [(0, Outcome.INCONCLUSIVE), (2, FAIL)])
def test_who_approved_a_squashed_pull_request_is_not_in_git(tmp_path: Path, pushed: int, expected: Outcome) -> None:
    for _ in range(max(1, pushed)):
        commit(tmp_path, "Pushed")
    for number in range(6):
        squash(tmp_path, number)
    verdict = judge("X2.1", tmp_path)[0]
    assert verdict.outcome is expected, verdict.observed
    assert ("6 more squashed" in verdict.observed) is (expected is FAIL)


def test_one_commit_tells_nothing_of_the_maintainers(tmp_path: Path) -> None:
    commit(tmp_path, "Import")
    assert judge("X2.3", tmp_path)[0].outcome is Outcome.INCONCLUSIVE


STATED = {"accuracy": 0.84, "precision": 0.22, "recall": 0.42}
LOW = {"tp": 552, "fp": 6344, "fn": 0, "tn": 104}
HIGH = {"tp": 232, "fp": 801, "fn": 320, "tn": 5647}


def test_counts_of_many_thresholds_are_not_held_against_the_headline() -> None:
    assert check_numbers({**STATED, "thresholds": {"0.05": LOW, "0.63": HIGH}}).contradictions == ()
    assert check_numbers({**STATED, "confusion": HIGH}).contradictions == ()
    assert "the counts give accuracy" in " ".join(check_numbers({**STATED, "confusion": LOW}).contradictions)


SOURCE = '''\
"""Says: from nowhere import nothing."""
import os, json as j
from a.b import (c as d,  # why
    e)
from . import f
from ..g import h, \\
    i
if True:
    import k.l
'''


def test_import_targets_are_those_of_the_syntax_tree() -> None:
    parsed = {name for name in imports(ast.walk(ast.parse(SOURCE))).values() if name != "k"}
    assert import_targets(SOURCE) == parsed | {"k.l"}
