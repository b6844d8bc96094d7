"""Every static check of the dimension Excellence, over small folders: path -> content -> outcome."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest

from mlestar.core.evidence import Level, Outcome
from support.trees import commit, git, judge, outcome_of, write_tree

PASS, PARTIAL, FAIL, UNKNOWN = Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.UNKNOWN
AWS = "AKIA" + "Q7RTJ3WZK5NPX2LV"
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7bq3" * 5 + "\n-----END RSA PRIVATE KEY-----\n"
MAKE = "test: lint\n\tpython -m pytest -q\nlint:\n\truff check .\n"
ON_PUSH = "on: [push]\njobs:\n  test:\n    steps:\n"
DATA = "a,b\n1,2\n"
DATA_HASH = hashlib.sha256(DATA.encode()).hexdigest()
TRAIN = "import numpy as np\nfrom sklearn.linear_model import SGDClassifier\n"
WORDS = "The screening group ranks 4210 masses by measured probability before two radiologists read them each day. "
SECTIONS = ("Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Results")
CARD = "".join(f"## {name}\n{WORDS * 2}\n" for name in (*SECTIONS, "Ethical considerations", "Caveats"))
SAFE_JUNIT = '<testsuites><testsuite name="s" tests="1"><testcase name="a"/></testsuite></testsuites>'
COVERED = (
    "<coverage><packages><package><classes><class "
    'filename="a.py"><lines>{}</lines></class></classes></package></packages></coverage>'
)
TESTED = {"a.py": "x = 1\n" * 100, "tests/test_a.py": "def test_a():\n    assert x\n", "junit.xml": SAFE_JUNIT}
REPORT = {"dependencies": [{"name": "jinja2", "version": "2.10", "vulns": []}]}
WEAK = {"dependencies": [{"name": "jinja2", "version": "2.10", "vulns": [{"id": "X-1", "fix_versions": ["2.11"]}]}]}
SKIPPED = {"dependencies": [{"name": "jinja2", "skip_reason": "offline"}]}


def lines(hit: int, total: int) -> str:
    return COVERED.format("".join(f'<line number="{n}" hits="{int(n < hit)}"/>' for n in range(total)))


CASES: dict[str, tuple[str, dict[str, str | bytes], Outcome]] = {
    "X3.1 clean": ("X3.1", {"a.py": "print(1)\n"}, PASS),
    "X3.1 AWS key in code": ("X3.1", {"config.py": f"KEY = '{AWS}'\n"}, FAIL),
    "X3.1 private key": ("X3.1", {"deploy/id.pem": KEY}, FAIL),
    "X3.1 only in a test fixture": ("X3.1", {"tests/test_a.py": f"KEY = '{AWS}'\n"}, PARTIAL),
    "X3.1 published example key": ("X3.1", {"a.py": "KEY = 'AKIAIOSFODNN7EXAMPLE'\n"}, PASS),
    "X3.1 hashes are not keys": (
        "X3.1",
        {"a.py": "", "data.csv.dvc": "outs:\n- md5: 0a1b2c3d4e5f60718293a4b5c6d7e8f9\n", "uv.lock": f"# {AWS}\n"},
        PASS,
    ),
    "X3.1 notebook outputs are not read": (
        "X3.1",
        {"n.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "x = 1", "outputs": [{"text": AWS}]}]})},
        PASS,
    ),
    "X3.3 safe format": ("X3.3", {"model.onnx": b"\x08\x07"}, PASS),
    "X3.3 harmless pickle": ("X3.3", {"model.pkl": pickle.dumps({"a": [1.0]})}, PARTIAL),
    "X3.3 pickle that runs a command": ("X3.3", {"model.pkl": b"cposix\nsystem\n(S'touch /tmp/x'\ntR."}, FAIL),
    "X3.3 no model": ("X3.3", {"a.py": ""}, UNKNOWN),
    "X3.4 none": ("X3.4", {"audit.json": json.dumps(REPORT)}, PASS),
    "X3.4 ignored fix": ("X3.4", {"audit.json": json.dumps(WEAK)}, FAIL),
    "X3.4 skipped is not audited": ("X3.4", {"audit.json": json.dumps(SKIPPED)}, Outcome.INCONCLUSIVE),
    "X3.5 nothing": ("X3.5", {"a.py": ""}, FAIL),
    "X3.5 all three": (
        "X3.5",
        {
            "SECURITY.md": "Report weaknesses to security@example.org; we answer within two working days, always.\n",
            ".github/dependabot.yml": "version: 2\n",
            ".github/workflows/ci.yml": ON_PUSH + f"      - uses: actions/checkout@{'a1' * 20}\n",
        },
        PASS,
    ),
    "X3.3 a payload among the fixtures": ("X3.3", {"tests/data/bad.pkl": b"cos\nsystem\n(S'true'\ntR."}, PARTIAL),
    "X3.3 a payload": ("X3.3", {"models/bad.pkl": b"cos\nsystem\n(S'true'\ntR."}, FAIL),
    "X4.1 lock covers the imports": (
        "X4.1",
        {"a.py": TRAIN, "uv.lock": '[[package]]\nname = "numpy"\n[[package]]\nname = "scikit-learn"\n'},
        PASS,
    ),
    "X4.1 lock lacks an import": ("X4.1", {"a.py": TRAIN, "uv.lock": '[[package]]\nname = "numpy"\n'}, PARTIAL),
    "X4.1 all pinned": ("X4.1", {"a.py": TRAIN, "requirements.txt": "numpy==2.1.0\nscikit-learn==1.6.0\n"}, PASS),
    "X4.1 ranges": ("X4.1", {"a.py": TRAIN, "requirements.txt": "numpy>=2\nscikit-learn\n"}, FAIL),
    "X4.1 nothing declared": ("X4.1", {"a.py": TRAIN}, FAIL),
    "X4.2 random_state": ("X4.2", {"a.py": TRAIN + "SGDClassifier(random_state=0)\n"}, PASS),
    "X4.2 random_state through a config": ("X4.2", {"a.py": TRAIN + "SGDClassifier(**params)\n"}, PASS),
    "X4.2 unseeded": ("X4.2", {"a.py": TRAIN + "SGDClassifier()\n"}, FAIL),
    "X4.2 one of two libraries": (
        "X4.2",
        {"a.py": TRAIN + "SGDClassifier(random_state=0)\nnp.random.rand(3)\n"},
        PARTIAL,
    ),
    "X4.3 equal": ("X4.3", {"d/a.csv": DATA, "d/SHA256SUMS": f"{DATA_HASH}  a.csv\n"}, PASS),
    "X4.3 changed": ("X4.3", {"d/a.csv": DATA + "3,4\n", "d/SHA256SUMS": f"{DATA_HASH}  a.csv\n"}, FAIL),
    "X4.3 recorded only": ("X4.3", {"dvc.lock": (f"stages:\n  a:\n    outs:\n    - path: x.csv\n "
f"     md5: {'a' * 32}\n")}, PARTIAL),
    "X4.3 unversioned": ("X4.3", {"a.csv": DATA}, FAIL),
    "X5.1 no tests": ("X5.1", {"a.py": "x = 1\n"}, FAIL),
    "X5.1 tests without a report": ("X5.1", {"tests/test_a.py": "def test_a(x):\n    assert x\n"}, UNKNOWN),
    "X5.1 covered": ("X5.1", {**TESTED, "coverage.xml": lines(80, 100)}, PASS),
    "X5.1 thin": ("X5.1", {**TESTED, "coverage.xml": lines(40, 100)}, FAIL),
    "X5.1 the header lies": ("X5.1", {**TESTED, "junit.xml": SAFE_JUNIT.replace('tests="1"', 'tests="150"')}, FAIL),
    "X5.2 clean": ("X5.2", {"a.py": '"""Doc."""\n'}, PASS),
    "X5.2 unused imports": ("X5.2", {"a.py": "".join(f"import m{n}\n" for n in range(30))}, FAIL),
    "X5.3 none": ("X5.3", {"a.py": ""}, FAIL),
    "X5.3 pytest": ("X5.3", {".github/workflows/c.yml": ON_PUSH + ("      - run: uv run --group test "
"pytest -q\n")}, PASS),
    "X5.3 through make": ("X5.3", {"Makefile": MAKE, ".github/workflows/c.yml": ON_PUSH + ("      - run: make "
"test\n")}, PASS),
    "X5.3 through a script": (
        "X5.3",
        {"ci/check.sh": "set -e\ncoverage run -m pytest\n", ".gitlab-ci.yml": ("test:\n  script:\n    - "
"./ci/check.sh\n")},
        PASS,
    ),
    "X5.3 through tox": (
        "X5.3",
        {"tox.ini": ("[testenv]\ncommands =\n    pytest "
"{posargs}\n"), ".circleci/config.yml": "jobs:\n  b:\n    steps:\n    - run: tox\n"},
        PASS,
    ),
    "X5.3 installs pytest only": ("X5.3", {".github/workflows/c.yml": ON_PUSH + ("      - run: pip install "
"pytest\n")}, PARTIAL),
    "X5.3 echoes pytest": ("X5.3", {".github/workflows/c.yml": ON_PUSH + "      - run: echo pytest\n"}, PARTIAL),
    "X5.3 ignores the failure": ("X5.3", {".github/workflows/c.yml": ON_PUSH + ("      - run: pytest ||"
" true\n")}, PARTIAL),
    "X5.3 by hand only": (
        "X5.3",
        {".github/workflows/c.yml": ON_PUSH.replace("[push]", "workflow_dispatch") + "      - run: pytest\n"},
        PARTIAL,
    ),
    "X5.4 all": ("X5.4", {"LICENSE": "MIT License\n", "a.py": "x = 1\n"}, PASS),
    "X5.4 no licence, mostly notebooks": (
        "X5.4",
        {"n.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "x = 1\ny = 2"}]})},
        PARTIAL,
    ),
    "X1.1 nothing": ("X1.1", {"notes.txt": "x\n"}, FAIL),
    "X1.1 all five": (
        "X1.1",
        {
            "requirements.txt": "scikit-learn\n",
            "train.py": "from sklearn.metrics import f1_score\nmodel.fit(X, y)\nf1_score(y, p)\n",
            "model.onnx": b"\x08",
            "README.md": "| model | AUC |\n|--|--|\n| a | 0.91 |\n\n```\npython train.py\n```\n",
        },
        PASS,
    ),
    "X1.2 none": ("X1.2", {"README.md": "# x\n"}, FAIL),
    "X1.2 full": ("X1.2", {"MODEL_CARD.md": CARD}, PASS),
    "X1.2 template": ("X1.2", {"MODEL_CARD.md": CARD.replace(WORDS, ("TODO fill this in, more information "
"needed. "))}, FAIL),
    "X1.3 drift claimed, module empty": (
        "X1.3",
        {"README.md": ("It has drift detection and runs "
"`src/train.py`.\n"), "src/drift_detector.py": "", "src/train.py": "x()\n"},
        FAIL,
    ),
    "X1.3 planned is not claimed": (
        "X1.3",
        {"README.md": "Run `src/train.py`.\n\n## Roadmap\n\nDrift detection on Kubernetes.\n", "src/train.py": "x()\n"},
        PASS,
    ),
    "X1.3 missing paths": ("X1.3", {"README.md": ("Run `scripts/run.sh` and [see](docs/guide.md); "
"`make deploy`.\n")}, FAIL),
    "X1.4 documented": ("X1.4", {"a.py": 'def f():\n    """Do."""\n'}, PASS),
    "X1.4 bare": ("X1.4", {"a.py": "def f():\n    return 1\n\n\nclass C:\n    def m(self): ...\n"}, FAIL),
    "X2.2 both": (
        "X2.2",
        {".github/CODEOWNERS": "* @ada @bob\n", ".github/pull_request_template.md": "What and why?\n"},
        PASS,
    ),
    "X2.2 none": ("X2.2", {"a.py": ""}, FAIL),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_folder_gets_its_verdict(name: str, tmp_path: Path) -> None:
    check_id, files, expected = CASES[name]
    verdict = outcome_of(check_id, tmp_path, files)
    assert verdict.outcome is expected, verdict.observed


def test_a_secret_is_located_and_not_repeated(tmp_path: Path) -> None:
    verdict = outcome_of("X3.1", tmp_path, {"src/config.py": f"\nKEY = '{AWS}'\n"})
    assert str(verdict.where) == "src/config.py:2"
    assert verdict.level is Level.MEASURED
    assert AWS not in verdict.observed + verdict.fix


def test_untracked_secrets_do_not_count(tmp_path: Path) -> None:
    commit(write_tree(tmp_path, {"a.py": "x = 1\n", ".gitignore": ".env\n"}))
    write_tree(tmp_path, {".env": f"AWS={AWS}\n"})
    assert judge("X3.1", tmp_path)[0].outcome is PASS


def test_a_bare_claim_is_located_by_its_line(tmp_path: Path) -> None:
    files = {"README.md": "# T\n\nWe monitor everything with Prometheus.\n", "monitoring/app.txt": "x\n"}
    verdict = outcome_of("X1.3", tmp_path, files)
    assert str(verdict.where) == "README.md:3"
    assert "monitoring" in verdict.observed


def test_claimed_tests_are_refuted_by_the_source(tmp_path: Path) -> None:
    write_tree(tmp_path, {"tests/test_a.py": "def test_a():\n    assert True\n"})
    verdicts = judge("X5.1", tmp_path, claims={"excellence": {"tests": 150, "coverage": 0.85}})
    assert [verdict.outcome for verdict in verdicts][:2] == [PASS, FAIL]
    assert "defines 1" in verdicts[1].observed


class TestReview:
    """X2.1 and X2.3 over real histories."""

    def test_unreviewed_commits_fail(self, tmp_path: Path) -> None:
        for number in range(6):
            commit(tmp_path, f"Change {number} (#{number})")
        assert judge("X2.1", tmp_path)[0].outcome is FAIL

    def test_trailers_of_another_person_pass(self, tmp_path: Path) -> None:
        for number in range(6):
            commit(tmp_path, f"Change {number}\n\nReviewed-by: Bob <bob@x.org>")
        assert judge("X2.1", tmp_path)[0].outcome is PASS

    def test_trailers_of_the_author_or_a_bot_do_not_count(self, tmp_path: Path) -> None:
        for number in range(6):
            reviewer = ("Ada <ada@x.org>", "Claude <noreply@anthropic.com>")[number % 2]
            commit(tmp_path, f"Change {number}\n\nReviewed-by: {reviewer}")
        assert judge("X2.1", tmp_path)[0].outcome is FAIL

    def test_few_commits_are_inconclusive(self, tmp_path: Path) -> None:
        commit(tmp_path)
        assert judge("X2.1", tmp_path)[0].outcome is Outcome.INCONCLUSIVE

    def test_merges_by_another_person_pass(self, tmp_path: Path) -> None:
        commit(tmp_path, "Start\n\nReviewed-by: Bob <bob@x.org>")
        for number in range(5):
            git(tmp_path, "checkout", "-q", "-b", f"b{number}")
            commit(tmp_path, f"Work {number}")
            git(tmp_path, "checkout", "-q", "main")
            git(tmp_path, "merge", "-q", "--no-ff", "-m", f"Merge {number}", f"b{number}", author="Bob <bob@x.org>")
        assert judge("X2.1", tmp_path)[0].outcome is PASS

    @pytest.mark.parametrize(("second", "expected"), [("Bob <bob@x.org>", PASS), ("Ada <ada@home.org>", FAIL)])
    def test_two_people_are_two_names(self, tmp_path: Path, second: str, expected: Outcome) -> None:
        for author in ("Ada <ada@x.org>", second) * 3:
            commit(tmp_path, author=author)
        assert judge("X2.3", tmp_path)[0].outcome is expected
