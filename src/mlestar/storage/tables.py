"""Every table, gathered for the migrations."""

from mlestar.storage import tables_alerts, tables_findings, tables_memory, tables_runs
from mlestar.storage.metadata import metadata

__all__ = ["metadata", "tables_alerts", "tables_findings", "tables_memory", "tables_runs"]
