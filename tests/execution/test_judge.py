"""One evaluation as its own process sees it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlestar.errors import NotFound
from mlestar.execution.judge import judge

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer_screening"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SCRIPT = """
import json, sys
from mlestar.execution.judge import judge
answer = judge(json.loads(sys.argv[1]), lambda *_: None)
print(json.dumps(answer, ensure_ascii=False))
"""


def payload(project: Path, **more: Any) -> dict[str, Any]:
    return {
        "claims": {},
        "dimensions": list("STARX"),
        "places": {"project": {"path": str(project), "shown": project.name, "boundary": str(project)}},
        "target": "",
        "groups": [],
        "time": "",
        "execute": False,
        "max_rows": 100_000,
        "max_bytes": 1 << 30,
        **more,
    }


def silent(_done: float, _total: float | None, _message: str) -> None:
    """No one listens."""


def test_the_answer_is_the_same_byte_for_byte_in_any_process(tmp_path: Path) -> None:
    """All checks on the example's project, data and predictions: hash seed, folder, threads and key order change."""
    claims = {"training": {"algorithm": "lightgbm", "trials": 70}, "scoping": {"goal": "find it", "data": "569 rows"}}
    backwards = {key: dict(reversed(claims[key].items())) for key in reversed(claims)}
    digests = {
        hashlib.sha256(
            subprocess.run(
                [sys.executable, "-c", SCRIPT, json.dumps(payload(EXAMPLE, claims=stated))],
                cwd=folder,
                env={
                    **os.environ,
                    "PYTHONHASHSEED": seed,
                    **dict.fromkeys(THREADS, threads),
                    "OMP_WAIT_POLICY": "PASSIVE",
                },
                capture_output=True,
                check=True,
            ).stdout
        ).hexdigest()
        for seed, folder, threads, stated in (("1", tmp_path, "1", claims), ("4242", Path.cwd(), "2", backwards))
    }
    assert len(digests) == 1


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    folder = tmp_path / "listed"
    folder.mkdir()
    rows = "\n".join(f"{i % 7},{i % 5},{i % 2}" for i in range(80))
    (folder / "train.csv").write_text("a,b,sick\n" + rows, encoding="utf-8")
    (folder / "ab_test.csv").write_text("arm,n,conversions\ncontrol,1000,100\ncall,1010,130\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.mlestar.inputs]\ntrain = "train.csv"\ntarget = "sick"\ntest = "../outside.csv"\n', encoding="utf-8"
    )
    (tmp_path / "outside.csv").write_text("a,b,sick\n1,2,0\n", encoding="utf-8")
    return folder


def test_a_project_names_its_own_inputs_and_only_inside_itself(listed: Path) -> None:
    answer = judge(payload(listed, dimensions=["T", "A"]), silent)
    assert answer["read"]["train"]["path"] == "train.csv"
    assert answer["given"] == ["project", "train", "target"]
    assert any("inputs.test" in problem and "outside" in problem for problem in answer["terms"]["problems"])
    sizes = next(finding for finding in answer["findings"] if finding["check"] == "A5.2")
    assert (sizes["outcome"], sizes["where"]["path"]) == ("pass", "ab_test.csv")


def test_a_column_that_is_not_there_names_the_nearest(listed: Path) -> None:
    with pytest.raises(NotFound) as refused:
        judge(payload(listed, target="sik"), silent)
    assert "'sick'" in refused.value.do


def test_a_model_named_by_itself_is_scanned_and_not_loaded(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    body = f"cposix\nsystem\n(S'touch {marker}'\ntR."
    model = tmp_path / "model.pkl"
    model.write_bytes(body.encode())
    places = {"model": {"path": str(model), "shown": "model.pkl", "boundary": str(tmp_path)}}
    answer = judge(payload(tmp_path, places=places, dimensions=["X"]), silent)
    finding = next(finding for finding in answer["findings"] if finding["check"] == "X3.3")
    assert (finding["outcome"], finding["level"], finding["where"]["path"]) == ("fail", "measured", "model.pkl")
    assert not marker.exists()
    assert [found["outcome"] for found in answer["findings"] if found["check"] == "X5.4"] == ["unknown"]


def test_progress_names_each_check_and_ends_at_its_total() -> None:
    told: list[tuple[float, float | None, str]] = []
    judge(payload(EXAMPLE, places={}, dimensions=["S"]), lambda *step: told.append(step))
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][0] == told[-1][1] == 18
    assert told[1][2].startswith("S1.1 ")
