from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.core.run import Pipeline, Status
from mlestar.storage import runs
from mlestar.storage.database import Database
from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from support.rest import Rest

PIPELINE = Pipeline(id="pipeline-1", workspace="default", name="cancer", config={}, created=1.0)
SHARED: dict[str, Any] = {"metric": "roc_auc", "splits": 5, "cost_s": 1.5}
ABLATION = [
    {**SHARED, "variant": "without 'age'", "effect": 0.051, "low": 0.032, "high": 0.07, "within_noise": False},
    {**SHARED, "variant": "with linear instead", "effect": -0.02, "low": -0.03, "high": -0.01, "within_noise": False},
    {**SHARED, "variant": "without <b>plan</b>", "effect": 0.001, "low": -0.02, "high": 0.022, "within_noise": True},
]
READINGS = ("earns its place", "better without", "within noise")


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    """A server whose folder holds a run with an ablation, and one without."""
    folder = tmp_path_factory.mktemp("runs")
    seed(folder / "mlestar.db")
    with running_server(folder) as server:
        yield server


def seed(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        runs.insert_pipeline(connection, PIPELINE)
        for run_id, result in (("run-ablated", {"ablation": ABLATION}), ("run-plain", {})):
            runs.insert_run(connection, run_id=run_id, pipeline=PIPELINE, roots=[], at=2.0)
            runs.move(connection, run_id, Status.RUNNING, at=3.0)
            runs.move(connection, run_id, Status.SUCCEEDED, at=9.0, result=result)
    database.close()


def rows(text: str) -> list[str]:
    """The table's rows as plain text, one line each."""
    table = re.search(r'aria-label="Table of the ablation">(.*?)</table>', text, re.DOTALL)
    assert table is not None
    body = table.group(1).partition("<tbody>")[2]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>") if "<td" in row]


def test_an_ablation_is_a_table_of_effects_with_interval_and_reading(rest: Rest) -> None:
    shown = rows(rest.get("/runs/run-ablated").text)
    assert [row.rpartition(" s ")[2] for row in shown] == list(READINGS)
    for row, part in zip(shown, ABLATION, strict=True):
        figures = re.findall(r"-?\d+\.\d+", row)[:3]
        assert [float(figure) for figure in figures] == [part["effect"], part["low"], part["high"]]
    assert "over 5 paired splits" in rest.get("/runs/run-ablated").text


def test_a_variant_is_text_and_never_markup(rest: Rest) -> None:
    assert "without &lt;b&gt;plan&lt;/b&gt;" in rest.get("/runs/run-ablated").text


def test_a_run_without_an_ablation_shows_none(rest: Rest) -> None:
    assert "What each part is worth" not in rest.get("/runs/run-plain").text
