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
Index("entries_live", entries.c.workspace_id, entries.c.shown_in, sqlite_where=text("state = 'live'"))
Index(
    "entries_standing",
    entries.c.workspace_id,
    entries.c.home,
    sqlite_where=text("part = 0 AND state IN ('live', 'split')"),
)
Index("entries_same_text", entries.c.workspace_id, entries.c.sha256)
Index("entries_keyed", entries.c.workspace_id, entries.c.home, entries.c.key, sqlite_where=text("key <> ''"))
Index(
    "entries_important",
    entries.c.workspace_id,
    entries.c.state,
    entries.c.level,
    entries.c.verbatim_tokens,
    sqlite_where=text("important"),
)
Index("entries_expiring", entries.c.workspace_id, entries.c.expires_at, sqlite_where=text("expires_at IS NOT NULL"))

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
