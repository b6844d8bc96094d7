"""Alerts as they reach a client over HTTP: a list, server-sent events, MCP resource updates; how streams end."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from support.patience import PATIENCE_S
from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.rest import Rest

API = "/api/mle-star"


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with running_server(tmp_path_factory.mktemp("alerts")) as server:
        yield server


class Stream:
    """Server-sent events, one at a time."""

    def __init__(self, rest: Rest, path: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection(rest.url.removeprefix("http://"), timeout=PATIENCE_S)
        self._connection.request("GET", path, headers=headers)
        self.answer = self._connection.getresponse()

    def next(self) -> dict[str, Any]:
        event: dict[str, Any] = {}
        while line := self.answer.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif "data" in event:
                return event | {"data": json.loads(event["data"])}
        return {}

    def close(self) -> None:
        self._connection.close()


def test_an_evaluation_raises_alerts_on_the_stream_of_its_workspace_and_a_client_resumes(rest: Rest) -> None:
    path = f"{API}/events?workspace=sse"
    with closing(Stream(rest, path)) as stream, closing(Stream(rest, f"{API}/events?workspace=other")) as other:
        assert stream.next()["event"] == other.next()["event"] == "standing"
        rest.post(f"{API}/evaluate/analysis", {"modelMetrics": {"accuracy": 0.9}, "workspace": "sse"})
        first, second = stream.next(), stream.next()
        assert (first["event"], first["data"]["kind"]) == ("raised", "overall")
        rest.post(f"{API}/evaluate/analysis", {"modelMetrics": {"accuracy": 0.9}, "workspace": "other"})
        assert other.next()["data"]["workspace"] == "other"
    with closing(Stream(rest, path, **{"Last-Event-ID": first["id"]})) as resumed:
        assert resumed.next() == second
    standing = rest.get(f"{API}/alerts?workspace=sse").json["alerts"]["alerts"]
    score = rest.get(f"{API}/score?workspace=sse").json["alerts"]
    assert {alert["message"] for alert in standing} == {alert["message"] for alert in score}


@pytest.mark.filterwarnings("ignore:resources/subscribe is removed")  # in the modern era
async def test_an_evaluation_updates_the_score_and_the_alerts_for_who_watches_them(rest: Rest) -> None:
    watched = {"mlestar://mcp/score", "mlestar://mcp/alerts"}
    updated: set[str] = set()
    complete = anyio.Event()

    async def note(message: Any) -> None:
        if getattr(message, "method", "") == "notifications/resources/updated":
            updated.add(str(message.params.uri))
            if updated == watched:
                complete.set()

    async with Client(streamable_http_client(f"{rest.url}/mcp"), mode="legacy", message_handler=note) as client:
        for uri in watched:
            await client.session.subscribe_resource(uri)  # pyright: ignore[reportDeprecated] - see the mark
        arguments = {"dimension": "analysis", "evidence": {"accuracy": 0.9}, "workspace": "mcp"}
        await client.call_tool("evaluate_dimension", arguments)
        with anyio.fail_after(PATIENCE_S):
            await complete.wait()
        read = await client.read_resource("mlestar://mcp/alerts")
        alerts = json.loads(getattr(read.contents[0], "text", ""))["alerts"]
        assert [alert["kind"] for alert in alerts] == ["dimension"] * 5 + ["overall"]


def test_a_server_that_is_told_to_stop_ends_open_streams_and_waiting_calls_in_order(
    tmp_path_factory: pytest.TempPathFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    with running_server(tmp_path_factory.mktemp("stop")) as server:
        events, sse = Stream(server, f"{API}/events"), Stream(server, "/sse")
        assert events.next()["event"] == "standing"
        assert sse.answer.readline()
        config = {"data": {"source": "sklearn:iris"}, "training": {"algorithm": "linear"}}
        created = server.post(f"{API}/pipeline/create", {"name": "iris", "config": config}).json["pipeline"]["id"]
        waiting = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=PATIENCE_S)
        body = json.dumps({"wait": 60})
        waiting.request("POST", f"{API}/pipeline/execute/{created}", body, {"Content-Type": "application/json"})
        runs = f"{API}/pipeline/runs"
        while not server.get(runs).json["runs"]:
            pass
        server.process.terminate()
        assert events.answer.read() is not None
        assert sse.answer.read() is not None
        answer = waiting.getresponse()
        assert answer.status in {200, 503}  # the run may have ended within the grace
        answer.read()
        server.process.wait(timeout=PATIENCE_S)
        for connection in (events, sse, waiting):
            connection.close()
    said = capfd.readouterr().err
    assert "without completing" not in said
    assert "Traceback" not in said
