"""The alerts of every workspace: which stand, what changed, and telling whoever listens.

Runs end in the supervisor's process and windows are written by any server of the data folder, so alerts are not
settled where things are written but by looking at what was: `AlertWatch` looks, and tells what it finds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from sqlalchemy.exc import IntegrityError

from mlestar.core.score.summary import from_json
from mlestar.errors import Unavailable
from mlestar.services.memory.arguments import checked_workspace
from mlestar.storage import alert_log
from mlestar.storage import findings as stored
from mlestar.storage.alerts import alerts_of, alerts_of_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.score.alerting import Alert, Thresholds
    from mlestar.storage.alert_log import AlertEvent, Marks, StandingAlert
    from mlestar.storage.database import Database

LOOK_EVERY_S = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AlertList:
    """The alerts of a workspace that stand; `last_event` is the id to go on from."""

    workspace: str
    alerts: tuple[StandingAlert, ...]
    last_event: int


class AlertsService:
    """Settles and reads alerts.

    Those of scores count only in a workspace that was evaluated: an empty one has nothing to warn of.
    """

    def __init__(self, *, database: Database, thresholds: Thresholds, post: bool, clock: Callable[[], float]) -> None:
        """`post`: whether every change is also to be posted to the webhook."""
        self._database = database
        self._thresholds = thresholds
        self._post = post
        self._clock = clock
        self._told = anyio.Event()

    async def standing(self, *, workspace: str = "default") -> AlertList:
        """The alerts that stand now.

        Raises:
            InvalidInput: It is not a workspace's name.
        """
        name = checked_workspace(workspace)
        await self.settle(name)
        return await self._database.reading(
            lambda connection: AlertList(
                workspace=name,
                alerts=tuple(alert_log.standing(connection, name)),
                last_event=alert_log.newest_event(connection, name),
            )
        )

    async def events(self, *, workspace: str = "default", after: int = 0) -> list[AlertEvent]:
        """What was raised and cleared after an event, in order, at most 500."""
        name = checked_workspace(workspace)
        return await self._database.reading(
            lambda connection: alert_log.events_after(connection, after, workspace=name)
        )

    async def wait(self, seconds: float) -> None:
        """Until somewhere an alert was raised or cleared, or the time is up."""
        with anyio.move_on_after(seconds):
            await self._told.wait()

    def tell(self) -> None:
        """Wake whoever waits."""
        self._told.set()
        self._told = anyio.Event()

    async def settle(self, workspace: str) -> None:
        """Bring the standing alerts up to date; writes only when they changed."""
        if not await self._database.reading(lambda connection: self._differs(connection, workspace)):
            return
        try:
            await self._database.writing(
                lambda connection: alert_log.settle(
                    connection, workspace, self._now(connection, workspace), at=self._clock(), post=self._post
                )
            )
        except IntegrityError:  # another process settled the same at the same moment: nothing is left to do
            _log.debug("the alerts of %s were settled elsewhere", workspace)

    def _differs(self, connection: Connection, workspace: str) -> bool:
        kept = {(alert.kind, alert.about, alert.message) for alert in alert_log.standing(connection, workspace)}
        return kept != {(alert.kind, alert.about, alert.message) for alert in self._now(connection, workspace)}

    def _now(self, connection: Connection, workspace: str) -> tuple[Alert, ...]:
        kept = stored.scorecard_of(connection, workspace)
        if kept is None:
            return tuple(alerts_of_state(connection, workspace, self._thresholds))
        return alerts_of(connection, workspace, from_json(kept["summary"]), self._thresholds)


class AlertWatch:
    """Looks at what was written, settles alerts, and tells: `on_change(workspace, alerts_changed)` a workspace."""

    def __init__(self, alerts: AlertsService, database: Database, on_change: Callable[[str, bool], None]) -> None:
        """Nothing is opened."""
        self._alerts = alerts
        self._database = database
        self._on_change = on_change
        self._marks: Marks | None = None
        self._last_event = 0

    async def run(self, *, also: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        """Look every `LOOK_EVERY_S` until cancelled.

        With nothing to post, a database that this process has not used yet stays unopened: nobody can be listening.

        Args:
            also: Posts what is due; run beside the looking, so that a slow receiver holds nothing up.
        """
        async with anyio.create_task_group() as tasks:
            if also is not None:
                tasks.start_soon(also)
            while True:
                await anyio.sleep(LOOK_EVERY_S)
                if also is None and not self._database.is_open:
                    continue
                try:
                    await self.look()
                except Unavailable as error:
                    _log.warning("alerts are looked at again later: %s", error)

    async def look(self) -> None:
        """Settle the alerts of every workspace that was written to since the look before; tell what changed."""
        before = self._marks
        if before is None:
            await self._first_look()
            return
        now, scored, touched = await self._database.reading(lambda connection: _since(connection, before))
        for workspace in sorted(scored | touched):
            await self._alerts.settle(workspace)
        self._marks = now
        events = await self._database.reading(lambda connection: alert_log.events_after(connection, self._last_event))
        changed = {event.workspace for event in events}
        for workspace in sorted(changed | scored):
            self._on_change(workspace, workspace in changed)
        if events:
            self._last_event = events[-1].id
            self._alerts.tell()

    async def _first_look(self) -> None:
        """What happened while no server was there is settled, and told by its events."""

        def read(connection: Connection) -> tuple[Marks, int, set[str]]:
            newest = alert_log.newest_event(connection)
            return alert_log.marks_of(connection), newest, alert_log.known_workspaces(connection)

        marks, self._last_event, known = await self._database.reading(read)
        for workspace in sorted(known):
            await self._alerts.settle(workspace)
        self._marks = marks
        await self.look()


def _since(connection: Connection, before: Marks) -> tuple[Marks, set[str], set[str]]:
    now = alert_log.marks_of(connection)
    if now == before:
        return now, set(), set()
    return now, alert_log.scored_since(connection, before), alert_log.touched_since(connection, before)
