"""The project that the demo judges: a copy of the example, its own scripts run, and one defect put in on request."""

from __future__ import annotations

import csv
import random
import shutil
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

from mlestar.errors import NotFound, WorkFailed

EXAMPLE = "breast_cancer_screening"
TARGET = "malignant"
LEAK = "biopsy_result_code"
LEAK_NOISE = 0.03
"""Share of rows in which the leaked column disagrees with the target: real leaks are seldom perfect."""
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.csv", ".pytest_cache")


def copy_example(folder: Path) -> Path:
    """Copy the example project below `folder` and return the copy."""
    copy = folder / EXAMPLE
    checkout = Path(__file__).parents[4] / "examples" / EXAMPLE
    if checkout.is_dir():
        shutil.copytree(checkout, copy, ignore=_LEFT_BEHIND)
        return copy
    with as_file(files("mlestar.data") / "examples" / EXAMPLE) as packaged:
        if not packaged.is_dir():
            raise NotFound(f"The example project {EXAMPLE} is not in this installation.", do="install mlestar again")
        shutil.copytree(packaged, copy, ignore=_LEFT_BEHIND)
    return copy


def build(project: Path) -> str:
    """Run the project's own data and training scripts; return what the training printed."""
    printed = ""
    for module in ("screening.data", "screening.train"):
        done = subprocess.run(  # noqa: S603 - our own example, by a fixed name
            [sys.executable, "-m", module], cwd=project, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode != 0:
            raise WorkFailed(f"{module} of the example project failed: {done.stderr[-2000:]}")
        printed = done.stdout.strip()
    return printed


def leak_target(project: Path) -> str:
    """Add a column that is nearly the target to both data files; return its name."""
    chance = random.Random(0)  # noqa: S311 - reproducible noise, no secret
    for name in ("train.csv", "test.csv"):
        path = project / "data" / name
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            truth = int(row[TARGET])
            row[LEAK] = str(1 - truth if chance.random() < LEAK_NOISE else truth)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return LEAK
