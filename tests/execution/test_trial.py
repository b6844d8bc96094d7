"""Small real projects, run: what the checks then say of them."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.checks.catalogue import load
from mlestar.core.facts.collected import Facts
from mlestar.core.project.trial_plan import trial_plan
from mlestar.core.score.terms import inputs_of
from mlestar.execution.collect import collect
from mlestar.execution.enclosure import Allowance
from mlestar.execution.judge import judge
from mlestar.execution.trial import run_trial
from support.trees import write_tree

if TYPE_CHECKING:
    from mlestar.core.evidence import Verdict

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")

ROWS = "a,b,color,sick\n" + "\n".join(
    f"{i % 17},{(i * 7) % 23},{'red' if i % 3 else 'blue'},{i % 2}" for i in range(240)
)
TRAIN = """
import csv, random
def main():
    random.seed(SEED)
    model = None  # .fit(
    with open("data/train.csv") as file:
        rows = list(csv.DictReader(file))
    with open("predictions.csv", "w") as file:
        file.write("y_true,y_pred\\n")
        for row in rows:
            file.write(f"{row['sick']},{DRAW}\\n")
if __name__ == "__main__":
    main()
"""
SERVE = """
import pandas as pd
COLUMNS = ["a", "b", "color"]
def predict(frame):
    if list(sorted(set(frame.columns) & set(COLUMNS))) != sorted(COLUMNS):
        raise ValueError("columns are missing")
    rows = frame[COLUMNS]
    if not rows["color"].isin(["red", "blue"]).all():
        raise ValueError("unknown color")
    numbers = rows[["a", "b"]].apply(pd.to_numeric, errors="raise")
    if numbers.isna().any().any() or (numbers.abs() > 1e9).any().any():
        raise ValueError("not finite")
    return (numbers["a"] > 8).astype(int)
def careless(frame):
    return [1 if row.a > 8 else 0 for row in frame.itertuples()] if len(frame) else frame["a"].iloc[0]
def deadly(frame):
    if frame["a"].isna().any():
        import os
        os.kill(os.getpid(), 9)
    return predict(frame)
"""
DRIFT = """
def detect(reference, current):
    return bool(abs(current["a"].mean() - reference["a"].mean()) > 0.3 * reference["a"].std())
def always(reference, current):
    return True
def unclear(reference, current):
    return "maybe"
"""
TESTS = "from app.core import half\ndef test_half():\n    assert half(4) == 2\n"
CORE = "def half(n):\n    return n / 2\n"
QUICK = '[tool.pytest.ini_options]\naddopts = "-p no:platformdirs -p no:hypothesispytest -p no:anyio -p no:asyncio"\n'
INPUTS = QUICK + '[tool.mlestar.inputs]\ntrain = "data/train.csv"\ntarget = "sick"\n'


def project(root: Path, files: dict[str, str], inputs: str = "") -> Path:
    base = {"app/__init__.py": "", "data/train.csv": ROWS, "pyproject.toml": INPUTS + inputs}
    return write_tree(root / "project", base | files)


def payload(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "claims": {},
        "dimensions": ["X"],
        "places": {"project": {"path": str(folder), "shown": folder.name, "boundary": str(folder)}},
        "target": "",
        "groups": [],
        "time": "",
        "execute": True,
        "max_rows": 100_000,
        "max_bytes": 1 << 30,
        **more,
    }


def verdict(folder: Path, check: str, *, wall_s: float = 60) -> Verdict:
    """What the check says by having run the project."""
    collected = collect(payload(folder))
    facts = collected.facts
    assert facts.project is not None
    plan = trial_plan(facts.project, inputs_of(facts.project))
    before = snapshot(folder)
    trial = run_trial(folder, plan, facts, dimensions=check[0], say=lambda _: None, allowance=Allowance(wall_s=wall_s))
    assert snapshot(folder) == before, "the project was written to"
    tried = Facts(project=facts.project, data=facts.data, trial=trial, runnable=plan.runs)
    found = [v for v in load()[check].run(tried) if v.observed.startswith(("run here", "`"))]
    assert len(found) == 1
    return found[0]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


TEST_CASES = {
    "passing, lines counted": ({"app/core.py": CORE, "tests/test_core.py": TESTS}, "pass", "100.0% of 2 lines"),
    "a failing test": (
        {"app/core.py": CORE, "tests/test_core.py": TESTS + "def test_bad():\n    assert half(4) == 3\n"},
        "fail",
        "1 of 2 tests failed: tests.test_core::test_bad",
    ),
    "a test that needs the network": (
        {
            "app/core.py": CORE,
            "tests/test_net.py": "import socket\ndef test_up():\n    socket.create_connection(('192.0.2.1', 80), 5)\n",
        },
        "inconclusive",
        "needs the network",
    ),
    "a package that is not installed": (
        {"app/core.py": CORE, "tests/test_core.py": "import no_such_package_here\ndef test_a(): pass\n"},
        "inconclusive",
        "needs the package no_such_package_here",
    ),
    "an import of its own that fails": (
        {"app/core.py": "import app.gone\n", "tests/test_core.py": "import app.core\ndef test_a(): pass\n"},
        "fail",
        "1 of 1 test failed",
    ),
    "a test that kills its process": (
        {"app/core.py": CORE, "tests/test_core.py": "import os\ndef test_a():\n    print('last words'); os._exit(9)\n"},
        "inconclusive",
        "ended with exit status 9",
    ),
}


@pytest.mark.parametrize(("files", "outcome", "said"), TEST_CASES.values(), ids=TEST_CASES)
def test_the_tests_of_a_project_are_run(tmp_path: Path, files: dict[str, str], outcome: str, said: str) -> None:
    found = verdict(project(tmp_path, files), "X5.1")
    assert (found.outcome.value, found.level.value) == (outcome, "measured")
    assert said in found.observed


def test_tests_that_never_end_are_ended(tmp_path: Path) -> None:
    files = {"app/core.py": CORE, "tests/test_core.py": "import time\ndef test_a():\n    time.sleep(600)\n"}
    found = verdict(project(tmp_path, files), "X5.1", wall_s=4)
    assert found.outcome.value == "inconclusive"
    assert "took too long after 4 s" in found.observed


COMMAND = 'train_command = "python -m app.train"\n'
ANSWERS = "y_true,y_pred"
TRAININGS = {
    "one seed": (TRAIN.replace("SEED", "7").replace("DRAW", "random.randint(0, 1)"), "pass", "equal byte by byte"),
    "no seed, the same answers": (
        TRAIN.replace("SEED", "None")
        .replace(ANSWERS, f"{ANSWERS},note")
        .replace("DRAW", "row['sick']},{random.random()"),
        "partial",
        "accuracy moved by +0.0000, within",
    ),
    "nothing written": ("def main():\n    x = 1  # .fit(\n", "inconclusive", "wrote no predictions"),
    "it breaks": ("raise RuntimeError('no such file')  # .fit(\n", "inconclusive", "RuntimeError: no such file"),
    "it writes outside": ("open('/usr/mlestar-was-here', 'w')  # .fit(\n", "inconclusive", "exit status 1"),
}


@pytest.mark.parametrize(("code", "outcome", "said"), TRAININGS.values(), ids=TRAININGS)
def test_training_is_run_twice_and_compared(tmp_path: Path, code: str, outcome: str, said: str) -> None:
    found = verdict(project(tmp_path, {"app/train.py": code}, COMMAND), "X4.4")
    assert (found.outcome.value, found.level.value) == (outcome, "measured")
    assert said in found.observed
    assert not Path("/usr/mlestar-was-here").exists()


def test_training_that_turns_its_answers_over_fails(tmp_path: Path) -> None:
    draw = "row['sick'] if random.random() < share else 1 - int(row['sick'])"
    code = TRAIN.replace("SEED", "None").replace("model = None", "share = random.random()").replace("DRAW", draw)
    folder = project(tmp_path, {"app/train.py": code}, COMMAND)
    found = (verdict(folder, "X4.4") for _ in range(5))  # two shares are as good as equal one time in ten
    assert any(v.outcome.value == "fail" and "beyond its standard error" in v.observed for v in found)


def test_training_and_tests_that_run_here_settle_the_end_to_end_check(tmp_path: Path) -> None:
    code = TRAININGS["one seed"][0]
    folder = project(tmp_path, {"app/train.py": code, "app/core.py": CORE, "tests/test_core.py": TESTS}, COMMAND)
    found = verdict(folder, "T5.2")
    assert (found.outcome.value, found.level.value) == ("pass", "measured")
    assert "runs end to end in 0 s, and 1 test pass" in found.observed or "runs end to end in 1 s" in found.observed


PREDICTS = {
    "careful": ("app.serve:predict", "R2.4", "pass", "8 of 8"),
    "careless": ("app.serve:careless", "R2.4", "partial", "missing column: AttributeError"),
    "deadly": ("app.serve:deadly", "R2.4", "fail", "missing value: the process ended with exit status 137"),
    "not there": ("app.serve:nothing", "R2.4", "inconclusive", "has no attribute 'nothing'"),
    "its latency": ("app.serve:predict", "R3.2", "pass", "% of 500 ms"),
}


@pytest.mark.parametrize(("function", "check", "outcome", "said"), PREDICTS.values(), ids=PREDICTS)
def test_the_predict_function_is_called(tmp_path: Path, function: str, check: str, outcome: str, said: str) -> None:
    files = {"app/serve.py": SERVE, "slo.yaml": "latency_p95_ms: 500\n"}
    found = verdict(project(tmp_path, files, f'predict = "{function}"\n'), check)
    assert (found.outcome.value, found.level.value) == (outcome, "measured")
    assert said in found.observed


LOAD = """
import json
class Model:
    def __init__(self, cut, answer):
        self.cut, self.answer = cut, answer
    def predict(self, frame):
        return [self.answer if a > self.cut else type(self.answer)(0) for a in frame["a"]]
def load(path):
    with open(path) as file:
        parts = json.load(file)
    return Model(parts["cut"], parts.get("answer", 1))
"""
GOOD_MODEL, OLD_MODEL = '{"cut": 8}', '{"cut": 6}'
REGISTRY = '[{"version": "1.9", "path": "models/a.onnx", "sha256": "%s"}, {"version": "1.10", "path": "models/b.onnx"}]'
PREVIOUS = {
    "it works": ({"models/v9/m.onnx": OLD_MODEL, "models/v10/m.onnx": GOOD_MODEL}, "pass", "models/v9/m.onnx (SHA-256"),
    "it does not load": ({"models/v1/m.onnx": "gone", "models/v2/m.onnx": GOOD_MODEL}, "fail", "JSONDecodeError"),
    "it predicts otherwise": (
        {"models/v1/m.onnx": '{"cut": 6, "answer": "yes"}', "models/v2/m.onnx": GOOD_MODEL},
        "partial",
        "1 text a row instead of 1 number a row",
    ),
    "the newest does not load": (
        {"models/v1/m.onnx": OLD_MODEL, "models/v2/m.onnx": "gone"},
        "inconclusive",
        "the newest model, models/v2/m.onnx",
    ),
    "it is the registered file": (
        {
            "models/a.onnx": OLD_MODEL,
            "models/b.onnx": GOOD_MODEL,
            "registry.json": REGISTRY % hashlib.sha256(OLD_MODEL.encode()).hexdigest(),
        },
        "pass",
        "models/a.onnx",
    ),
    "it is another file than the registered one": (
        {"models/a.onnx": OLD_MODEL, "models/b.onnx": GOOD_MODEL, "registry.json": REGISTRY % ("0" * 64)},
        "fail",
        "is not the file of version 1.9 that was registered",
    ),
}


@pytest.mark.parametrize(("files", "outcome", "said"), PREVIOUS.values(), ids=PREVIOUS)
def test_the_model_before_the_newest_is_loaded_and_asked(
    tmp_path: Path, files: dict[str, str], outcome: str, said: str
) -> None:
    folder = project(tmp_path, {"app/serve.py": LOAD, **files}, 'load = "app.serve:load"\n')
    found = verdict(folder, "R4.4")
    assert (found.outcome.value, found.level.value) == (outcome, "measured")
    assert said in found.observed


DETECTORS = {
    "detect": ("pass", "fired on 5 of 5 shifts of 0.6 standard deviations and on 0 of 5 resamples"),
    "always": ("partial", "on 5 of 5 resamples"),
    "unclear": ("inconclusive", "answered str, not true or false"),
}


@pytest.mark.parametrize(("name", "outcome", "said"), [(name, *rest) for name, rest in DETECTORS.items()])
def test_the_drift_detector_is_called(tmp_path: Path, name: str, outcome: str, said: str) -> None:
    folder = project(tmp_path, {"app/drift.py": DRIFT}, f'detector = "app.drift:{name}"\n')
    found = verdict(folder, "R5.4")
    assert (found.outcome.value, found.level.value) == (outcome, "measured")
    assert said in found.observed


def test_nothing_is_run_unless_asked_and_what_would_be_is_named(tmp_path: Path) -> None:
    folder = project(tmp_path, {"app/train.py": TRAININGS["one seed"][0]}, COMMAND)
    answer = judge(payload(folder, execute=False), lambda *_: None)
    assert answer["runnable"]["X4.4"] == "`python -m app.train` twice"
    (found,) = (finding for finding in answer["findings"] if finding["check"] == "X4.4")
    assert found["outcome"] == "unknown"


def test_what_is_not_declared_names_the_line_to_add(tmp_path: Path) -> None:
    folder = project(tmp_path, {"app/core.py": CORE})
    answer = judge(payload(folder, dimensions=["X", "R"]), lambda *_: None)
    fixes = {finding["check"]: finding["fix"] for finding in answer["findings"] if "fix" in finding}
    assert 'train_command = "python -m package.train" to [tool.mlestar.inputs]' in fixes["X4.4"]
    assert 'predict = "package.module:function"' in fixes["R3.2"]
    assert 'detector = "package.module:function"' in fixes["R5.4"]
    assert "package.module" not in fixes["R4.4"]  # it keeps no two models


def test_a_project_that_keeps_two_models_is_told_how_to_try_the_older(tmp_path: Path) -> None:
    folder = project(tmp_path, {"app/core.py": CORE, "models/v1/m.onnx": OLD_MODEL, "models/v2/m.onnx": GOOD_MODEL})
    answer = judge(payload(folder, dimensions=["R"]), lambda *_: None)
    (found,) = (finding for finding in answer["findings"] if finding["check"] == "R4.4")
    assert found["outcome"] == "unknown"
    assert 'load = "package.module:function"' in found["fix"]
