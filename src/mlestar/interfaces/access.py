"""What the present caller may do: which workspaces, and whether it may write.

The HTTP guard sets it for each request; it travels with the request's context into REST handlers and MCP tools.
Over stdio the caller is the user's own client and may do everything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mlestar.errors import Forbidden

if TYPE_CHECKING:
    from pathlib import Path

    from mlestar.settings import TokenGrant

EVERY_WORKSPACE = "*"


class AuditLog:
    """One JSON line a write that came over HTTP: when, who, what, where, how it ended."""

    def __init__(self, path: Path) -> None:
        """Remember the file; it is opened for each line, so it may be rotated at any time."""
        self._path = path

    def record(self, **line: str) -> None:
        """Append one line."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text = json.dumps({"at": now, **line}, ensure_ascii=False) + "\n"
        try:
            self._append(text.encode())
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._append(text.encode())

    def _append(self, line: bytes) -> None:
        # One bare write a line: every write of a client waits for it, and two processes' lines never mix.
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)


@dataclass(frozen=True, kw_only=True)
class Access:
    """One caller's rights. `workspaces` of None: every one. `audit` is told of writes and refusals.

    `identity` tells callers apart that have the same name; empty for whoever needs no token.
    """

    name: str
    identity: str = ""
    workspaces: frozenset[str] | None = None
    read_only: bool = False
    audit: AuditLog | None = None

    def opens(self, workspace: str) -> bool:
        """Whether this caller may look into a workspace."""
        return self.workspaces is None or workspace in self.workspaces

    def require(self, *, workspace: str, write: bool, action: str) -> None:
        """Refuse what this caller may not do; note what it does.

        Raises:
            Forbidden: Another workspace, or a write with a read-only token.
        """
        strange = not self.opens(workspace)
        forbidden = strange or (write and self.read_only)
        if self.audit is not None and (write or forbidden):
            outcome = "refused" if forbidden else "allowed"
            self.audit.record(who=self.name, action=action, workspace=workspace, outcome=outcome)
        if strange:
            raise Forbidden(
                f"The token {self.name!r} does not open the workspace {workspace!r}.",
                valid=sorted(self.workspaces or ()),
            )
        if forbidden:
            raise Forbidden(f"The token {self.name!r} may only read.", do="use a token that may write")


EVERYTHING = Access(name="local")
current: ContextVar[Access] = ContextVar("mlestar_access", default=EVERYTHING)


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256, never the token."""
    return hashlib.sha256(token.encode()).hexdigest()


class TokenReader(Protocol):
    """Reads tokens that others issue."""

    async def access_of(self, token: str) -> Access | None:
        """The rights of a token; None for one that is not good here."""
        ...


class Doorkeeper:
    """Knows the tokens by their digests, and asks `reader` about those it does not know."""

    def __init__(
        self, grants: tuple[TokenGrant, ...], token: str, audit: AuditLog, reader: TokenReader | None = None
    ) -> None:
        """`token` opens everything; `grants` say what the others open. None of the three: no token is asked for."""
        self._anyone = Access(name="anyone", audit=audit)
        self._reader = reader
        self._known: dict[str, Access] = {
            grant.sha256.lower(): Access(
                name=grant.name,
                identity=grant.sha256.lower(),
                workspaces=None if EVERY_WORKSPACE in grant.workspaces else frozenset(grant.workspaces),
                read_only=grant.read_only,
                audit=audit,
            )
            for grant in grants
        }
        if token:
            self._known[digest(token)] = Access(name="server", identity=digest(token), audit=audit)

    @property
    def asks(self) -> bool:
        """Whether a token is needed at all."""
        return bool(self._known) or self._reader is not None

    async def access_of(self, authorization: str) -> Access | None:
        """The rights of an Authorization header: `Bearer <token>`, or Basic with the token as password.

        Raises:
            MlestarError: What `reader` raises.
        """
        if not self.asks:
            return self._anyone
        token = _token_of(authorization)
        given = digest(token)
        # Every digest is compared, in constant time each: neither which one nor how much of it matched shows.
        matches = [access for known, access in self._known.items() if hmac.compare_digest(given, known)]
        if matches:
            return matches[0]
        return await self._reader.access_of(token) if self._reader and token else None


def _token_of(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return value
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return ""
        case _:
            return ""
