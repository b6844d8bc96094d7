"""An authorization server small enough to read: it signs access tokens, and hands them out over HTTP."""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from collections.abc import Generator

CLIENT, SECRET = "agent", "its-secret"


class Issuer:
    """Signs tokens with a key of its own."""

    def __init__(self, issuer: str = "http://127.0.0.1:9/issuer", *, kid: str = "k1") -> None:
        self.issuer = issuer
        self._kid = kid
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def jwks(self) -> str:
        public: dict[str, Any] = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "RS256"}]})

    def claims(self, resource: str, scope: str, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer, "aud": resource, "sub": "ada", "client_id": CLIENT, "scope": scope, "iat": now,
            "exp": now + 300, **changed,
        }  # fmt: skip

    def token(self, resource: str, scope: str, **changed: Any) -> str:
        claims = {name: value for name, value in self.claims(resource, scope, **changed).items() if value is not None}
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self._kid})


@contextmanager
def authorization_server() -> Generator[Issuer]:
    """An issuer behind a real address: its metadata, its keys, and tokens for one client's id and secret."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/keys":
                self._answer(200, issuer.jwks)
            elif self.path == "/.well-known/oauth-authorization-server":
                metadata = {
                    "issuer": issuer.issuer, "token_endpoint": f"{issuer.issuer}/token",
                    "authorization_endpoint": f"{issuer.issuer}/authorize", "response_types_supported": ["code"],
                    "grant_types_supported": ["client_credentials"],
                    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                }  # fmt: skip
                self._answer(200, json.dumps(metadata))
            else:
                self._answer(404, "{}")

        def do_POST(self) -> None:
            from urllib.parse import parse_qs

            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            if self.path != "/token" or self.headers["Authorization"] != f"Basic {basic}":
                self._answer(401, '{"error": "invalid_client"}')
                return
            token = issuer.token(form["resource"][0], form.get("scope", [""])[0])
            self._answer(200, json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 300}))

        def _answer(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
