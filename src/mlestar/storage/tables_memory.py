"""The tables of the memory: workspaces, windows, entries, their history, and thinking sessions."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from mlestar.storage.metadata import metadata

ROW_ID = BigInteger().with_variant(Integer, "sqlite")

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("clock", BigInteger, nullable=False),  # +1 per transaction: its version, and the logical time of entries
    Column("next_number", BigInteger, nullable=False),
    Column("next_expiry", Float),  # seconds since the epoch; NULL when nothing expires
)

windows = Table(
    "windows",
    metadata,
    Column("workspace_id", ForeignKey("workspaces.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("tokens", Integer, nullable=False),  # of what it shows, without the header's reserve
    Column("important_tokens", Integer, nullable=False),
    Column("last_number", BigInteger, nullable=False),  # the newest entry written to it: the next one's neighbour
    Column("modified_at", Float, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("pk", ROW_ID, primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    Column("home", Integer, nullable=False),
    Column("shown_in", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("important", Boolean, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("key", String(200), nullable=False),
    Column("tags", JSON, nullable=False),
    Column("state", String(12), nullable=False),
    Column("level", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("view", Text),  # NULL at level 0, where the text is the view
    Column("tokens", Integer, nullable=False),
    Column("verbatim_tokens", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("follows", BigInteger, nullable=False),  # the entry written to the same window before it; 0 = none
    Column("superseded_by", BigInteger, nullable=False),  # 0 = none
    Column("touched", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    UniqueConstraint("workspace_id", "number", "part"),
)
# Conditions of partial indexes: a query uses such an index only if it states the condition in the same words.
SHOWN = text("state = 'live'")
SHOWN_WHOLE = text("part = 0 AND state IN ('live', 'split')")
KEYED = text("key <> ''")
IMPORTANT_ONLY = text("important")

_E = entries.c
Index("entries_live", _E.workspace_id, _E.shown_in, sqlite_where=SHOWN, postgresql_where=SHOWN)
Index("entries_standing", _E.workspace_id, _E.home, sqlite_where=SHOWN_WHOLE, postgresql_where=SHOWN_WHOLE)
Index("entries_same_text", _E.workspace_id, _E.sha256)
Index("entries_keyed", _E.workspace_id, _E.home, _E.key, sqlite_where=KEYED, postgresql_where=KEYED)
Index(
    "entries_important",
    _E.workspace_id,
    _E.state,
    _E.level,
    _E.verbatim_tokens,
    sqlite_where=IMPORTANT_ONLY,
    postgresql_where=IMPORTANT_ONLY,
)
EXPIRING = text("expires_at IS NOT NULL")
Index("entries_expiring", _E.workspace_id, _E.expires_at, sqlite_where=EXPIRING, postgresql_where=EXPIRING)

events = Table(
    "events",
    metadata,
    Column("seq", ROW_ID, primary_key=True, autoincrement=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False),
    Column("window", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),  # of that window, after the event
    Column("action", String(16), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("at", Float, nullable=False),
    sqlite_autoincrement=True,
)
Index("events_of_window", events.c.workspace_id, events.c.window, events.c.version)

replies = Table(
    "replies",
    metadata,
    Column("workspace_id", ForeignKey("workspaces.id"), primary_key=True),
    Column("request_id", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("reply", JSON, nullable=False),
    Column("at", Float, nullable=False),
)

thinking_sessions = Table(
    "thinking_sessions",
    metadata,
    Column("workspace_id", ForeignKey("workspaces.id"), primary_key=True),
    Column("session", String(64), primary_key=True),
    Column("problem", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("concluded", Boolean, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("modified_at", Float, nullable=False),
)

thoughts = Table(
    "thoughts",
    metadata,
    Column("workspace_id", ForeignKey("workspaces.id"), primary_key=True),
    Column("session", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),  # 1, 2, 3 ... in the order they came
    Column("number", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("branch", String(200), nullable=False),
    Column("branch_from", Integer, nullable=False),
    Column("revises", Integer, nullable=False),
    Column("entry_number", BigInteger, nullable=False),
    Column("next_needed", Boolean, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("at", Float, nullable=False),
)
