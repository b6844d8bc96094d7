from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from mlestar.errors import Conflict, InputTooLarge, InvalidInput, OutsideRoots
from mlestar.execution.frames import prepared_from
from mlestar.execution.work import Channel
from mlestar.execution.worker import repeat_of, work
from mlestar.stages.deployment import load_model
from mlestar.storage.artifacts import Artifacts


class Told(Channel):
    """Keeps what a worker tells instead of sending it."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []

    def __call__(self, done: float, total: float | None, message: str) -> None:
        pass

    def event(self, value: Mapping[str, Any]) -> None:
        self.events.append(value)

    def stages(self) -> list[tuple[str, str, bool]]:
        return [(event["stage"], event["status"], event["reused"]) for event in self.events]


def rows(n: int = 300, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    return pd.DataFrame({"x": x, "z": random.normal(size=n), "y": (random.random(n) < 1 / (1 + np.exp(-2 * x))) * 1})


def payload(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    files = tmp_path / "files"
    files.mkdir(exist_ok=True)
    if not (files / "rows.csv").exists():
        rows().to_csv(files / "rows.csv", index=False)
    config = {"data": {"source": "rows.csv", "target": "y"}, "training": {"algorithm": "linear"}}
    usual = {"config": config, "roots": [str(files)], "folder": str(tmp_path), "max_rows": 10_000, "max_bytes": 2**20}
    return usual | changes


def test_four_stages_are_done_in_order_and_recalled_the_second_time(tmp_path: Path) -> None:
    first, again = Told(), Told()
    left = work(payload(tmp_path), first)
    assert work(payload(tmp_path), again) == left
    names = ("data", "features", "training", "evaluation")
    assert first.stages() == [(name, status, False) for name in names for status in ("running", "succeeded")]
    assert again.stages() == [(name, "succeeded", True) for name in names]


def test_two_folders_leave_the_same_files_for_the_same_config_and_data(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        told = Told()
        work(payload(tmp_path / name), told)
        hashes.append({event["stage"]: event["artifacts"] for event in told.events if event["status"] == "succeeded"})
    assert hashes[0] == hashes[1]


def test_a_second_training_predicts_what_the_first_did_whether_its_package_is_looked_at_or_asked(
    tmp_path: Path,
) -> None:
    artifacts = Artifacts(tmp_path)
    data, _, trained, evaluated = (
        artifacts.recall(one) or {} for one in work(payload(tmp_path), Told())["fingerprints"]
    )
    assert trained["private"]["repeated"]
    package = artifacts.get(trained["artifacts"]["model.skops"])
    files = {name: artifacts.get(sha256) for name, sha256 in data["artifacts"].items()}
    prepared = prepared_from(files, data["checks"])
    asked = repeat_of(load_model(package), b"another package", prepared)
    assert asked == {"repeated": False, "repeat_sha256": evaluated["private"]["prediction_sha256"]}
    assert repeat_of(None, package, prepared) == {"repeated": False, "repeat_sha256": ""}


def test_a_change_does_again_only_what_depends_on_it(tmp_path: Path) -> None:
    first, again = payload(tmp_path), payload(tmp_path)
    work(first, Told())
    again["config"]["evaluation"] = {"metrics": ["accuracy"]}
    told = Told()
    work(again, told)
    assert [reused for _, status, reused in told.stages() if status == "succeeded"] == [True, True, True, False]
    again["config"]["training"] = {"algorithm": "extra_trees"}
    told = Told()
    work(again, told)
    assert [reused for _, status, reused in told.stages() if status == "succeeded"] == [True, True, False, False]


def test_a_file_replaced_between_two_attempts_of_a_run_is_a_conflict(tmp_path: Path) -> None:
    told = Told()
    work(payload(tmp_path), told)
    before = told.events[0]["source"]
    rows(seed=1).to_csv(tmp_path / "files" / "rows.csv", index=False)
    with pytest.raises(Conflict, match=r"rows\.csv was changed since this run began"):
        work(payload(tmp_path, source_digest=before), Told())


def test_a_stage_whose_own_test_fails_passes_nothing_on(tmp_path: Path) -> None:
    given = payload(tmp_path)
    given["config"]["evaluation"] = {"minimum": {"accuracy": 0.999}}
    told = Told()
    with pytest.raises(InvalidInput, match=r"misses the minimum 0\.999"):
        work(given, told)
    assert told.stages()[-1] == ("evaluation", "failed", False)
    failed = [check["name"] for check in told.events[-1]["checks"] if check["outcome"] == "fail"]
    assert failed == ["declared minimum"]
    with pytest.raises(InvalidInput, match="misses the minimum"):
        work(given, Told())


def test_features_without_signal_stop_the_run_at_training_and_say_so(tmp_path: Path) -> None:
    noise = rows().assign(y=np.random.default_rng(3).integers(0, 2, 300))
    given = payload(tmp_path)
    noise.to_csv(tmp_path / "files" / "rows.csv", index=False)
    with pytest.raises(InvalidInput, match="no signal for this target"):
        work(given, Told())


def test_every_part_of_the_evaluation_has_a_drawing_that_names_what_it_shows(tmp_path: Path) -> None:
    given = payload(tmp_path)
    grouped = rows(600).assign(team=np.random.default_rng(5).choice(["<b>red</b>", "blue & green"], 600))
    grouped.to_csv(tmp_path / "files" / "rows.csv", index=False)
    given["config"]["evaluation"] = {"groups": ["team"]}
    told = Told()
    work(given, told)
    files = told.events[-1]["artifacts"]
    drawn = {
        name: "".join(ET.fromstring(Artifacts(tmp_path).get(sha256)).itertext())  # noqa: S314 - our own
        for name, sha256 in files.items()
        if name.endswith(".svg")
    }
    assert set(drawn) == {
        "importances.svg", "metrics.svg", "calibration.svg", "confusion.svg", "slices.svg", "fairness_0.svg",
    }  # fmt: skip
    assert "True positive rate by team" in drawn["fairness_0.svg"]
    assert all(name in drawn["fairness_0.svg"] for name in ("<b>red</b>", "blue & green"))
    assert "Weakest slices, roc_auc" in drawn["slices.svg"]


def test_a_file_over_the_limit_is_not_even_hashed(tmp_path: Path) -> None:
    given = payload(tmp_path, max_bytes=2**20)
    with (tmp_path / "files" / "rows.csv").open("wb") as file:
        os.truncate(file.fileno(), 10 * 2**30)  # sparse: ten GiB of nothing
    with pytest.raises(InputTooLarge, match="10240 MiB"):
        work(given, Told())


def test_a_file_outside_the_roots_is_refused(tmp_path: Path) -> None:
    given = payload(tmp_path)
    given["config"]["data"]["source"] = "../other.csv"
    with pytest.raises(OutsideRoots):
        work(given, Told())
