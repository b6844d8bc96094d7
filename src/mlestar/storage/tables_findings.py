"""What the judge found, what it makes of it, and how that changed."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from mlestar.storage.metadata import metadata

findings = Table(
    "findings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("workspace", String(200), nullable=False),
    Column("dimension", String(1), nullable=False),
    Column(
        "run_id", String(64), nullable=False, comment="Empty: an evaluation found it; else the run that measured it."
    ),
    Column("check_id", String(8), nullable=False),
    Column("data", Text, nullable=False, comment="The finding as JSON."),
)
Index("findings_of", findings.c.workspace, findings.c.run_id, findings.c.dimension)

judged = Table(
    "judged",
    metadata,
    Column("workspace", String(200), primary_key=True),
    Column("dimension", String(1), primary_key=True),
    Column("at", Float, nullable=False, comment="Seconds since 1970, UTC."),
    Column("terms", Text, nullable=False, comment="What this dimension was judged under: waivers, overrides, profile."),
)

scorecards = Table(
    "scorecards",
    metadata,
    Column("workspace", String(200), primary_key=True),
    Column("data", Text, nullable=False, comment="The summary as JSON, brought up to date by every write of findings."),
    Column("findings", Text, nullable=False, comment="What decides each check, as shown, most important first; JSON."),
)

score_history = Table(
    "score_history",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("workspace", String(200), nullable=False),
    Column("at", Float, nullable=False, comment="Seconds since 1970, UTC."),
    Column("data", Text, nullable=False, comment="Scores, what was judged, and what changed since the entry before."),
)
Index("score_history_of", score_history.c.workspace, score_history.c.id)
