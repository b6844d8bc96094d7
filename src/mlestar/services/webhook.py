"""Posts alerts to one address, signed, again and again until it accepts them; a restart goes on where it stood.

The form is that of Standard Webhooks 1.0 (https://www.standardwebhooks.com): headers webhook-id, webhook-timestamp and
webhook-signature, the last one `v1,` and the base64 of an HMAC-SHA256 over "id.timestamp.body".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio

from mlestar.errors import Unavailable
from mlestar.storage import alert_log

if TYPE_CHECKING:
    from mlestar.storage.alert_log import AlertEvent
    from mlestar.storage.database import Database

WAITS_S = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 3600.0, 7200.0, 14400.0, 28800.0)
"""Before each further try: about 16 hours in all, then the delivery is given up and said so in the log."""
ANSWER_S = 10.0
LEASE_S = 30.0
"""One process posts a delivery for so long; a killed one's is taken up after it."""
LOOK_EVERY_S = 0.5
PREFIX = "whsec_"
_log = logging.getLogger(__name__)


def signature(secret: str, *, id: str, timestamp: int, body: bytes) -> str:  # noqa: A002 - the standard's name
    """What the header webhook-signature says of a body."""
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()


class Webhook:
    """Makes the deliveries that the alerts' events left in the database."""

    def __init__(self, *, database: Database, url: str, secret: str, clock: Callable[[], float]) -> None:
        """Nothing is sent before `run` or `post_due`."""
        self._database = database
        self._url = url
        self._secret = secret
        self._clock = clock

    async def run(self) -> None:
        """Post what is due, until cancelled."""
        while True:
            try:
                while await self.post_due():
                    pass
            except Unavailable as error:
                _log.warning("alerts are posted later: %s", error)
            await anyio.sleep(LOOK_EVERY_S)

    async def post_due(self) -> bool:
        """Make the delivery that is due longest; False when none is."""
        claimed = await self._database.writing(
            lambda connection: alert_log.claim_due(connection, now=self._clock(), lease_s=LEASE_S)
        )
        if claimed is None:
            return False
        event, tries = claimed
        said = await self._post(event)
        if not said:
            await self._database.writing(lambda connection: alert_log.done_with(connection, event.id))
        elif tries < len(WAITS_S):
            until = self._clock() + WAITS_S[tries]
            await self._database.writing(
                lambda connection: alert_log.put_off(connection, event.id, until=until, said=said)
            )
        else:
            _log.error("alert %s was given up after %s tries to post it: %s", event.id, tries + 1, said)
            await self._database.writing(lambda connection: alert_log.done_with(connection, event.id))
        return True

    async def _post(self, event: AlertEvent) -> str:
        """What went wrong; empty when the receiver accepted it."""
        import httpx2

        fields = asdict(event) | {"type": f"alert.{event.state}"}
        body = json.dumps(fields, ensure_ascii=False).encode()
        key, timestamp = f"mlestar-alert-{event.id}", int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(timestamp),
        }
        if self._secret:
            headers["webhook-signature"] = signature(self._secret, id=key, timestamp=timestamp, body=body)
        try:
            # A redirect is a failed try: following one could lead to an address that only this machine can reach.
            async with httpx2.AsyncClient(timeout=ANSWER_S, follow_redirects=False) as client:
                answer = await client.post(self._url, content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return f"{type(error).__name__}: {error}"[:200]
        accepted = HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES
        return "" if accepted else f"HTTP {answer.status_code}"
