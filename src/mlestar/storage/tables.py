"""Every table, gathered for the migrations."""

from mlestar.storage.metadata import metadata

__all__ = ["metadata"]
