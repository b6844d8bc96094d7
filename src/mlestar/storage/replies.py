"""Keeps the reply of a write for a retry of the same request, inside the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select

from mlestar.storage.tables_memory import replies

if TYPE_CHECKING:
    from sqlalchemy import Connection

_REPLY = select(replies.c.fingerprint, replies.c.reply).where(
    replies.c.workspace_id == bindparam("workspace"), replies.c.request_id == bindparam("request")
)


def kept(connection: Connection, workspace: int, request: str) -> tuple[str, Any] | None:
    """Fingerprint and reply of an earlier request of this id."""
    row = connection.execute(_REPLY, {"workspace": workspace, "request": request}).one_or_none()
    return None if row is None else (row.fingerprint, row.reply)


def keep(connection: Connection, workspace: int, request: str, *, fingerprint: str, reply: Any, now: float) -> None:
    """Keep a reply for a retry of the same request."""
    connection.execute(
        insert(replies).values(workspace_id=workspace, request_id=request, fingerprint=fingerprint, reply=reply, at=now)
    )


def forget(connection: Connection, workspace: int, before: float) -> None:
    """Forget replies kept before a time."""
    connection.execute(delete(replies).where(replies.c.workspace_id == workspace, replies.c.at < before))
