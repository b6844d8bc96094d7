"""Brings a database to the newest schema, inside the caller's transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEWEST = "0001"
"""The newest revision in migrations/versions; a test holds it to the files."""
VERSION_TABLE = "schema_version"


def is_current(connection: Connection) -> bool:
    """Whether the schema is the newest one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return False
    current = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 - a constant
    return current == NEWEST


def ensure_current(connection: Connection) -> None:
    """Run the migrations that are missing.

    Alembic is imported only when there is something to do: opening an up-to-date database stays quick.
    """
    if is_current(connection):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
