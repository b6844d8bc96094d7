"""What the README shows is what the product says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from mlestar.core.pipeline import parse

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "breast_cancer_screening"


def test_the_first_screen_has_the_two_commands() -> None:
    first_screen = README[:900]
    assert "python -m pip install . && mlestar demo" in first_screen
    assert 'python -m pip install ".[test]" && python -m pytest' in first_screen


def test_every_finding_of_the_sample_run_is_still_found_at_its_place(tmp_path: Path) -> None:
    sample = README[README.index("<!-- run -->") : README.index("<!-- end run -->")]
    findings = re.findall(r"^([A-Z]\d\.\d)\s+(\w+)\s+(\w+)\s+(\S+): ", sample, re.MULTILINE)
    assert len(findings) == 3
    project = shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("*.csv", "__pycache__"))
    for module in ("screening.data", "screening.train"):
        subprocess.run([sys.executable, "-m", module], cwd=project, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-m", "mlestar", "evaluate", str(project), "--data-dir", str(tmp_path / "state")],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    said = " ".join(done.stdout.split())
    for check, outcome, level, place in findings:
        assert f"{check} {outcome} {level} {place}:" in said


def test_the_pipeline_of_the_readme_is_a_valid_config() -> None:
    block = re.search(r"```yaml\n(name: screening.*?)```", README, re.DOTALL)
    assert block
    described = yaml.safe_load(block[1])
    assert parse(described["config"]).training.algorithm == "auto"


def test_it_says_once_what_it_is_not() -> None:
    assert README.count("it is not a Google product") == 1
    assert README.count("documentation service of that name") == 1
