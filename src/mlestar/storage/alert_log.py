"""The alerts that stand, kept up to date by difference; what changed is an event, and perhaps a delivery to make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, union, update

from mlestar.storage.tables_alerts import alert_deliveries, alert_events, standing_alerts
from mlestar.storage.tables_findings import score_history, scorecards
from mlestar.storage.tables_memory import events as window_events
from mlestar.storage.tables_memory import workspaces
from mlestar.storage.tables_runs import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from mlestar.core.score.alerting import Alert

RAISED, CLEARED = "raised", "cleared"
KEPT_EVENTS_S = 30 * 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class StandingAlert:
    """An alert that stands since `since`, in seconds since 1970."""

    kind: str
    about: str
    message: str
    since: float


@dataclass(frozen=True, kw_only=True)
class AlertEvent:
    """An alert was raised or cleared. `id` only grows; `at` is in seconds since 1970."""

    id: int
    workspace: str
    at: float
    state: str
    kind: str
    about: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Marks:
    """How far the writes that can change alerts had come."""

    scored: int = 0
    window_events: int = 0
    run_ended: float = 0.0


def marks_of(connection: Connection) -> Marks:
    """How far they have come now."""
    return Marks(
        scored=connection.execute(select(func.max(score_history.c.id))).scalar_one() or 0,
        window_events=connection.execute(select(func.max(window_events.c.seq))).scalar_one() or 0,
        run_ended=connection.execute(select(func.max(runs.c.ended))).scalar_one() or 0.0,
    )


def scored_since(connection: Connection, marks: Marks) -> set[str]:
    """The workspaces whose score was written since."""
    query = select(score_history.c.workspace).where(score_history.c.id > marks.scored).distinct()
    return set(connection.execute(query).scalars())


def touched_since(connection: Connection, marks: Marks) -> set[str]:
    """The workspaces whose runs ended or whose windows were written since."""
    written = (
        select(workspaces.c.name)
        .join(window_events, window_events.c.workspace_id == workspaces.c.id)
        .where(window_events.c.seq > marks.window_events)
    )
    ended = select(runs.c.workspace).where(runs.c.ended > marks.run_ended)
    return set(connection.execute(union(written, ended)).scalars())


def known_workspaces(connection: Connection) -> set[str]:
    """Every workspace that something was written to."""
    query = union(select(workspaces.c.name), select(scorecards.c.workspace), select(runs.c.workspace))
    return set(connection.execute(query).scalars())


def standing(connection: Connection, workspace: str) -> list[StandingAlert]:
    """The alerts that stand, in the order raised."""
    query = select(standing_alerts).where(standing_alerts.c.workspace == workspace)
    rows = connection.execute(query.order_by(standing_alerts.c.since, standing_alerts.c.kind, standing_alerts.c.about))
    return [StandingAlert(kind=r.kind, about=r.about, message=r.message, since=r.since) for r in rows]


def settle(connection: Connection, workspace: str, now: Iterable[Alert], *, at: float, post: bool) -> list[int]:
    """Make `now` the standing alerts; answers the ids of the events that tell the difference."""
    wanted = {(alert.kind, alert.about): alert.message for alert in now}
    before = {(alert.kind, alert.about): alert.message for alert in standing(connection, workspace)}
    table = standing_alerts.c
    changed: list[int] = []
    for (kind, about), message in before.items():
        mine = (table.workspace == workspace) & (table.kind == kind) & (table.about == about)
        if (kind, about) not in wanted:
            gone = connection.execute(delete(standing_alerts).where(mine)).rowcount
            # another process may have cleared it in the meantime: it has told so
            if gone:
                changed.append(_tell(connection, workspace, at, CLEARED, kind=kind, about=about, message=message))
        elif wanted[kind, about] != message:
            connection.execute(update(standing_alerts).where(mine).values(message=wanted[kind, about]))
    for (kind, about), message in wanted.items():
        if (kind, about) not in before:
            row = {"workspace": workspace, "kind": kind, "about": about, "message": message, "since": at}
            connection.execute(insert(standing_alerts).values(row))
            changed.append(_tell(connection, workspace, at, RAISED, kind=kind, about=about, message=message))
    if post and changed:
        rows = [{"event_id": event, "tries": 0, "due": at, "said": ""} for event in changed]
        connection.execute(insert(alert_deliveries), rows)
    if changed:
        _forget_old(connection, at)
    return changed


def _tell(connection: Connection, workspace: str, at: float, state: str, *, kind: str, about: str, message: str) -> int:
    row = {"workspace": workspace, "at": at, "state": state, "kind": kind, "about": about, "message": message}
    key = connection.execute(insert(alert_events).values(row)).inserted_primary_key
    return int(key[0]) if key else 0


def _forget_old(connection: Connection, at: float) -> None:
    waiting = select(alert_deliveries.c.event_id)
    old = alert_events.c.at < at - KEPT_EVENTS_S
    connection.execute(delete(alert_events).where(old, alert_events.c.id.not_in(waiting)))


def newest_event(connection: Connection, workspace: str = "") -> int:
    """The id of the newest event, of one workspace or of all; 0 when there is none."""
    query = select(func.max(alert_events.c.id))
    return connection.execute(query.where(alert_events.c.workspace == workspace) if workspace else query).scalar() or 0


def events_after(connection: Connection, after: int, *, workspace: str = "", limit: int = 500) -> list[AlertEvent]:
    """The events after one, of one workspace or of all, in order."""
    query = select(alert_events).where(alert_events.c.id > after)
    if workspace:
        query = query.where(alert_events.c.workspace == workspace)
    return [_event(row) for row in connection.execute(query.order_by(alert_events.c.id).limit(limit))]


def claim_due(connection: Connection, *, now: float, lease_s: float) -> tuple[AlertEvent, int] | None:
    """The delivery that is due longest and the tries it had, for this process alone for `lease_s` seconds."""
    due = alert_deliveries.c
    query = select(due.event_id, due.due, due.tries).where(due.due <= now).order_by(due.due, due.event_id).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    mine = (due.event_id == row.event_id) & (due.due == row.due)
    if not connection.execute(update(alert_deliveries).where(mine).values(due=now + lease_s)).rowcount:
        return None  # another process was quicker
    event = connection.execute(select(alert_events).where(alert_events.c.id == row.event_id)).one()
    return _event(event), row.tries


def put_off(connection: Connection, event: int, *, until: float, said: str) -> None:
    """Note a try that failed, and when the next one is due."""
    row = alert_deliveries.c
    values = {"tries": row.tries + 1, "due": until, "said": said}
    connection.execute(update(alert_deliveries).where(row.event_id == event).values(values))


def done_with(connection: Connection, event: int) -> None:
    """Forget a delivery: it arrived, or was given up."""
    connection.execute(delete(alert_deliveries).where(alert_deliveries.c.event_id == event))


def waiting(connection: Connection) -> Sequence[Row[Any]]:
    """Deliveries still to make: event id, tries, due, what the last try met."""
    return connection.execute(select(alert_deliveries).order_by(alert_deliveries.c.event_id)).all()


def _event(row: Row[Any]) -> AlertEvent:
    names = [column.name for column in alert_events.c]
    return AlertEvent(**dict(zip(names, row, strict=True)))
