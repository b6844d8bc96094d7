"""The scanners that are installed beside us, run over foreign files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlestar.checks.excellence.analysis import static_security_analysis_is_clean
from mlestar.core.evidence import Level
from mlestar.core.facts.collected import Facts
from mlestar.evidence.bounded import Limits
from mlestar.evidence.project import read_project
from mlestar.evidence.scanners import BANDITS_RULES, scan
from support.trees import write_tree

pytestmark = pytest.mark.skipif(
    shutil.which("bandit") is not None or shutil.which("ruff") is None,
    reason="needs ruff, and no bandit, which would be asked first",
)
SEVERITIES = {
    "import subprocess\nsubprocess.run('ls ' + x, shell=True)\n": {("S602", "HIGH")},
    "import subprocess\nsubprocess.run('/bin/ls', shell=True)\n": {("S602", "LOW")},
    "import pickle\npickle.loads(x)\n": {("S301", "MEDIUM")},
    "import yaml\nyaml.load(x)\n": {("S506", "MEDIUM")},
    "import hashlib\nhashlib.md5(x)\n": {("S324", "HIGH")},
    "import requests\nrequests.get(x, verify=False, timeout=3)\n": {("S501", "HIGH")},
    "import tarfile\ntarfile.open(x).extractall()\n": {("S202", "HIGH")},
    "assert x\n": {("S101", "LOW")},
    "x = 1\n": set[tuple[str, str]](),
}
"""Source -> rules and the severities that bandit 1.9.4 gave the same lines."""


@pytest.mark.parametrize("source", SEVERITIES)
def test_bandits_rules_are_measured_without_bandit(tmp_path: Path, source: str) -> None:
    write_tree(tmp_path, {"app.py": source})
    (report,) = (one for one in scan(tmp_path, ["app.py"], Limits()) if one.tool == BANDITS_RULES)
    assert {(rule, severity) for _, _, rule, severity in report.results} == SEVERITIES[source]
    assert report.own


CASES = {
    "a shell with a foreign word": ("import os\nos.system('rm ' + x)\n", "fail"),
    "two unsafe loads in a small project": ("import pickle\npickle.loads(x)\npickle.loads(y)\n", "partial"),
    "nothing": ("def half(n):\n    return n / 2\n", "pass"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_security_check_is_measured_here(tmp_path: Path, case: str) -> None:
    source, outcome = CASES[case]
    test = "import os\ndef test_a():\n    os.system('rm ' + x)\n"
    project = read_project(write_tree(tmp_path, {"app.py": source, "tests/test_app.py": test}))
    (verdict,) = static_security_analysis_is_clean(Facts(project=project))
    assert (verdict.outcome.value, verdict.level) == (outcome, Level.MEASURED)


def test_settings_of_the_project_do_not_switch_rules_off(tmp_path: Path) -> None:
    off = "[tool.ruff.lint]\nignore = ['S']\nexclude = ['*.py']\n"
    write_tree(tmp_path, {"app.py": "import os\nos.system('rm ' + x)\n", "pyproject.toml": off})
    reports = scan(tmp_path, ["app.py"], Limits())
    assert any(result[3] == "HIGH" for report in reports for result in report.results)
