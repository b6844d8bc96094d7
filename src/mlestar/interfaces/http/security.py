"""Who may call, from where, how much: tokens, Host, Origin, body size. Plain ASGI, so streams stay streams."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from mcp.server.transport_security import TransportSecuritySettings

from mlestar.interfaces.http.errors import error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN_PATHS = frozenset({"/health"})
MOST_BODY_BYTES = 4 * 1024 * 1024
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    b"frame-ancestors 'none'; form-action 'self'",
}


def transport_security(host: str) -> TransportSecuritySettings:
    """Host and Origin are always checked: a web page must not reach a local server through the user's browser."""
    names = ["127.0.0.1", "localhost", "[::1]"]
    if host not in (*LOOPBACK, "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        names.append(f"[{host}]" if ":" in host else host)
    hosts = [pattern for name in names for pattern in (name, f"{name}:*")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=hosts,
        allowed_origins=[f"{scheme}://{name}" for name in hosts for scheme in ("http", "https")],
    )


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256, never the token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Guard:
    """Lets a request through when its Host, Origin, token and size are right; adds the security headers."""

    def __init__(self, app: ASGIApp, *, tokens: frozenset[str], security: TransportSecuritySettings) -> None:
        """`tokens` are digests; none means that no token is asked for (loopback only)."""
        self._app = app
        self._tokens = tokens
        self._security = security

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope["path"], headers)
        if refusal is not None:
            status, message, code = refusal
            response = error_response(status, message, code)
            if status == HTTPStatus.UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = "Bearer"
            await response(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in HEADERS.items() if name not in present),
                ]
            await send(message)

        await self._app(scope, _bounded(receive), send_with_headers)

    def _refusal(self, path: str, headers: Mapping[str, str]) -> tuple[int, str, str] | None:
        host, origin = headers.get("host", ""), headers.get("origin", "")
        if not _allowed(host, self._security.allowed_hosts):
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                f"This server does not answer for the host {host[:200]!r}.",
                "WRONG_HOST",
            )
        if origin and not _allowed(origin, self._security.allowed_origins):
            return HTTPStatus.FORBIDDEN, f"Requests from {origin[:200]!r} are not allowed.", "WRONG_ORIGIN"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
            return (
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"A body holds at most {MOST_BODY_BYTES} bytes.",
                "INPUT_TOO_LARGE",
            )
        if self._tokens and path not in OPEN_PATHS and not self._knows(headers.get("authorization", "")):
            return HTTPStatus.UNAUTHORIZED, "Send `Authorization: Bearer <token>`.", "UNAUTHORIZED"
        return None

    def _knows(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        given = digest(token)
        # Every token is compared, in constant time each: neither which one nor how much of it matched shows.
        matches = [hmac.compare_digest(given, known) for known in sorted(self._tokens)]
        return scheme.lower() == "bearer" and any(matches)


def _bounded(receive: Receive) -> Receive:
    """Stop reading a body that is larger than it may be, also when no length was stated."""
    seen = 0

    async def read() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    return read


def _allowed(value: str, patterns: list[str]) -> bool:
    return any(value == p or (p.endswith(":*") and value.startswith(p[:-1])) for p in patterns)
