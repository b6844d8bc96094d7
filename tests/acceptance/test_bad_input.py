from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from mcp import Client

REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a missing file names the roots": ({"train": "{root}/nowhere.csv", "target": "y"}, ["NOT_FOUND", "nowhere.csv"]),
    "a path outside the roots is refused": ({"project": "/etc"}, ["OUTSIDE_ROOTS", "{root}"]),
    "a link that leaves the roots is refused": ({"train": "{root}/way_out.csv"}, ["OUTSIDE_ROOTS"]),
    "a target that the data does not have names the columns": (
        {"train": "{root}/data.csv", "target": "churn"},
        ["NOT_FOUND", "churn", "amount"],
    ),
    "an empty file is refused": ({"train": "{root}/empty.csv", "target": "y"}, ["empty"]),
    "an unknown kind of evidence names the five": (
        {"evidence": {"modelMetricz": {"accuracy": 1}}, "dimension": "all"},
        ["modelMetrics"],
    ),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = [f"{n},{n * 0.5},{n % 2}" for n in range(60)]
    (tmp_path / "data.csv").write_text("\n".join(["id,amount,label", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "way_out.csv").symlink_to("/etc/passwd")
    return tmp_path


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_evaluation(client: Client, root: Path, case: str) -> None:
    given, expected = REFUSED[case]
    arguments = {
        name: value.format(root=root) if isinstance(value, str) else value
        for name, value in ({"dimension": "training"} | given).items()
    }
    result = await client.call_tool("evaluate_dimension", arguments)
    text = getattr(result.content[0], "text", "")
    assert result.is_error
    for part in expected:
        assert part.format(root=root) in text
    history = await client.call_tool("get_score", {"view": "history"})
    assert history.structured_content is not None
    assert history.structured_content["history"] == []


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"data": {"source": "{root}/data.csv", "target": "label", "sead": 1}}, ["sead", "seed"]),
        ({"data": {"source": "{root}/data.csv", "target": "nothing"}}, ["nothing", "amount"]),
        ({"data": {"source": "{root}/empty.csv", "target": "label"}}, ["empty"]),
        ({"data": {"source": "sklearn:titanic"}}, ["titanic", "breast_cancer"]),
        ({"training": {"algorithm": "auto"}}, ["data.source"]),
    ],
)
async def test_refused_or_failed_run_says_why(
    client: Client, root: Path, config: dict[str, Any], expected: list[str]
) -> None:
    given = json.loads(json.dumps(config).replace("{root}", str(root)))
    result = await client.call_tool("run_pipeline", {"name": "bad", "config": given, "wait_s": 25})
    answered = result.structured_content or {}
    text = getattr(result.content[0], "text", "")
    assert result.is_error or answered["status"] == "failed"
    for part in expected:
        assert part in text
