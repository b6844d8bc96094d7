"""What is said of a folder for which the rubric was not made."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlestar.core.project.subject import notes_on
from mlestar.evidence.project import read_project
from support.trees import Files, write_tree

PACKAGE = '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "a"\nversion = "1"\n'
FITS = "class Model:\n    def fit(self, x):\n        self.inner.fit(x)\n"
CASES: dict[str, tuple[Files, str]] = {
    "no file": ({}, "no file to judge"),
    "a web application": ({"app.py": "from flask import Flask\napp = Flask(__name__)\n"}, "nothing of a machine"),
    "infrastructure": ({"main.tf": 'resource "a" "b" {}\n'}, "nothing of a machine"),
    "fixtures of tests alone": ({"a.py": "x = 1\n", "tests/a.csv": "a\n1\n"}, "nothing of a machine"),
    "a library": ({"pyproject.toml": PACKAGE, "src/a/model.py": FITS}, "looks like a library"),
    "a library in R": ({"DESCRIPTION": "Package: a\n", "R/a.R": "f <- glm(y ~ x)\n", "d.csv": "a\n1\n"}, "1 file of R"),
    "a package that is served": (
        {"pyproject.toml": PACKAGE, "a.py": FITS, "app.py": "from fastapi import FastAPI\napp = FastAPI()\n"},
        "",
    ),
    "a package with a pipeline": (
        {"pyproject.toml": PACKAGE, "train.py": FITS, "dvc.yaml": "stages:\n  t: {cmd: python train.py}\n"},
        "",
    ),
    "a script that trains": ({"train.py": "model.fit(x, y)\n"}, ""),
    "an application of a language model": ({"rag.py": "import langchain\n"}, ""),
    "data alone": ({"a.csv": "a\n1\n"}, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_rubric_was_not_made_for_is_named(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    notes = notes_on(read_project(write_tree(tmp_path, files)))
    assert expected in " ".join(notes)
    assert bool(notes) is bool(expected)
