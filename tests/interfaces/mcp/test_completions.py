from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from mcp import MCPError
from mcp.types import PromptReference, ResourceTemplateReference
from sqlalchemy import insert

from mlestar.interfaces.mcp.completions import MOST_VALUES, ranked
from mlestar.storage import runs
from mlestar.storage.tables_memory import workspaces

if TYPE_CHECKING:
    from mcp import Client
    from sqlalchemy import Connection

    from mlestar.app import Services

CHECK = ResourceTemplateReference(uri="mlestar://check/{id}")
ENTRY = ResourceTemplateReference(uri="context7://{workspace}/entry/{id}")
RUN = ResourceTemplateReference(uri="run://{run_id}")
SESSION = ResourceTemplateReference(uri="context7://{workspace}/thinking/{session}")
WINDOW = ResourceTemplateReference(uri="context7://{workspace}/window/{n}")
EVALUATE = PromptReference(name="evaluate_project")

CASES: dict[str, tuple[Any, str, str, list[str]]] = {
    "checks by prefix": (CHECK, "id", "T2.", ["T2.1", "T2.2", "T2.3", "T2.4", "T2.5"]),
    "checks in lower case": (CHECK, "id", "x5", ["X5.1", "X5.2", "X5.3", "X5.4"]),
    "a dimension": (EVALUATE, "dimension", "re", ["reliability"]),
    "a prefix before a part": (EVALUATE, "dimension", "a", ["analysis", "all", "training", "reliability"]),
    "windows": (WINDOW, "n", "", ["1", "2", "3", "4", "5", "6", "7"]),
    "an entry's id is not listed": (ENTRY, "id", "", []),
    "free text has no completions": (EVALUATE, "project", "src", []),
    "an unknown prompt has none": (PromptReference(name="nothing"), "arg1", "t", []),
    "nothing matches": (CHECK, "id", "Z9", []),
    "no run yet": (RUN, "run_id", "", []),
}


async def complete(
    client: Client, ref: Any, name: str, value: str = "", context: dict[str, str] | None = None
) -> list[str]:
    result = await client.complete(ref, {"name": name, "value": value}, context)
    return result.completion.values


@pytest.mark.parametrize("case", CASES)
async def test_what_is_typed_is_completed_from_names_that_exist(client: Client, case: str) -> None:
    ref, name, typed, expected = CASES[case]
    assert await complete(client, ref, name, typed) == expected


async def test_workspaces_are_those_written_to_with_the_default_one_first(client: Client, services: Services) -> None:
    for workspace in ("churn", "alpha", "default"):
        await services.windows.update(workspace=workspace, window=1, content="a goal")
    assert await complete(client, EVALUATE, "workspace") == ["default", "alpha", "churn"]


async def test_sessions_are_those_of_the_workspace_chosen_before(client: Client, services: Services) -> None:
    thought = await services.thinking.think(workspace="churn", problem="why does recall fall", steps=["look"])
    assert await complete(client, SESSION, "session", context={"workspace": "churn"}) == [thought.session]
    assert await complete(client, SESSION, "session") == []


async def test_runs_are_completed_newest_first(client: Client, services: Services) -> None:
    pipeline = await services.pipelines.create(name="churn", config={"data": {"source": "sklearn:breast_cancer"}})

    def queue(connection: Connection) -> None:
        for at, run_id in enumerate(["run-old", "run-new"]):
            runs.insert_run(connection, run_id=run_id, pipeline=pipeline, roots=[], at=float(at))

    await services.database.writing(queue)
    assert await complete(client, RUN, "run_id", "run") == ["run-new", "run-old"]


async def test_a_workspace_name_that_cannot_be_is_refused(client: Client) -> None:
    with pytest.raises(MCPError) as refused:
        await complete(client, SESSION, "session", context={"workspace": "../etc"})
    assert refused.value.code == -32602


async def test_no_answer_is_longer_than_the_protocol_allows(client: Client, services: Services) -> None:
    rows = [{"name": f"w{number:03}", "clock": 1, "next_number": 1} for number in range(MOST_VALUES + 5)]
    await services.database.writing(lambda connection: connection.execute(insert(workspaces), rows))
    result = await client.complete(EVALUATE, {"name": "workspace", "value": "w"})
    assert len(result.completion.values) == MOST_VALUES
    assert (result.completion.total, result.completion.has_more) == (MOST_VALUES + 5, True)


def test_ranking_puts_prefixes_first_and_keeps_the_order_otherwise() -> None:
    assert ranked(["reliability", "all", "Analysis"], "a") == ["all", "Analysis", "reliability"]
