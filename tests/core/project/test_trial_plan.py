"""What of a project could be run, from what it declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlestar.core.project.trial_plan import trial_plan
from mlestar.core.score.terms import terms_of
from mlestar.evidence.project import read_project
from support.trees import write_tree

FIT = "def main():\n    model.fit(1)\n\n\nmain()\n"
DVC = """stages:
  train: {cmd: python train.py, deps: [data.csv], outs: [model.skops]}
  prepare: {cmd: python prepare.py, outs: [data.csv]}
  publish: {cmd: python publish.py, deps: [model.skops]}
"""
DECLARED = {
    "a DVC stage after what it reads": ({"dvc.yaml": DVC}, "python prepare.py && python train.py"),
    "a circle of DVC stages": (
        {"dvc.yaml": "stages:\n  train: {cmd: python train.py, deps: [a], outs: [a]}\n"},
        "python train.py",
    ),
    "a DVC stage with parameters filled in by DVC": ({"dvc.yaml": "stages:\n  t: {cmd: 'python train.py ${x}'}\n"}, ""),
    "a make target": ({"Makefile": "train:\n\tpython train.py\n"}, "make train"),
    "an entry point of MLproject": (
        {"MLproject": "entry_points:\n  main:\n    command: python train.py\n"},
        "python train.py",
    ),
    "a command of the README": ({"README.md": "```\n$ python train.py  # fits\nrm -rf x\n```\n"}, "python train.py"),
    "prose of the README": ({"README.md": "Run python train.py to train.\n"}, ""),
}


@pytest.mark.parametrize(("files", "command"), DECLARED.values(), ids=DECLARED)
def test_the_training_command_is_found(tmp_path: Path, files: dict[str, str], command: str) -> None:
    project = read_project(write_tree(tmp_path, {"train.py": FIT, "prepare.py": "", **files}))
    plan = trial_plan(project, {})
    assert plan.train_command == command
    assert ("X4.4" in plan.runs) == bool(command)


def test_what_the_project_names_comes_first(tmp_path: Path) -> None:
    project = read_project(write_tree(tmp_path, {"train.py": FIT, "dvc.yaml": DVC}))
    plan = trial_plan(project, {"train_command": "python -m other", "predict": "a.b:c.d"})
    assert plan.runs["X4.4"] == "`python -m other` twice"
    assert plan.runs["R2.4"] == "`a.b:c.d` on bad input"


def test_a_function_in_another_form_is_not_run_and_named(tmp_path: Path) -> None:
    text = '[tool.mlestar.inputs]\npredict = "os.system(1)"\n'
    project = read_project(write_tree(tmp_path, {"pyproject.toml": text}))
    assert "R2.4" not in trial_plan(project, {"predict": "os.system(1)"}).runs
    assert any("inputs.predict" in problem for problem in terms_of(project).problems)
