"""OAuth 2.1 resource server: tokens of the user's own authorization server open what their scopes say.

The server never issues a token. It publishes where to get one (RFC 9728), and accepts signed JWT access tokens
(RFC 9068) that name it as their audience (RFC 8707). Nothing is asked of the network unless the keys are configured
as an address.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio.to_thread
import jwt
from starlette.responses import JSONResponse
from starlette.routing import Route

from mlestar.errors import Forbidden, InvalidInput, Unavailable
from mlestar.interfaces.access import Access, digest

if TYPE_CHECKING:
    from starlette.requests import Request

    from mlestar.interfaces.access import AuditLog
    from mlestar.settings import Settings

READ, WRITE, WORKSPACE = "mlestar:read", "mlestar:write", "mlestar:workspace:"
SCOPES = (READ, WRITE)
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the authorization server can make; none that a shared secret makes."""
LEEWAY_S = 30
"""How far the two clocks may differ."""
REREAD_S = 30.0
"""Unknown key ids make the keys be read again at most this often: made-up ids must not flood their server."""
FETCH_S = 5
KEPT_S = 60.0
"""A token that was found good is not checked again for this long, or until it expires."""
MOST_KEPT = 1000
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class SigningKeys:
    """The authorization server's public keys (a JWK set), from a file or an address."""

    def __init__(self, source: str) -> None:
        """Remember where they are. A file is read at once, an address when the first token comes.

        Raises:
            InvalidInput: The file cannot be read or holds no keys, or the address is not https.
        """
        self._source = source
        self._reading = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        parts = urlsplit(source)
        self._is_address = parts.scheme in {"https", "http"}
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise InvalidInput("MLESTAR_OAUTH_JWKS is an http address.", do="use https: anyone could swap the keys")
        if not self._is_address:
            try:
                self._read()
            except Unavailable as error:
                raise InvalidInput(str(error), do="give MLESTAR_OAUTH_JWKS a readable JWK set") from error

    def of(self, token: str) -> jwt.PyJWK | None:
        """The key that a token says it was signed with; blocks while keys are read.

        Raises:
            Unavailable: The keys are not to be had now.
        """
        wanted = str(jwt.get_unverified_header(token).get("kid", ""))
        with self._reading:
            if wanted not in self._keys and time.monotonic() - self._read_at >= REREAD_S:
                self._read()
            if wanted or len(self._keys) != 1:
                return self._keys.get(wanted)
            return next(iter(self._keys.values()))

    def _read(self) -> None:
        try:
            keys = jwt.PyJWKSet.from_dict(self._fetched()).keys
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise Unavailable(
                f"The keys of the authorization server cannot be read from {self._source!r}: {type(error).__name__}."
            ) from error
        self._keys = {key.key_id or "": key for key in keys}
        self._read_at = time.monotonic()

    def _fetched(self) -> dict[str, Any]:
        if self._is_address:
            return jwt.PyJWKClient(self._source, timeout=FETCH_S).fetch_data()
        import json

        return json.loads(Path(self._source).read_text(encoding="utf-8"))


class ResourceServer:
    """Reads access tokens, and says where they are to be had."""

    def __init__(self, settings: Settings, audit: AuditLog) -> None:
        """Take issuer, audience and keys from the settings.

        Raises:
            InvalidInput: One of the three is missing or wrong.
        """
        values = {
            "MLESTAR_OAUTH_ISSUER": settings.oauth_issuer,
            "MLESTAR_OAUTH_RESOURCE": settings.oauth_resource,
            "MLESTAR_OAUTH_JWKS": settings.oauth_jwks,
        }
        missing = [name for name, value in values.items() if not value]
        if missing:
            raise InvalidInput(f"OAuth needs {', '.join(missing)} too.", valid=list(values), do="set all three or none")
        self._issuer = settings.oauth_issuer
        self._resource = settings.oauth_resource.rstrip("/")
        self._keys = SigningKeys(settings.oauth_jwks)
        self._audit = audit
        self._good: dict[str, tuple[float, Access]] = {}
        where = urlsplit(self._resource)
        self.metadata_path = f"/.well-known/oauth-protected-resource{where.path}"
        self._metadata_url = f"{where.scheme}://{where.netloc}{self.metadata_path}"

    async def access_of(self, token: str) -> Access | None:
        """The rights of an access token; None for one that is not good here.

        Raises:
            Forbidden: A good token without any of this server's scopes.
            Unavailable: The issuer's keys are not to be had now.
        """
        now, name = time.time(), digest(token)
        until, access = self._good.get(name, (0.0, None))
        if access is not None and now < until:
            return access
        claims = await anyio.to_thread.run_sync(self._claims_of, token)
        if claims is None:
            return None
        access = self._granted(claims)
        if len(self._good) >= MOST_KEPT:
            self._good.clear()
        self._good[name] = (min(float(claims["exp"]), now + KEPT_S), access)
        return access

    def challenge(self, error: str = "") -> str:
        """What a refusal tells the client in `WWW-Authenticate` (RFC 6750, RFC 9728)."""
        parts = {"error": error} if error else {}
        parts |= {"resource_metadata": self._metadata_url, "scope": " ".join(SCOPES)}
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items())

    def route(self) -> Route:
        """The resource's metadata (RFC 9728), open to everyone."""
        body = {
            "resource": self._resource,
            "authorization_servers": [self._issuer],
            "scopes_supported": list(SCOPES),
            "bearer_methods_supported": ["header"],
            "resource_name": "mlestar",
        }

        async def metadata(_: Request) -> JSONResponse:
            return JSONResponse(body, headers={"Cache-Control": "public, max-age=3600"})

        return Route(self.metadata_path, metadata, methods=["GET"])

    def _claims_of(self, token: str) -> dict[str, Any] | None:
        try:
            key = self._keys.of(token)
            if key is None or key.algorithm_name not in ALGORITHMS:
                return None
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=[self._resource, f"{self._resource}/"],
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError:
            return None

    def _granted(self, claims: dict[str, Any]) -> Access:
        scopes = _scopes_in(claims.get("scope")) | _scopes_in(claims.get("scp"))
        subject = str(claims.get("sub", "")) or "nobody"
        client = str(claims.get("client_id", claims.get("azp", "")))
        if not scopes.intersection(SCOPES):
            raise Forbidden(f"The access token of {subject[:80]!r} has no scope of this server.", valid=list(SCOPES))
        workspaces = frozenset(scope.removeprefix(WORKSPACE) for scope in scopes if scope.startswith(WORKSPACE))
        return Access(
            name=f"{subject} via {client}" if client else subject,
            identity=f"{self._issuer} {subject} {client}",
            workspaces=workspaces or None,
            read_only=WRITE not in scopes,
            audit=self._audit,
        )


def _scopes_in(value: Any) -> frozenset[str]:
    """Scopes as RFC 9068 writes them (one text), or as some servers do (a list)."""
    return frozenset(value.split() if isinstance(value, str) else map(str, value or ()))
