"""Tokens of the user's own authorization server open what their scopes say, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from mcp import Client
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from mlestar.interfaces.http import oauth
from mlestar.interfaces.http.oauth import SigningKeys
from support.authorization import CLIENT, SECRET, Issuer, authorization_server
from support.patience import PATIENCE_S
from support.rest import Rest, running_server

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from mcp.client.auth import TokenStorage

RESOURCE = "https://ml.example/mcp"
SCORE = "/api/mle-star/score"
WINDOW = "/api/mle-star/context7/update"
METADATA = "/.well-known/oauth-protected-resource/mcp"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> Generator[Rest]:
    folder = tmp_path_factory.mktemp("oauth")
    (folder / "keys.json").write_text(issuer.jwks, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLESTAR_OAUTH_ISSUER", issuer.issuer)
        patch.setenv("MLESTAR_OAUTH_RESOURCE", RESOURCE)
        patch.setenv("MLESTAR_OAUTH_JWKS", str(folder / "keys.json"))
        with running_server(folder / "data", "--token", "own") as server:
            yield server


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_refusal_leads_to_the_metadata_and_the_metadata_to_the_issuer(rest: Rest, issuer: Issuer) -> None:
    refused = rest.post("/mcp", {})
    assert refused.status == 401
    challenge = refused.headers["www-authenticate"]
    assert f'resource_metadata="https://ml.example{METADATA}"' in challenge
    assert "error=" not in challenge  # none was given, so none was wrong
    found = rest.get(METADATA)
    assert found.status == 200
    assert found.json["resource"] == RESOURCE
    assert found.json["authorization_servers"] == [issuer.issuer]
    assert found.json["scopes_supported"] == ["mlestar:read", "mlestar:write"]


def test_scopes_say_what_a_token_opens(rest: Rest, issuer: Issuer) -> None:
    reader = bearer(issuer.token(RESOURCE, "openid mlestar:read"))
    writer = bearer(issuer.token(RESOURCE, "mlestar:write"))
    elsewhere = bearer(issuer.token(RESOURCE, "mlestar:write mlestar:workspace:team-a"))
    assert rest.get(SCORE, **reader).status == 200
    refused = rest.post(WINDOW, {"windowId": 1, "content": "no"}, **reader)
    assert refused.status == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert rest.post(WINDOW, {"windowId": 1, "content": "yes"}, **writer).status == 200
    assert rest.post(WINDOW, {"windowId": 1, "content": "no"}, **elsewhere).status == 403
    assert rest.post(WINDOW, {"windowId": 1, "content": "yes", "workspace": "team-a"}, **elsewhere).status == 200
    assert rest.get(SCORE, **bearer("own")).status == 200  # the server's own tokens go on working


def test_a_list_of_scopes_in_scp_is_read_too(rest: Rest, issuer: Issuer) -> None:
    assert rest.get(SCORE, **bearer(issuer.token(RESOURCE, "openid", scp=["mlestar:read"]))).status == 200


def test_a_good_token_without_our_scopes_is_told_which_it_needs(rest: Rest, issuer: Issuer) -> None:
    refused = rest.get(SCORE, **bearer(issuer.token(RESOURCE, "openid email")))
    assert refused.status == 403
    assert "mlestar:read" in refused.headers["www-authenticate"]


def _signed_by_another(issuer: Issuer) -> str:
    return Issuer(issuer.issuer).token(RESOURCE, "mlestar:write")


def _unsigned(issuer: Issuer) -> str:
    return jwt.encode(issuer.claims(RESOURCE, "mlestar:write"), "", algorithm="none", headers={"kid": "k1"})


def _signed_with_the_public_key(issuer: Issuer) -> str:
    """The old trick: the public key as an HMAC secret."""
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    pem = issuer.key.public_key().public_bytes(*form)
    import base64
    import hashlib
    import hmac

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    body = part({"alg": "HS256", "kid": "k1"}) + b"." + part(issuer.claims(RESOURCE, "mlestar:write"))
    signature = base64.urlsafe_b64encode(hmac.new(pem, body, hashlib.sha256).digest()).rstrip(b"=")
    return (body + b"." + signature).decode()


BAD = {
    "expired": lambda issuer: issuer.token(RESOURCE, "mlestar:write", exp=int(time.time()) - 60),
    "never expiring": lambda issuer: issuer.token(RESOURCE, "mlestar:write", exp=None),
    "not valid yet": lambda issuer: issuer.token(RESOURCE, "mlestar:write", nbf=int(time.time()) + 600),
    "for another resource": lambda issuer: issuer.token("https://other.example/mcp", "mlestar:write"),
    "for nobody": lambda issuer: issuer.token(RESOURCE, "mlestar:write", aud=None),
    "of another issuer": lambda issuer: issuer.token(RESOURCE, "mlestar:write", iss="https://evil.example"),
    "signed by another": _signed_by_another,
    "unsigned": _unsigned,
    "signed with the public key": _signed_with_the_public_key,
    "no token": lambda _: "a.b.c",
    "empty parts": lambda _: "..",
    "very long": lambda _: "x" * 20_000,
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_is_not_good_opens_nothing(rest: Rest, issuer: Issuer, name: str) -> None:
    refused = rest.get(SCORE, **bearer(BAD[name](issuer)))
    assert refused.status == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_a_new_key_is_found_when_the_keys_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Issuer(kid="k1"), Issuer(kid="k2")
    file = tmp_path / "keys.json"
    file.write_text(old.jwks, encoding="utf-8")
    keys = SigningKeys(str(file))
    assert keys.of(old.token(RESOURCE, "")) is not None
    file.write_text(new.jwks, encoding="utf-8")
    assert keys.of(new.token(RESOURCE, "")) is None  # not asked for again so soon
    monkeypatch.setattr(oauth, "REREAD_S", 0.0)
    assert keys.of(new.token(RESOURCE, "")) is not None
    assert keys.of(old.token(RESOURCE, "")) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"MLESTAR_OAUTH_RESOURCE": ""}, "MLESTAR_OAUTH_RESOURCE"),
        ({"MLESTAR_OAUTH_JWKS": "missing.json"}, "cannot be read"),
        ({"MLESTAR_OAUTH_JWKS": "http://keys.example/jwks"}, "https"),
    ],
)
def test_a_half_set_up_server_does_not_start(
    tmp_path: Path, issuer: Issuer, changed: dict[str, str], said: str
) -> None:
    (tmp_path / "keys.json").write_text(issuer.jwks, encoding="utf-8")
    settings = {
        "MLESTAR_OAUTH_ISSUER": issuer.issuer,
        "MLESTAR_OAUTH_RESOURCE": RESOURCE,
        "MLESTAR_OAUTH_JWKS": str(tmp_path / "keys.json"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "mlestar", "serve", "--transport", "http", "--port", "0", "--data-dir", str(tmp_path)],
        env=os.environ | settings | changed, capture_output=True, encoding="utf-8", timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


class _Storage:
    """Keeps what the SDK's client got."""

    def __init__(self) -> None:
        self.tokens: Any = None
        self.client_info: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client_info

    async def set_client_info(self, client_info: Any) -> None:
        self.client_info = client_info


async def test_the_official_client_gets_its_token_and_calls_a_tool(tmp_path: Path) -> None:
    with authorization_server() as issuer, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLESTAR_OAUTH_ISSUER", issuer.issuer)
        patch.setenv("MLESTAR_OAUTH_JWKS", f"{issuer.issuer}/keys")
        from support.rest import free_port

        port = free_port()
        patch.setenv("MLESTAR_OAUTH_RESOURCE", f"http://127.0.0.1:{port}/mcp")
        with running_server(tmp_path, port=port) as server:
            storage: TokenStorage = _Storage()
            flow = ClientCredentialsOAuthProvider(
                server_url=f"{server.url}/mcp",
                storage=storage,
                client_id=CLIENT,
                client_secret=SECRET,
                issuer=issuer.issuer,
            )
            async with (
                create_mcp_http_client(auth=flow) as http,
                Client(streamable_http_client(f"{server.url}/mcp", http_client=http)) as client,
            ):
                written = await client.call_tool("context7_update", {"window": 1, "content": "ship it"})
                assert not written.is_error
    audit = (tmp_path / "audit.jsonl").read_text(encoding="utf-8")
    assert '"who": "ada via agent"' in audit
