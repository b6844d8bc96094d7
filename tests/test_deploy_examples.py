"""The deployment files, held to the product as far as that goes without a container engine."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from mlestar.interfaces.cli import cli
from mlestar.settings import Settings
from support.patience import PATIENCE_S
from support.rest import running_server

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "examples" / "deploy"
PORT = 8765
KNOWN_VARIABLES = {f"MLESTAR_{name.upper()}" for name in Settings.model_fields} | {"MLESTAR_TOKEN"}
TOKEN = "not-a-secret"  # noqa: S105 - of a server that lives as long as its test


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def last(name: str) -> str:
    return [rest for instruction, rest in instructions() if instruction == name][-1]


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] - the names of directives have capitals
    parser.read(DEPLOY / "mlestar.service", encoding="utf-8")
    return parser


COMMANDS = {
    "Dockerfile": lambda: json.loads(last("CMD")),
    "compose.yaml replica-1": lambda: compose()["services"]["replica-1"]["command"],
    "compose.yaml replica-2": lambda: compose()["services"]["replica-2"]["command"],
    "mlestar.service": lambda: shlex.split(unit()["Service"]["ExecStart"])[1:],
}


@pytest.mark.parametrize("file", COMMANDS)
def test_every_command_is_one_that_the_command_line_takes(file: str) -> None:
    name, *arguments = COMMANDS[file]()
    command: Any = typer.main.get_command(cli)
    given = command.commands[name].make_context(name, arguments).params
    assert (given["transport"], given["port"]) == ("http", PORT)
    assert given["root"], "nothing may be read"


def test_a_worker_shares_database_and_artifacts_with_the_replicas_and_answers_nobody() -> None:
    services = compose()["services"]
    worker, replica = services["worker"], services["replica-1"]
    name, *arguments = worker["command"]
    command: Any = typer.main.get_command(cli)
    assert command.commands[name].make_context(name, arguments).info_name == "worker"
    shared = ("environment", "volumes", "depends_on", "restart", "stop_grace_period")
    assert {part: worker[part] for part in shared} == {part: replica[part] for part in shared}
    assert worker["healthcheck"] == {"disable": True}


def test_every_variable_that_is_set_is_a_setting() -> None:
    texts = [file.read_text(encoding="utf-8") for file in DEPLOY.iterdir()]
    named = set(re.findall(r"^\s*(?:ENV |Environment=)?(MLESTAR_[A-Z_]+)[:=]", "\n".join(texts), re.MULTILINE))
    assert named - KNOWN_VARIABLES == set()
    assert {"MLESTAR_TOKEN", "MLESTAR_DATABASE_URL", "MLESTAR_DATA_DIR"} <= named


def test_the_image_runs_the_installed_command_without_rights_on_the_port_it_exposes() -> None:
    assert json.loads(last("ENTRYPOINT")) == ["mlestar"]
    assert last("USER").isdecimal()
    assert last("USER") != "0"
    assert last("EXPOSE") == str(PORT)
    assert f":{PORT}/health" in last("HEALTHCHECK")


def test_the_image_copies_what_the_package_is_built_from() -> None:
    copied = {
        part.removeprefix("./")
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for part in rest.split()[:-1]
    }
    assert all((ROOT / part).exists() for part in copied)
    built = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = built["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {
        "pyproject.toml",
        "src",
        built["project"]["readme"],
        *built["project"]["license-files"],
        *included,
    } <= copied


@pytest.mark.parametrize("name", ["FROM", "image"])
def test_every_base_image_is_of_a_stated_version(name: str) -> None:
    used = [rest.split()[0] for instruction, rest in instructions() if instruction == name]
    used += [service["image"] for service in compose()["services"].values() if name in service]
    assert used
    assert all(re.search(r":[\w.-]+$", image) and not image.endswith(":latest") for image in used)


def test_two_replicas_share_one_database_and_start_after_it() -> None:
    services = compose()["services"]
    replicas = [service for name, service in services.items() if name.startswith("replica")]
    assert len(replicas) == 2
    for replica in replicas:
        assert replica["environment"]["MLESTAR_DATABASE_URL"].startswith("postgresql+psycopg://")
        assert replica["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"]
    assert {volume.partition(":")[0] for volume in replicas[0]["volumes"]} & set(compose()["volumes"]) == {"state"}


def test_the_proxy_reaches_every_replica_and_keeps_streams_open() -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    names = {name for name in compose()["services"] if name.startswith("replica")}
    assert set(re.findall(rf"server ([\w-]+):{PORT};", text)) == names
    assert "proxy_buffering off;" in text
    assert re.search(r"hash \$\S+", text), "a 2025-11-25 session would be sent to the replica that does not know it"


def test_no_secret_is_written_down_and_none_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    secrets = re.findall(r"\$\{(\w*(?:TOKEN|PASSWORD)\w*)(\S)", text)
    assert {name for name, _ in secrets} == {"MLESTAR_TOKEN", "POSTGRES_PASSWORD"}
    assert len(re.findall(r"\$\{\w*(?:TOKEN|PASSWORD)\w*:\?", text)) == len(secrets)


def test_the_unit_is_sandboxed_and_keeps_its_state_where_systemd_makes_it() -> None:
    service = unit()["Service"]
    assert service["Environment"] == f"MLESTAR_DATA_DIR=/var/lib/{service['StateDirectory']}"
    assert (service["DynamicUser"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "yes", "strict")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="lacks systemd-analyze: comes with systemd")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "mlestar.service").read_text(encoding="utf-8")
    installed = tmp_path / "mlestar.service"  # with a program that is here, for systemd looks
    installed.write_text(text.replace("/opt/mlestar/bin/mlestar", sys.executable), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(installed)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_image_s_command_serves_here_once_it_has_a_token(tmp_path: Path) -> None:
    _, *options = json.loads(last("CMD"))
    options[options.index("/projects")] = str(tmp_path)
    with running_server(tmp_path / "data", *options, "--token", TOKEN) as server:
        assert server.get("/api/mle-star/score").status == 401
        assert server.get("/api/mle-star/score", Authorization=f"Bearer {TOKEN}").status == 200
