"""The alerts that stand, every one that was raised or cleared, and what is still to be posted of them."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from mlestar.storage.metadata import metadata

ROW_ID = BigInteger().with_variant(Integer, "sqlite")

standing_alerts = Table(
    "standing_alerts",
    metadata,
    Column("workspace", String(200), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("about", String(200), primary_key=True),
    Column("message", Text, nullable=False),
    Column("since", Float, nullable=False),
)
alert_events = Table(
    "alert_events",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("workspace", String(200), nullable=False),
    Column("at", Float, nullable=False),
    Column("state", String(10), nullable=False),  # raised, cleared
    Column("kind", String(20), nullable=False),
    Column("about", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Index("alert_events_of", "workspace", "id"),
    sqlite_autoincrement=True,  # an id is never used again: clients resume after it
)
alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("event_id", ROW_ID, ForeignKey("alert_events.id"), primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("due", Float, nullable=False),  # while one process posts it, the end of its lease
    Column("said", Text, nullable=False),  # what the last try met
    Index("alert_deliveries_by_due", "due"),
)
