"""Tests that cannot fail, and CI that does not mind, are no tests; what only looks like it is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlestar.core.evidence import Outcome
from support.trees import outcome_of

FAIL, PASS, PARTIAL, UNKNOWN = Outcome.FAIL, Outcome.PASS, Outcome.PARTIAL, Outcome.UNKNOWN
HEAD = "import pytest\nfrom features import build\n\n\n"
IDLE = {
    "pass": "def test_a():\n    pass\n",
    "a text": 'def test_a():\n    """Builds."""\n',
    "assert True": "def test_a():\n    assert True\n",
    "constants compared": "def test_a():\n    assert 1 + 1 == 2, 'never'\n",
    "printing": "def test_a():\n    print('ok')\n",
    "skipped by mark": "@pytest.mark.skip(reason='slow')\ndef test_a():\n    assert build(1) == 1\n",
    "skipped at its start": "def test_a():\n    pytest.skip('later')\n    assert build(1) == 1\n",
    "skipped as a class": "@pytest.mark.skip\nclass TestA:\n    def test_a(self):\n        assert build(1) == 1\n",
    "skipped as a module": "pytestmark = pytest.mark.skip\n\n\ndef test_a():\n    assert build(1) == 1\n",
}
REAL = {
    "a comparison": "def test_a():\n    assert build(1) == 1\n",
    "a call that may raise": "def test_a():\n    build(1)\n",
    "a fixture's value": "def test_a(built):\n    assert built\n",
    "one of two": IDLE["assert True"] + "\n\ndef test_b():\n    assert build(2) == 2\n",
    "skipped on a condition": "@pytest.mark.skipif(True, reason='x')\ndef test_a():\n    assert build(1) == 1\n",
    "unittest": "class TestA(TestCase):\n    def test_a(self):\n        self.assertEqual(build(1), 1)\n",
    "not Python": "def test_a(:\n",
}
FEATURES = "def build(x):\n    return x.fillna(0)\n"


@pytest.mark.parametrize("name", IDLE)
def test_tests_that_cannot_fail_are_none(name: str, tmp_path: Path) -> None:
    files = {"features.py": FEATURES, "tests/test_features.py": HEAD + IDLE[name]}
    assert outcome_of("X5.1", tmp_path, files).outcome is FAIL
    assert outcome_of("T2.2", tmp_path, files).outcome is FAIL


@pytest.mark.parametrize("name", REAL)
def test_tests_that_can_fail_are_tests(name: str, tmp_path: Path) -> None:
    files = {"features.py": FEATURES, "tests/test_features.py": HEAD + REAL[name]}
    assert outcome_of("X5.1", tmp_path, files).outcome is UNKNOWN
    assert outcome_of("T2.2", tmp_path, files).outcome is PASS


SCRIPTS = {
    "plain": ("pytest", PASS),
    "under set -e a later command does not hide it": ("pytest; echo done", PASS),
    "forgiven": ("pytest || true", PARTIAL),
    "errors switched off": ("set +e\npytest\necho done", PARTIAL),
    "errors switched off, the status kept": ("set +e\npytest\nstatus=$?\nexit $status", PASS),
    "always ends well": ("trap 'exit 0' EXIT\npytest", PARTIAL),
    "only listed": ("pytest --collect-only", PARTIAL),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_run_whose_failure_is_ignored_is_half_a_run(name: str, tmp_path: Path) -> None:
    script, outcome = SCRIPTS[name]
    step = script.replace("\n", "\n          ")
    workflow = f"on: [push]\njobs:\n  test:\n    steps:\n      - run: |\n          {step}\n"
    assert outcome_of("X5.3", tmp_path, {"a.py": "", ".github/workflows/ci.yml": workflow}).outcome is outcome
