"""The compose file's two replicas on one PostgreSQL: its commands and its environment, started without containers."""

from __future__ import annotations

import re
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import httpx2
import pytest
import yaml
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy.engine import make_url

from mlestar.execution.supervisor import lock_of
from support.patience import PATIENCE_S
from support.rest import Rest, free_port, running_command

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.postgres import Server

COMPOSE = Path(__file__).parents[2] / "examples" / "deploy" / "compose.yaml"
GIVEN = {"MLESTAR_TOKEN": "not-a-secret", "POSTGRES_PASSWORD": "nor-this"}
BEARER = {"Authorization": "Bearer not-a-secret"}
API = "/api/mle-star"
CONFIG = {"data": {"source": "sklearn:iris"}, "training": {"algorithm": "linear"}}


def environment_of(replica: dict[str, Any]) -> dict[str, str]:
    """What compose would set: `${NAME:-default}` and `${NAME:?message}` filled in."""

    def filled(match: re.Match[str]) -> str:
        return GIVEN.get(match["name"], match["default"] or "")

    variable = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\}")
    return {name: variable.sub(filled, value) for name, value in replica["environment"].items()}


@pytest.fixture(scope="module")
def url(postgres_server: Server) -> Generator[str]:
    """A database that is still empty."""
    with postgres_server.database(empty=True) as made:
        yield made


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The volume that both have at /data."""
    return tmp_path_factory.mktemp("replicas") / "data"


@pytest.fixture(scope="module")
def replicas(url: str, data_dir: Path) -> Generator[list[Rest]]:
    """Both servers."""
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    wanted = [service for name, service in services.items() if name.startswith("replica")]
    assert len(wanted) == 2
    starts: list[Any] = []
    for replica in wanted:
        environment = environment_of(replica)
        given = environment["MLESTAR_DATABASE_URL"]
        assert given == "postgresql+psycopg://mlestar:nor-this@postgres:5432/mlestar"
        environment |= {
            "MLESTAR_DATABASE_URL": url,  # the same, at this server's address
            "MLESTAR_DATA_DIR": str(data_dir),
            "MLESTAR_SUPERVISOR_IDLE_S": "1",
        }
        command = [str(data_dir.parent) if word == "/projects" else word for word in replica["command"]]
        starts.append(running_command(command, port=free_port(), **environment))
    with starts[0] as first, starts[1] as second:
        yield [first, second]


def post(rest: Rest, path: str, **body: Any) -> Any:
    answer = rest.post(API + path, body, **BEARER)
    assert answer.status in {200, 202}, answer.text
    return answer.json


def get(rest: Rest, path: str) -> Any:
    answer = rest.get(API + path, **BEARER)
    assert answer.status == 200, answer.text
    return answer.json


def test_neither_answers_without_the_token(replicas: list[Rest]) -> None:
    assert [rest.get(f"{API}/score").status for rest in replicas] == [401, 401]


def test_what_one_was_told_the_other_knows(replicas: list[Rest]) -> None:
    first, second = replicas
    post(first, "/context7/update", windowId=1, content="Churn is counted after 30 idle days.", priority=5)
    assert "30 idle days" in str(get(second, "/context7/windows/1"))
    assert "30 idle days" in str(get(second, "/context7/windows/1?query=when+does+a+customer+churn"))
    thought = post(second, "/context7/sequential-think", problem="Which split?", steps=["look at time", "decide"])
    assert thought["success"] is True
    assert get(first, "/context7/report") == get(second, "/context7/report")


async def told(listener: Rest, writer: Rest, window: int) -> str:
    """What a subscriber of one server first hears while the other is written to."""
    heard: list[str] = []
    async with (
        httpx2.AsyncClient(headers=BEARER, timeout=PATIENCE_S) as http,
        Client(streamable_http_client(f"{listener.url}/mcp", http_client=http)) as client,
        anyio.create_task_group() as tasks,
    ):

        async def listen() -> None:
            async with client.listen(resource_subscriptions=[f"context7://window/{window}"]) as events:
                async for event in events:
                    heard.append(str(event))
                    break

        tasks.start_soon(listen)
        with anyio.fail_after(PATIENCE_S):
            while not heard:  # the first may come before the listener is there
                write = partial(post, writer, "/context7/update", windowId=window, content="Recall is 0.91")
                await anyio.to_thread.run_sync(write)
    return heard[0]


async def test_a_write_to_one_is_told_to_the_subscribers_of_the_other(replicas: list[Rest]) -> None:
    assert "context7://window/3" in await told(*replicas, window=3)


def test_a_run_that_one_started_is_followed_and_kept_by_the_other(replicas: list[Rest], data_dir: Path) -> None:
    first, second = replicas
    pipeline = post(first, "/pipeline/create", name="iris", config=CONFIG)["pipeline"]["id"]
    run = post(second, f"/pipeline/execute/{pipeline}", wait=0)["runId"]
    assert [known["runId"] for known in get(first, "/pipeline/runs")["runs"]] == [run]
    done = get(first, f"/pipeline/runs/{run}?wait=60")["run"]
    assert done["status"] == "succeeded", done
    assert get(second, f"/pipeline/runs/{run}")["run"] == done
    until = time.monotonic() + PATIENCE_S
    while not lock_of(data_dir).is_free():  # the supervisor ends after a second without a run
        assert time.monotonic() < until


async def test_both_say_that_the_database_is_away_and_go_on_when_it_is_back(
    replicas: list[Rest], url: str, postgres_server: Server
) -> None:
    name = make_url(url).database
    postgres_server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres_server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - our own name
    answers = [rest.get(f"{API}/context7/windows/1", **BEARER) for rest in replicas]
    assert [(answer.status, answer.json["code"]) for answer in answers] == 2 * [(503, "UNAVAILABLE")]
    assert "pg-" not in answers[0].text, "the address is nobody's business"
    assert [rest.get("/health").status for rest in replicas] == [200, 200]
    postgres_server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert "30 idle days" in str(get(replicas[0], "/context7/windows/1"))
    assert "context7://window/5" in await told(*replicas, window=5)
