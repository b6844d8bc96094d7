"""Registered models, their versions, and which version an environment points to, with the history of pointers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from mlestar.errors import NotFound
from mlestar.storage.tables_runs import model_pointers, models

if TYPE_CHECKING:
    from sqlalchemy import Connection


def newest_version(connection: Connection, workspace: str, name: str) -> dict[str, Any] | None:
    """The newest registered version of a model: version, sha256, record."""
    query = select(models).where(models.c.workspace == workspace, models.c.name == name)
    row = connection.execute(query.order_by(models.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else {"version": row.version, "sha256": row.sha256, "record": row.record}


def count_versions(connection: Connection, workspace: str, name: str) -> int:
    """How many versions are registered."""
    query = select(func.count()).where(models.c.workspace == workspace, models.c.name == name)
    return int(connection.execute(query).scalar_one())


def register(
    connection: Connection, *, workspace: str, name: str, run_id: str, sha256: str, record: Mapping[str, Any], at: float
) -> int:
    """Register a run's model and return its version; the same run again is the same version."""
    known = connection.execute(select(models.c.version).where(models.c.run_id == run_id)).scalar_one_or_none()
    if known is not None:
        return int(known)
    newest = newest_version(connection, workspace, name)
    version = newest["version"] + 1 if newest else 1
    connection.execute(
        insert(models).values(
            workspace=workspace,
            name=name,
            version=version,
            run_id=run_id,
            sha256=sha256,
            record=dict(record),
            created=at,
        )
    )
    return version


def point(
    connection: Connection, *, workspace: str, name: str, environment: str, version: int, at: float, reason: str
) -> None:
    """Move an environment's pointer to a version; earlier ones stay in its history.

    Raises:
        NotFound: The version is not registered.
    """
    query = select(models.c.version).where(models.c.workspace == workspace, models.c.name == name)
    versions = list(connection.execute(query.order_by(models.c.version)).scalars())
    if version not in versions:
        raise NotFound(f"model {name!r} has no version {version}", valid=versions, do="name a registered version")
    if (history := pointers(connection, workspace, name, environment)) and history[0]["version"] == version:
        return
    connection.execute(
        insert(model_pointers).values(
            workspace=workspace, name=name, environment=environment, version=version, at=at, reason=reason
        )
    )


def pointers(connection: Connection, workspace: str, name: str, environment: str) -> list[dict[str, Any]]:
    """Where an environment pointed over time, the present first."""
    table = model_pointers
    query = select(table).where(
        table.c.workspace == workspace, table.c.name == name, table.c.environment == environment
    )
    rows = connection.execute(query.order_by(table.c.id.desc()))
    return [{"version": row.version, "at": row.at, "reason": row.reason} for row in rows]


def all_pointers(connection: Connection, workspace: str) -> list[dict[str, Any]]:
    """Every move of a pointer of a workspace, newest first: name, environment, version, at, reason."""
    table = model_pointers
    rows = connection.execute(select(table).where(table.c.workspace == workspace).order_by(table.c.id.desc()))
    return [
        {
            "name": row.name, "environment": row.environment, "version": row.version, "at": row.at,
            "reason": row.reason,
        }
        for row in rows
    ]  # fmt: skip


def versions_of(connection: Connection, workspace: str, name: str = "") -> list[dict[str, Any]]:
    """Registered versions of a workspace (of one model, when named), newest first."""
    query = select(models).where(models.c.workspace == workspace)
    if name:
        query = query.where(models.c.name == name)
    rows = connection.execute(query.order_by(models.c.created.desc(), models.c.version.desc()))
    return [
        {
            "name": row.name, "version": row.version, "run_id": row.run_id, "sha256": row.sha256, "record": row.record,
            "created": row.created,
        }
        for row in rows
    ]  # fmt: skip
