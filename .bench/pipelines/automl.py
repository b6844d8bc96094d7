"""`auto` beside FLAML and AutoGluon: held-out scores with the same rows and the same processor seconds each.

Data sets that ship inside scikit-learn, and the synthetic posts (text), whose best reachable score is known. FLAML and
AutoGluon live in an environment of their own; the interpreter of that is the first argument. One split a set: a
difference inside the interval is none. The others count the wall clock: theirs is stretched by what a processor second
of `auto` took on it just before, so that a loaded machine gives them no less work. CPU seconds are printed.
Run: OMP_NUM_THREADS=1 python .bench/pipelines/automl.py OTHER_PYTHON [seconds]
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

from mlestar.core.pipeline import TrainingSpec
from mlestar.stages import metrics
from mlestar.stages.folds import as_scored, make_folds
from mlestar.stages.marketing import generate
from mlestar.stages.table import kind_of
from mlestar.stages.training import answer_of, learn

if TYPE_CHECKING:
    import pandas as pd

OTHER = """
import json, sys
import numpy as np, pandas as pd
tool, folder, task, seconds = sys.argv[1:]
train, test = (pd.read_pickle(f"{folder}/{name}.pickle") for name in ("train", "test"))
regression = task == "regression"
if tool == "FLAML":
    from flaml import AutoML
    model = AutoML()
    model.fit(train.drop(columns="y"), train["y"], task="regression" if regression else "classification",
              metric="r2" if regression else "log_loss", time_budget=float(seconds), n_jobs=1, verbose=0, seed=0)
    rows = test.drop(columns="y")
    answer = model.predict(rows) if regression else model.predict_proba(rows)
else:
    from autogluon.tabular import TabularPredictor
    kind = "regression" if regression else "binary" if train["y"].nunique() == 2 else "multiclass"
    metric = "r2" if regression else "roc_auc" if kind == "binary" else "log_loss"
    model = TabularPredictor("y", problem_type=kind, eval_metric=metric, path=f"{folder}/models", verbosity=0)
    model.fit(train, time_limit=float(seconds), presets="medium_quality", num_cpus=1)
    rows = test.drop(columns="y")
    answer = (model.predict(rows) if regression else model.predict_proba(rows)[sorted(train["y"].unique())]).to_numpy()
np.save(f"{folder}/answer.npy", np.asarray(answer, dtype=float))
"""
"""Both with one thread: a processor second is then about a second of the clock on an idle core."""


def sets() -> dict[str, tuple[pd.DataFrame, np.ndarray, str]]:
    """Name -> rows, truth, task; all of it is on disk with the packages."""
    found: dict[str, tuple[pd.DataFrame, np.ndarray, str]] = {}
    for name in ("breast_cancer", "wine", "digits", "diabetes"):
        data: Any = getattr(datasets, f"load_{name}")(as_frame=True)
        truth = data.target.to_numpy()
        task = "regression" if name == "diabetes" else "binary" if len(set(truth)) == 2 else "multiclass"
        found[name] = (data.data.astype(float), truth, task)
    posts = generate(4_000, 0).frame
    found["posts (text)"] = (posts[["content", "hashtags"]].astype(object), posts["engaged"].to_numpy(), "binary")
    whole = posts[["content", "hashtags", "platform", "media_type", "audience", "followers"]]
    found["posts (mixed)"] = (
        whole.assign(followers=whole["followers"].astype(float)),
        found["posts (text)"][1],
        "binary",
    )
    return found


def scored(answer: np.ndarray, truth: np.ndarray, task: str) -> tuple[str, float, float, float]:
    """Metric, its value and its 95% interval over the held-out rows."""
    metric = "r2" if task == "regression" else "roc_auc"
    one = as_scored(answer, truth)
    low, high = np.nanquantile(metrics.draw_values(metric, one, seed=0), [0.025, 0.975])
    return metric, metrics.value_of(metric, one), float(low), float(high)


def ours(train: pd.DataFrame, y: np.ndarray, task: str, test: pd.DataFrame, seconds: float) -> dict[str, Any]:
    """Answers of `auto` and of the linear model alone, and what was chosen."""
    kinds = {str(name): kind_of(train[name]) for name in train.columns}
    usable = {name: kind for name, kind in kinds.items() if kind != "constant"}
    n_classes = 0 if task == "regression" else len(set(y))
    folds = make_folds(train[list(usable)], y, kinds=usable, task=task, n_classes=n_classes, seed=0)
    answers: dict[str, Any] = {}
    for name in ("auto", "linear"):
        before = resource.getrusage(resource.RUSAGE_SELF)
        trials = 200 if name == "auto" else 0
        spec = TrainingSpec(algorithm=name, time_budget_s=seconds, trials=trials)
        learned = learn(folds, spec, lambda *_: None)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        answers[name] = (answer_of(learned.model, test[list(usable)], task), cpu, dict(learned.weights))
    return answers


def theirs(tool: str, python: str, folder: str, task: str, seconds: float) -> tuple[np.ndarray, float]:
    """Another tool's answers and the CPU seconds of its processes, imports included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [python, "-W", "ignore", "-c", OTHER, tool, folder, task, str(seconds)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return np.load(Path(folder) / "answer.npy"), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line a set and tool."""
    python, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {seconds:g} s each")
    for name, (rows, truth, task) in sets().items():
        labels = None if task == "regression" else truth
        train, test, y, held = train_test_split(rows, truth, test_size=0.3, random_state=0, stratify=labels)
        begun, own = time.monotonic(), time.process_time()
        made = ours(train, y, task, test, seconds)
        stretch = max(1.0, (time.monotonic() - begun) / (time.process_time() - own))
        lines = {f"mlestar {who}": (answer, cpu, json.dumps(weights)) for who, (answer, cpu, weights) in made.items()}
        for tool in ("FLAML", "AutoGluon"):
            with tempfile.TemporaryDirectory() as folder:
                train.assign(y=y).to_pickle(f"{folder}/train.pickle")
                test.assign(y=held).to_pickle(f"{folder}/test.pickle")
                try:
                    lines[tool] = (*theirs(tool, python, folder, task, seconds * stretch), f"{stretch:.1f} s a CPU s")
                except subprocess.CalledProcessError as error:
                    print(f"{name:14} {tool:15} ended with {error.returncode}")
        for who, (answer, cpu, chosen) in lines.items():
            metric, value, low, high = scored(answer, held, task)
            print(
                f"{name:14} {who:15} {metric} {value:.4f} [{low:.4f}, {high:.4f}] {cpu:6.1f} CPU s {chosen}", flush=True
            )


if __name__ == "__main__":
    main()
