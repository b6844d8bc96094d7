"""A run whose model reads embeddings: its package in a process of its own, its vectors in the next run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlestar.execution.work import Channel
from mlestar.execution.worker import work
from mlestar.stages.members import installed
from mlestar.storage.artifacts import Artifacts

pytestmark = pytest.mark.skipif(not installed("embeddings"), reason="lacks the weights: mlestar[embeddings]")

VERIFY = """
import json, sys
from mlestar.execution.verify import verify
print(json.dumps(verify(json.load(sys.stdin), lambda *_: None)["checks"]))
"""
SAID = {
    0: ["sad", "gloomy", "miserable", "unhappy", "upset", "tearful", "hopeless", "lonely"],
    1: ["glad", "delighted", "cheerful", "happy", "thrilled", "joyful", "pleased", "merry"],
}


class Told(Channel):
    """Keeps what a worker tells instead of sending it."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.sources: list[str] = []

    def __call__(self, done: float, total: float | None, message: str) -> None:  # noqa: ARG002 - the channel's own
        self.messages.append(message)

    def event(self, value: Any) -> None:
        self.sources.append(value["source"])

    @property
    def embedded(self) -> int:
        return sum("embedding text" in message for message in self.messages)


def payload(folder: Path, **training: Any) -> dict[str, Any]:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 150)
    said = [f"{random.choice(SAID[one])} since {number} o'clock, they wrote" for number, one in enumerate(truth)]
    (folder / "files").mkdir(exist_ok=True)
    pd.DataFrame({"said": said, "mood": truth}).to_csv(folder / "files" / "moods.csv", index=False)
    config = {
        "data": {"source": "moods.csv", "target": "mood"}, "features": {"textFeatures": ["said"]},
        "training": {"algorithm": "embeddings", **training},
    }  # fmt: skip
    return {
        "config": config, "roots": [str(folder / "files")], "folder": str(folder), "max_rows": 10_000,
        "max_bytes": 2**20,
    }  # fmt: skip


def test_the_package_answers_the_same_in_a_fresh_process_and_the_next_run_makes_no_vector(tmp_path: Path) -> None:
    told, artifacts = Told(), Artifacts(tmp_path)
    given = payload(tmp_path)
    prints = work(given, told)["fingerprints"]
    assert told.embedded == 150
    records = dict(zip(("data", "features", "training", "evaluation"), map(artifacts.recall, prints), strict=True))
    asked = given | {
        "run_id": "run-1", "name": "moods", "records": records, "source_digest": told.sources[0], "previous": None,
        "versions": 0, "code_commit": "", "at": 0.0,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", VERIFY], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert checks["loads in a fresh process"]["outcome"] == "pass", checks
    again = Told()
    others = work(given | {"redo": ["training", "evaluation"]}, again)["fingerprints"]
    assert again.embedded == 0
    assert "fitting embeddings on all" in "".join(again.messages)
    first, second = (artifacts.recall(one[2]) for one in (prints, others))
    assert first is not None
    assert second is not None
    assert first["artifacts"] == second["artifacts"]
