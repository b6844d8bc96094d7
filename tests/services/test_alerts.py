from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.app import Services
from mlestar.core.evidence import Outcome
from mlestar.core.score.alerting import Alert, Thresholds, score_alerts
from mlestar.errors import InvalidInput
from mlestar.services.alerts import AlertWatch
from mlestar.services.webhook import WAITS_S, Webhook
from mlestar.settings import Settings
from mlestar.storage import alert_log
from support.boards import TOKENIZER
from support.findings import finding
from support.payloads import GUIDE

if TYPE_CHECKING:
    from mlestar.storage.alert_log import AlertEvent

SECRET_BYTES = b"a secret of some bytes"
SECRET = "whsec_" + base64.b64encode(SECRET_BYTES).decode()


def services_in(folder: Path, **settings: Any) -> Services:
    made = Services(Settings(data_dir=folder / "data", roots=(folder,), **settings))
    made.tokenizer = TOKENIZER
    return made


@pytest.fixture
async def services(tmp_path: Path, database_url: str) -> AsyncIterator[Services]:
    services = services_in(tmp_path, database_url=database_url)
    yield services
    services.close()


SCORES = {"scoping": 60.0, "training": 59.9, "overall": 69.9}
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "the guide's lines": ({}, [("overall", ""), ("dimension", "training"), ("drift", "partial")]),
    "an own line of the overall score": ({"overall_below": 69.9}, [("dimension", "training"), ("drift", "partial")]),
    "an own line of a dimension": (
        {"dimension_below": 60.1},
        [("overall", ""), ("dimension", "scoping"), ("dimension", "training"), ("drift", "partial")],
    ),
    "a fail of drift only": ({"partial_drift": False}, [("overall", ""), ("dimension", "training")]),
}


@pytest.mark.parametrize("case", CASES)
def test_score_alerts(case: str) -> None:
    lines, expected = CASES[case]
    drift = [Alert(kind="drift", about="partial", message="R5.3 partial")]
    found = score_alerts(SCORES, drift, Thresholds(**lines))
    assert [(alert.kind, alert.about) for alert in found] == expected


async def test_the_alerts_that_stand_are_those_of_the_score(services: Services) -> None:
    await services.evaluation.evaluate(dimension="all", evidence=GUIDE)
    standing = await services.alerts.standing()
    score = await services.scores.score()
    assert {(alert.kind, alert.about, alert.message) for alert in standing.alerts} == {
        (alert.kind, alert.about, alert.message) for alert in score.alerts
    }
    assert standing.alerts


async def test_a_workspace_that_was_never_evaluated_has_no_alerts(services: Services) -> None:
    await services.windows.update(window=1, content="a note")
    assert (await services.alerts.standing()).alerts == ()


async def test_a_workspace_that_is_no_name_is_refused(services: Services) -> None:
    with pytest.raises(InvalidInput):
        await services.alerts.standing(workspace="../x")


async def test_what_stays_is_told_once_and_what_ends_is_cleared(services: Services) -> None:
    await services.evaluation.evaluate(dimension="all", evidence=GUIDE)
    first = await services.alerts.standing()
    await services.evaluation.evaluate(dimension="all", evidence=GUIDE)
    again = await services.alerts.standing()
    assert again == first
    await services.evaluation.record_run_findings(
        run_id="run-1", name="toy", findings=[finding("R5.3", 0, outcome=Outcome.FAIL)]
    )
    await services.alerts.standing()
    await services.evaluation.record_run_findings(run_id="run-2", name="toy", findings=[finding("R5.3")])
    await services.alerts.standing()
    news = await services.alerts.events(after=first.last_event)
    assert [(event.state, event.kind, event.about) for event in news] == [
        ("raised", "drift", "fail"),
        ("cleared", "drift", "fail"),
    ]


async def test_a_look_tells_the_workspaces_that_changed_and_no_others(services: Services) -> None:
    told: list[tuple[str, bool]] = []
    await services.windows.update(workspace="quiet", window=1, content="x")
    watch = AlertWatch(services.alerts, services.database, lambda *change: told.append(change))
    await watch.look()
    assert told == []
    await services.evaluation.evaluate(workspace="busy", dimension="all", evidence=GUIDE)
    await services.windows.update(workspace="quiet", window=1, content="y")
    await watch.look()
    assert told == [("busy", True)]
    await services.evaluation.evaluate(workspace="busy", dimension="all", evidence=GUIDE)
    await watch.look()
    await watch.look()
    assert told == [("busy", True), ("busy", False)]


async def test_what_changed_while_no_server_ran_is_told_by_the_next_one(tmp_path: Path, database_url: str) -> None:
    before = services_in(tmp_path, database_url=database_url)
    await before.evaluation.evaluate(dimension="all", evidence=GUIDE)
    before.close()
    after = services_in(tmp_path, database_url=database_url)
    told: list[tuple[str, bool]] = []
    watch = AlertWatch(after.alerts, after.database, lambda *change: told.append(change))
    await watch.look()
    assert told == [("default", True)]
    after.close()


async def test_two_servers_tell_one_change_once(tmp_path: Path, database_url: str) -> None:
    one, other = services_in(tmp_path, database_url=database_url), services_in(tmp_path, database_url=database_url)
    await one.evaluation.evaluate(dimension="all", evidence=GUIDE)
    first, second = await one.alerts.standing(), await other.alerts.standing()
    assert first == second
    assert len(await one.alerts.events()) == len(first.alerts)
    one.close()
    other.close()


@dataclass
class Receiver:
    """A real one: answers with the statuses it was given, then accepts."""

    statuses: list[int]
    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiver(*statuses: int) -> Generator[Receiver]:
    kept = Receiver(statuses=list(statuses))

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = kept.statuses.pop(0) if kept.statuses else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{kept.url}/private")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Clock:
    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def one_event(services: Services, clock: Clock) -> AlertEvent:
    """A single alert, waiting to be posted."""
    alert = [Alert(kind="window", about="2", message="window 2 <is> full")]
    await services.database.writing(
        lambda connection: alert_log.settle(connection, "default", alert, at=clock(), post=True)
    )
    return (await services.alerts.events())[0]


def webhook(services: Services, url: str, clock: Clock) -> Webhook:
    return Webhook(database=services.database, url=url, secret=SECRET, clock=clock)


async def tries_kept(services: Services) -> list[tuple[int, str]]:
    rows = await services.database.reading(alert_log.waiting)
    return [(row.tries, row.said) for row in rows]


async def test_a_receiver_that_fails_twice_gets_the_alert_the_third_time_across_a_restart(
    tmp_path: Path, database_url: str
) -> None:
    clock = Clock()
    with receiver(500, 503) as kept:
        before = services_in(tmp_path, database_url=database_url)
        event = await one_event(before, clock)
        assert await webhook(before, kept.url, clock).post_due()
        assert not await webhook(before, kept.url, clock).post_due(), "tried again before its time"
        clock.now += WAITS_S[0]
        assert await webhook(before, kept.url, clock).post_due()
        assert await tries_kept(before) == [(2, "HTTP 503")]
        before.close()

        after = services_in(tmp_path, database_url=database_url)
        clock.now += WAITS_S[1]
        assert await webhook(after, kept.url, clock).post_due()
        assert await tries_kept(after) == []
        assert not await webhook(after, kept.url, clock).post_due()
        after.close()
    assert len(kept.got) == 3
    headers, body = kept.got[-1]
    sent = json.loads(body)
    assert (sent["type"], sent["id"], sent["message"]) == ("alert.raised", event.id, "window 2 <is> full")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(SECRET_BYTES, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert headers["webhook-timestamp"] == str(int(clock.now))
    assert len({one["webhook-id"] for one, _ in kept.got}) == 1, "a receiver tells a repeated delivery by its id"


async def test_a_redirect_is_not_followed(services: Services) -> None:
    clock = Clock()
    with receiver(302) as kept:
        await one_event(services, clock)
        await webhook(services, kept.url, clock).post_due()
        assert len(kept.got) == 1
        assert await tries_kept(services) == [(1, "HTTP 302")]


async def test_a_delivery_that_a_killed_process_had_claimed_is_taken_up(services: Services) -> None:
    clock = Clock()
    with receiver() as kept:
        await one_event(services, clock)
        await services.database.writing(lambda c: alert_log.claim_due(c, now=clock(), lease_s=30))
        assert not await webhook(services, kept.url, clock).post_due()
        clock.now += 30
        assert await webhook(services, kept.url, clock).post_due()
        assert len(kept.got) == 1


async def test_a_delivery_is_given_up_in_the_end(services: Services) -> None:
    clock = Clock()
    await one_event(services, clock)
    tries = 0
    while await tries_kept(services):
        assert await webhook(services, "http://127.0.0.1:9", clock).post_due()
        clock.now += max(WAITS_S)
        tries += 1
    assert tries == len(WAITS_S) + 1


async def test_nothing_waits_to_be_posted_without_an_address(services: Services) -> None:
    await services.evaluation.evaluate(dimension="all", evidence=GUIDE)
    assert (await services.alerts.standing()).alerts
    assert await tries_kept(services) == []


async def test_with_an_address_every_change_waits_to_be_posted(tmp_path: Path, database_url: str) -> None:
    made = services_in(tmp_path, database_url=database_url, webhook_url="http://127.0.0.1:9/hook")
    await made.evaluation.evaluate(dimension="all", evidence=GUIDE)
    standing = await made.alerts.standing()
    assert len(await tries_kept(made)) == len(standing.alerts) > 0
    made.close()
