"""Bad input over REST: the documented error shape and status, nothing lost, nothing leaked."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING

import pytest

from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.rest import Rest

API = "/api/mle-star"
UPDATE = f"{API}/context7/update"
CASES: dict[str, tuple[str, str, object, int, str]] = {
    "not JSON": ("POST", UPDATE, b"{", 422, ""),
    "not an object": ("POST", UPDATE, [1], 422, ""),
    "a missing field": ("POST", UPDATE, {"windowId": 1}, 422, "content"),
    "an unknown field": ("POST", UPDATE, {"windowId": 1, "content": "x", "prioritee": 1}, 422, "prioritee"),
    "window 8": ("POST", UPDATE, {"windowId": 8, "content": "x"}, 422, "1 (Scoping)"),
    "priority 9": ("POST", UPDATE, {"windowId": 1, "content": "x", "priority": 9}, 422, "critical"),
    "a wrong type": ("POST", f"{API}/model/train", {"name": "a", "dataSize": "many"}, 422, "dataSize"),
    "too many steps": ("POST", f"{API}/context7/sequential-think", {"problem": "p", "steps": ["s"] * 101}, 422, "100"),
    "an unknown key of a config": (
        "POST",
        f"{API}/pipeline/create",
        {"name": "p", "config": {"data": {"source": "sklearn:iris", "sead": 1}}},
        422,
        "seed",
    ),
    "an unknown pipeline": ("POST", f"{API}/pipeline/execute/nothing", {}, 404, "nothing"),
    "an unknown run": ("GET", f"{API}/pipeline/runs/nothing", None, 404, "nothing"),
    "the events of an unknown run": ("GET", f"{API}/pipeline/runs/nothing/events", None, 404, "nothing"),
    "cancelling an unknown run": ("POST", f"{API}/pipeline/runs/nothing/cancel", None, 404, "nothing"),
    "an unknown check": ("GET", f"{API}/checks/Z9.9", None, 404, "Z9.9"),
    "an unknown view": ("GET", f"{API}/score?view=all", None, 422, "view"),
    "an unknown path": ("GET", f"{API}/nothing", None, 404, ""),
    "a wrong method": ("GET", UPDATE, None, 405, ""),
    "a path out of the roots": (
        "POST",
        f"{API}/evaluate/training",
        {"artifacts": {"train": "../../../../etc/passwd"}},
        403,
        "OUTSIDE_ROOTS",
    ),
    "a workspace that climbs": ("GET", f"{API}/score?workspace=../../etc", None, 422, "workspace"),
    "not a number": ("POST", UPDATE, b'{"windowId": 1, "content": NaN}', 422, "NaN"),
    "half a surrogate pair": ("POST", UPDATE, b'{"windowId": 1, "content": "x", "key": "\\ud800"}', 422, "surrogate"),
    "half a pair in a name of a claim": (
        "POST",
        f"{API}/evaluate/analysis",
        b'{"modelMetrics": {"\\ud800": 1}}',
        422,
        "surrogate",
    ),
    "bytes that are no text": ("POST", UPDATE, b'{"windowId": 1, "content": "\xff"}', 400, "INVALID_INPUT"),
    "too deep": ("POST", UPDATE, b'{"content": ' + b"[" * 100_000 + b"}", 400, "INVALID_INPUT"),
    "a version beyond any": (
        "POST",
        UPDATE,
        {"windowId": 1, "content": "x", "expectedVersion": 10**30},
        422,
        "expectedVersion",
    ),
    "a NUL in a name": ("POST", f"{API}/pipeline/create", {"name": "a\0b"}, 422, "name"),
    "no workspace": ("GET", f"{API}/pipeline/runs/nothing?workspace=", None, 422, "workspace"),
    "an event beyond any": ("GET", f"{API}/events?workspace=a%20b", None, 422, "workspace"),
    "content over 1 MiB": ("POST", UPDATE, {"windowId": 1, "content": "x" * (2 << 20)}, 413, "INPUT_TOO_LARGE"),
}


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with running_server(tmp_path_factory.mktemp("bad")) as server:
        yield server


@pytest.mark.parametrize("case", CASES)
def test_bad_request(rest: Rest, case: str) -> None:
    method, path, body, status, says = CASES[case]
    answer = rest.send(method, path, body)
    assert answer.status == status, answer.text
    assert set(answer.json) >= {"error", "message", "code"}
    assert says in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "'; DROP TABLE entries; --", "../../etc/passwd"])
def test_hostile_text_is_kept_as_text(rest: Rest, text: str) -> None:
    stored = rest.post(UPDATE, {"windowId": 7, "content": text})
    assert stored.status == 200
    entry = stored.json["receipt"]["ids"][0]
    read = rest.get(f"{API}/context7/windows/7").json["window"]["entries"]
    assert next(item for item in read if item["id"] == entry)["text"] == text


def test_a_body_that_is_not_sent_as_json_is_refused(rest: Rest) -> None:
    answer = rest.send("POST", UPDATE, {"windowId": 1, "content": "x"}, **{"Content-Type": "text/plain"})
    assert answer.status == 415
    assert answer.json["code"] == "UNSUPPORTED_MEDIA_TYPE"


def test_a_body_over_the_limit_that_states_no_length_is_cut_off(rest: Rest) -> None:
    connection = http.client.HTTPConnection(rest.url.removeprefix("http://"), timeout=10)
    part = b"x" * (1 << 20)
    sent = {"Content-Type": "application/json"}
    connection.request("POST", UPDATE, iter([part] * 4 + [b"x"]), sent, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.load(answer)["code"] == "INPUT_TOO_LARGE"
    connection.close()


def test_a_body_over_the_limit_is_refused_before_it_is_read(rest: Rest) -> None:
    connection = http.client.HTTPConnection(rest.url.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", UPDATE)
    connection.putheader("Content-Length", str(5 << 20))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.load(answer)["code"] == "INPUT_TOO_LARGE"
    connection.close()
