from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from mlestar.core.facts.project import ProjectFacts
from mlestar.core.score.limits import LIMITS
from mlestar.core.score.rubric import CHECKS
from mlestar.core.score.terms import terms_of
from mlestar.errors import InvalidInput
from mlestar.interfaces.cli import cli

COMMANDS: Any = typer.main.get_command(cli).commands  # pyright: ignore[reportAttributeAccessIssue] - a group of commands
STATED = (
    "serve",
    "worker",
    "demo",
    "evaluate",
    "explain",
    "rubric",
    "run",
    "rerun",
    "models",
    "rollback",
    "artifact",
    "windows",
)


def test_the_command_line_has_every_command_that_was_promised() -> None:
    assert set(STATED) <= set(COMMANDS)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_command_explains_itself_and_each_of_its_options(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"] if name else ["--help"])
    assert shown.exit_code == 0
    silent = [option.name for option in COMMANDS[name].params if not option.help] if name else []
    assert silent == []
    for command in COMMANDS if not name else ():
        assert command in shown.output


def test_a_project_named_from_where_one_stands_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "rows.csv").write_text("a,target\n1,0\n2,1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    data = ["--data-dir", str(tmp_path / "data")]
    shown = CliRunner().invoke(cli, ["evaluate", "project", "--train", "rows.csv", "--format", "json", *data])
    assert shown.exit_code == 0, shown.output
    assert '"train"' in shown.output


def test_the_rubric_as_toml_is_what_a_project_may_change_and_changes_nothing() -> None:
    printed = CliRunner().invoke(cli, ["rubric", "--format", "toml"]).stdout
    project = ProjectFacts(root="p", manifests={"pyproject.toml": (tomllib.loads(printed),)})
    assert terms_of(project).to_json() == {}
    one_changed = tomllib.loads(printed.replace('"T1.2" = 2', '"T1.2" = 9', 1))
    changed = terms_of(ProjectFacts(root="p", manifests={"pyproject.toml": (one_changed,)}))
    assert changed.to_json() == {"weights": {"T1.2": 9}}
    assert printed.count("\n[tool.mlestar.limits.") == len(LIMITS)


def test_a_program_is_given_every_check(tmp_path: Path) -> None:
    command = ["evaluate", str(tmp_path), "--format", "json", "--data-dir", str(tmp_path / "data")]
    printed = json.loads(CliRunner().invoke(cli, command).stdout)
    assert {finding["check"] for finding in printed["findings"]} == set(CHECKS)
    assert printed["findingsTotal"] == len(CHECKS)


@pytest.mark.parametrize(("form", "begins"), [("markdown", "# "), ("html", "<!DOCTYPE html>")])
def test_the_whole_report_is_printed_in_the_form_asked_for(tmp_path: Path, form: str, begins: str) -> None:
    (tmp_path / "train.py").write_text("import sklearn\n", encoding="utf-8")
    command = ["evaluate", str(tmp_path), "--format", form, "--data-dir", str(tmp_path / "data")]
    shown = CliRunner().invoke(cli, command)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith(begins)
    assert "X5.2" in shown.stdout
    assert "evaluated all of " in shown.stdout


def test_a_worker_without_a_shared_database_is_refused_with_what_to_set(tmp_path: Path) -> None:
    done = CliRunner(env={"MLESTAR_DATABASE_URL": ""}).invoke(cli, ["worker", "--data-dir", str(tmp_path)])
    assert isinstance(done.exception, InvalidInput)
    assert "shared PostgreSQL database" in str(done.exception)
    assert "MLESTAR_DATABASE_URL" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://me:a-secret@host/base", "MLESTAR_DATABASE_URL: .*postgresql://user"),
        ("WINDOW_CAP_TOKENS", "7", "MLESTAR_WINDOW_CAP_TOKENS: .*256"),
        ("TOKENS", "{a-secret", "tokens"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(name: str, value: str, says: str) -> None:
    done = CliRunner(env={f"MLESTAR_{name}": value}).invoke(cli, ["windows"])
    assert isinstance(done.exception, InvalidInput)
    assert re.search(says, str(done.exception))
    assert "a-secret" not in str(done.exception)
