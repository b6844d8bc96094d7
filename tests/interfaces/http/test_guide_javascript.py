"""The integration guide's three JavaScript examples, run by Node's own fetch."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.node import node
from support.patience import PATIENCE_S
from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.rest import Rest

GUIDE = (Path(__file__).parents[2] / "data" / "integration-guide.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```javascript\n(.*?)```", GUIDE, re.DOTALL)
PRELUDE = """
const relative = fetch;
globalThis.fetch = async (path, options) => {{
  const answer = await relative("{url}" + path, options);
  if (answer.status >= 400) throw new Error(path + " answered " + answer.status + " " + await answer.text());
  return answer;
}};
"""
RUNS = "/api/mle-star/pipeline/runs"
STAGES = "data features training evaluation deployment"
SAYS = {
    "1": ("", "MLE Star Score: 0/100\nProduction Ready: No"),
    "2": (
        "\nconsole.log(results.map((stage) => stage.name).join(' '));",
        "data features training evaluation deployment",
    ),
    "3": ("\nconsole.log((await thinkingResponse.json()).result.sequentialSteps.length);", "1"),
}


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with running_server(tmp_path_factory.mktemp("javascript")) as server:
        yield server
        for run in server.get(RUNS).json["runs"]:
            server.post(f"{RUNS}/{run['runId']}/cancel")


@pytest.mark.parametrize("number", SAYS)
def test_an_example_of_the_guide_runs_as_written(rest: Rest, tmp_path: Path, number: str) -> None:
    shown, expected = SAYS[number]
    script = tmp_path / "example.mjs"
    script.write_text(PRELUDE.format(url=rest.url) + EXAMPLES[int(number) - 1] + shown, encoding="utf-8")
    done = subprocess.run([node(), str(script)], capture_output=True, encoding="utf-8", timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == expected
