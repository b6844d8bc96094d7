"""Tables of pipelines, their runs, what happened in them, and the models they made."""

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from mlestar.storage.metadata import metadata

pipelines = Table(
    "pipelines",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("workspace", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("config", JSON, nullable=False),
    Column("created", Float, nullable=False),
)
runs = Table(
    "runs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("pipeline_id", String(40), ForeignKey("pipelines.id"), nullable=False),
    Column("workspace", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("roots", JSON, nullable=False),  # the folders its submitter may read
    Column("cancel_requested", Integer, nullable=False, default=0),
    Column("progress", JSON, nullable=False),
    Column("result", JSON, nullable=False),  # metrics, baselines, model, evidence, ablation
    Column("error", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("ended", Float, nullable=False, default=0.0),
    Column("forked_from", String(40), nullable=False, default=""),  # the run whose first stages it took over
    Index("runs_by_status", "status", "created"),
)
run_stages = Table(
    "run_stages",
    metadata,
    Column("run_id", String(40), ForeignKey("runs.id"), primary_key=True),
    Column("name", String(20), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", JSON, nullable=False),
    Column("artifacts", JSON, nullable=False),  # output name -> content hash
    Column("fingerprint", String(64), nullable=False, default=""),
    Column("starts", Integer, nullable=False, default=0),  # times its work was begun: 2 only after a lost worker
    Index("run_stages_by_fingerprint", "fingerprint"),
)
run_events = Table(
    "run_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(40), ForeignKey("runs.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("message", Text, nullable=False),
    Column("done", Float, nullable=False),
    Index("run_events_by_run", "run_id", "id"),
)
models = Table(
    "models",
    metadata,
    Column("workspace", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("run_id", String(40), nullable=False, unique=True),
    Column("sha256", String(64), nullable=False),
    Column("record", JSON, nullable=False),  # lineage: code commit, data hash, params, metrics, path
    Column("created", Float, nullable=False),
)
model_pointers = Table(
    "model_pointers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),  # the newest row of a name and place is the pointer
    Column("workspace", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("environment", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Index("model_pointers_by_place", "workspace", "name", "environment", "id"),
)
