"""What a run made, asked for by name, over REST and from the command line."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.rest import Rest

API = "/api/mle-star"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="module")
def rest(folder: Path) -> Generator[Rest]:
    with running_server(folder) as server:
        yield server


@pytest.fixture(scope="module")
def run(rest: Rest) -> dict[str, Any]:
    config = {"data": {"source": "sklearn:iris"}, "training": {"algorithm": "linear"}}
    created = rest.post(f"{API}/pipeline/create", {"name": "iris", "config": config}).json["pipeline"]["id"]
    return rest.post(f"{API}/pipeline/execute/{created}", {"wait": 60}).json


def test_the_package_card_and_plots_of_a_run_are_files(rest: Rest, run: dict[str, Any]) -> None:
    made = f"{API}/pipeline/runs/{run['runId']}/artifacts"
    card = rest.get(f"{made}/card.md")
    assert "iris" in card.text
    assert card.headers["content-disposition"] == 'attachment; filename="card.md"'
    assert rest.get(f"{made}/metrics.svg").text.startswith("<svg")
    listed = run["stages"][4]["output"]["artifacts"]
    assert hashlib.sha256(card.text.encode()).hexdigest() == listed["card.md"]


def test_the_page_of_a_run_links_to_its_files(rest: Rest, run: dict[str, Any]) -> None:
    page = rest.get(f"/runs/{run['runId']}").text
    links = {name: address for address, name in re.findall(r'href="([^"]+)" download="([^"]+)"', page)}
    assert {"card.md", "model.skops", "reference_profile.json", "metrics.svg"} <= set(links)
    assert rest.get(links["reference_profile.json"]).json["rows"] > 0


@pytest.mark.parametrize("name", ["train.parquet", "predictions.npy", "nothing", "source"])
def test_rows_are_not_given_out_and_the_answer_names_what_is(rest: Rest, run: dict[str, Any], name: str) -> None:
    answer = rest.get(f"{API}/pipeline/runs/{run['runId']}/artifacts/{name}")
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")
    assert {"card.md", "model.skops", "metrics.svg"} <= set(answer.json["details"]["valid"])
    assert not any(one.endswith((".parquet", ".npy")) for one in answer.json["details"]["valid"])


def test_another_workspace_does_not_reach_it(rest: Rest, run: dict[str, Any]) -> None:
    assert rest.get(f"{API}/pipeline/runs/{run['runId']}/artifacts/card.md?workspace=other").status == 404


def test_the_command_writes_it_to_a_file(folder: Path, run: dict[str, Any], tmp_path: Path) -> None:
    output = tmp_path / "model.skops"
    command = [sys.executable, "-m", "mlestar", "artifact", run["runId"], "model.skops", str(output)]
    told = subprocess.run([*command, "--data-dir", str(folder)], capture_output=True, text=True, check=True).stdout
    assert told == f"{output}: {output.stat().st_size} bytes\n"
    assert hashlib.sha256(output.read_bytes()).hexdigest() == run["model"]["sha256"]


def test_a_file_that_cannot_be_written_is_said_so(folder: Path, run: dict[str, Any], tmp_path: Path) -> None:
    output = tmp_path / "absent" / "card.md"
    command = [sys.executable, "-m", "mlestar", "artifact", run["runId"], "card.md", str(output)]
    done = subprocess.run([*command, "--data-dir", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{output} cannot be written: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
