"""What can never run is no evidence: dead branches, scripts that call nothing, days that never come."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mlestar.core.evidence import Outcome
from mlestar.core.facts.source import SourceModule, parsed
from mlestar.core.project.ci import ever_fires
from support.trees import outcome_of

SPLIT = "from sklearn.model_selection import train_test_split\n"
WORKFLOW = "on: [push]\njobs:\n  t:\n    steps:\n      - run: pytest\n      - run: python train.py\n"
TRAIN = "from sklearn.linear_model import Ridge\n\n\ndef train():\n    Ridge().fit([[1]], [1])\n"
TESTS = {"tests/test_a.py": "def test_a(x):\n    assert x\n"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("if False:\n    a()\n", "pass"),
        ("if 0:\n    a()\nelse:\n    b()\n", "b()"),
        ("def f():\n    while False:\n        a()\n", "def f():\n    pass"),
        ("if False:\n    a()\nelif None:\n    b()\nelse:\n    c()\n", "c()"),
        ("for i in x:\n    b()\nelse:\n    if False:\n        a()\n", "for i in x:\n    b()\nelse:\n    pass"),
        ("if FALSE:\n    a()\n", "if FALSE:\n    a()"),
        ("if False or x:\n    a()\n", "if False or x:\n    a()"),
    ],
)
def test_a_branch_that_never_runs_is_not_in_the_tree(text: str, left: str) -> None:
    tree = parsed(text)
    assert tree is not None
    assert ast.unparse(tree) == left


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("def f():\n    g()\n", True),
        ("X = 1\n\n\ndef f():\n    g()\n\n\nif False:\n    f()\n", True),
        ("def f():\n    g()\n\n\nif __name__ == '__main__':\n    f()\n", False),
        ("def f():\n    g()\n\n\nresult = f()\n", False),
        ("from package import run\n", False),
        ("def f(:\n", False),
    ],
)
def test_a_script_that_only_defines_does_nothing(text: str, nothing: bool) -> None:
    assert SourceModule(path="a.py", text=text).does_nothing is nothing


@pytest.mark.parametrize(
    ("cron", "fires"),
    [
        ("0 0 31 2 *", False),
        ("0 0 30 2 *", False),
        ("0 0 31 4 *", False),
        ("0 0 29 2 *", True),
        ("0 0 31 1 *", True),
        ("0 0 31 2 1", True),
        ("0 0 31 */2 *", True),
        ("@daily", True),
        ("0 0 1 13 *", False),
    ],
)
def test_a_day_that_never_comes_is_no_schedule(cron: str, fires: bool) -> None:
    assert ever_fires(cron) is fires


@pytest.mark.parametrize(
    ("tail", "outcome"), [("", Outcome.PARTIAL), ("\n\nif __name__ == '__main__':\n    train()\n", Outcome.PASS)]
)
def test_ci_trains_only_by_a_script_that_calls_something(tail: str, outcome: Outcome, tmp_path: Path) -> None:
    files = {"train.py": TRAIN + tail, ".github/workflows/ci.yml": WORKFLOW, **TESTS}
    assert outcome_of("T5.2", tmp_path, files).outcome is outcome


def test_a_split_that_never_runs_is_none(tmp_path: Path) -> None:
    code = "    scaler.fit_transform(X)\n    a, b = train_test_split(X)\n"
    assert outcome_of("T2.3", tmp_path, {"t.py": f"{SPLIT}if ready:\n{code}"}).outcome is not Outcome.UNKNOWN
    assert outcome_of("T2.3", tmp_path, {"t.py": f"{SPLIT}if False:\n{code}"}).outcome is Outcome.UNKNOWN
