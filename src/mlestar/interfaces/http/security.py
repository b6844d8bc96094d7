"""Who may call, from where, how much: Host, Origin, tokens, size, rate. Plain ASGI, so streams stay streams."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from starlette.exceptions import HTTPException

from mlestar.errors import Forbidden, MlestarError
from mlestar.interfaces.access import current
from mlestar.interfaces.http.draining import Draining
from mlestar.interfaces.http.errors import error_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import JSONResponse
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mlestar.interfaces.access import Access, Doorkeeper
    from mlestar.interfaces.http.oauth import ResourceServer
    from mlestar.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN_PATHS = frozenset({"/health"})
MOST_BODY_BYTES = 4 * 1024 * 1024
MINUTE_S = 60.0
BODY_S = 30.0
"""A body must have come in whole by then: a slow one would hold its place for ever."""
MOST_CALLERS = 10_000
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    b"frame-ancestors 'none'; form-action 'self'",
}


def transport_security(host: str, settings: Settings) -> TransportSecuritySettings:
    """Host and Origin are always checked: a web page must not reach a local server through the user's browser."""
    names = ["127.0.0.1", "localhost", "[::1]", *settings.allowed_hosts]
    if host not in (*LOOPBACK, "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        names.append(f"[{host}]" if ":" in host else host)
    hosts = [pattern for name in names for pattern in (name, f"{name}:*")]
    own = [f"{scheme}://{name}" for name in hosts for scheme in ("http", "https")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=[*own, *settings.allowed_origins]
    )


class Guard:
    """Lets a request through when its Host, Origin, token, size and rate are right; adds the security headers."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        doorkeeper: Doorkeeper,
        security: TransportSecuritySettings,
        settings: Settings,
        oauth: ResourceServer | None = None,
    ) -> None:
        """Guard `app`; with `oauth`, refusals tell the client where to get a token."""
        self._app = app
        self._oauth = oauth
        self._open_paths = OPEN_PATHS | ({oauth.metadata_path} if oauth else set())
        self._doorkeeper = doorkeeper
        self._security = security
        self._most_at_once = settings.max_concurrent_requests
        self._most_a_minute = settings.max_requests_per_minute
        self._under_way = 0
        self._draining = Draining()
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)

    def drain(self) -> None:
        """End the open streams: the server was told to stop."""
        self._draining.begin()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on with the caller's rights."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, self._oauth.challenge("insufficient_scope") if self._oauth else "")
        # The blanks around a value are not part of it (RFC 9110, 5.5); httptools leaves those that follow it.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        access: Access | None = None
        try:
            access = await self._doorkeeper.access_of(headers.get("authorization", ""))
            client = scope.get("client")
            refusal = self._refusal(scope["path"], headers, access, caller=client[0] if client else "")
        except MlestarError as error:
            refusal = error_response(error.http_status, str(error), error.code)
            if self._oauth and isinstance(error, Forbidden):
                refusal.headers["WWW-Authenticate"] = self._oauth.challenge("insufficient_scope")
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        right = current.set(access) if access is not None else None
        if access is not None and access.identity:
            # What the SDK binds a session to: another caller's token does not open it.
            owner = AccessToken(token="", client_id=access.name, subject=access.identity, scopes=[])
            scope["user"] = AuthenticatedUser(owner)
        self._under_way += 1
        try:
            await self._draining.run(self._app, scope, _bounded(receive), send)
        finally:
            self._under_way -= 1
            if right is not None:
                current.reset(right)

    def _refusal(
        self, path: str, headers: Mapping[str, str], access: Access | None, *, caller: str
    ) -> JSONResponse | None:
        host, origin = headers.get("host", ""), headers.get("origin", "")
        if not _allowed(host, self._security.allowed_hosts):
            message = f"This server does not answer for the host {host[:200]!r}."
            return error_response(HTTPStatus.MISDIRECTED_REQUEST, message, "WRONG_HOST")
        if origin and not _allowed(origin, self._security.allowed_origins):
            message = f"Requests from {origin[:200]!r} are not allowed."
            return error_response(HTTPStatus.FORBIDDEN, message, "WRONG_ORIGIN")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
            message = f"A body holds at most {MOST_BODY_BYTES} bytes."
            return error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, "INPUT_TOO_LARGE")
        overload = self._overload(access.name if access else caller)
        if overload is None and access is None and path not in self._open_paths:
            answer = error_response(HTTPStatus.UNAUTHORIZED, "Send `Authorization: Bearer <token>`.", "UNAUTHORIZED")
            wrong = "invalid_token" if headers.get("authorization") else ""
            bearer = self._oauth.challenge(wrong) if self._oauth else "Bearer"
            answer.headers["WWW-Authenticate"] = f'{bearer}, Basic realm="mlestar"'
            return answer
        return overload

    def _overload(self, caller: str) -> JSONResponse | None:
        now = time.monotonic()
        if len(self._recent) > MOST_CALLERS:  # forget those who have not called for a minute
            kept = {name: times for name, times in self._recent.items() if times and times[-1] > now - MINUTE_S}
            self._recent = defaultdict(deque, kept)
        recent = self._recent[caller]
        while recent and recent[0] < now - MINUTE_S:
            recent.popleft()
        if len(recent) >= self._most_a_minute:
            message = f"More than {self._most_a_minute} requests in a minute."
            return error_response(HTTPStatus.TOO_MANY_REQUESTS, message, "RATE_LIMITED")
        if self._under_way >= self._most_at_once:
            message = f"{self._most_at_once} requests are under way already."
            return error_response(HTTPStatus.SERVICE_UNAVAILABLE, message, "UNAVAILABLE")
        recent.append(now)
        return None


def _with_headers(send: Send, challenge: str) -> Send:
    """Add the security headers; `challenge` goes with what a token's scopes do not allow."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            added = [(name, value) for name, value in HEADERS.items() if name not in present]
            if challenge and message["status"] == HTTPStatus.FORBIDDEN and b"www-authenticate" not in present:
                added.append((b"www-authenticate", challenge.encode()))
            message["headers"] = [*message["headers"], *added]
        await send(message)

    return send_with_headers


def _bounded(receive: Receive) -> Receive:
    """Cut off a body that is larger than it may be, also when no length was stated, or that comes in too slowly."""
    seen, whole, deadline = 0, False, time.monotonic() + BODY_S

    async def read() -> Message:
        nonlocal seen, whole
        if whole:
            return await receive()
        try:
            with anyio.fail_after(deadline - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, f"the body did not come in within {BODY_S:.0f} s") from None
        seen += len(message.get("body", b""))
        if seen > MOST_BODY_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body holds at most {MOST_BODY_BYTES} bytes")
        whole = not message.get("more_body", False)
        return message

    return read


def _allowed(value: str, patterns: list[str]) -> bool:
    return any(value == p or (p.endswith(":*") and value.startswith(p[:-1])) for p in patterns)
