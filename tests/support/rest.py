"""A real server over HTTP, and the plainest client for it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, kw_only=True)
class Rest:
    """A server's address, and the process behind it."""

    url: str
    process: subprocess.Popen[bytes]

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | headers
        request = urllib.request.Request(self.url + path, data=data, headers=sent, method=method)  # noqa: S310 - our own
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - our own server
                return Answer(status=answer.status, headers=dict(answer.headers), text=answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(status=error.code, headers=dict(error.headers), text=error.read().decode())

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> Answer:
        return self.send("POST", path, body, **headers)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(data_dir: Path, *options: str, port: int = 0) -> Generator[Rest]:
    """A server process on a free port, healthy; it is told to stop at the end and must obey."""
    command = ["serve", "--transport", "http", "--data-dir", str(data_dir), *options]
    with running_command(command, port=port or free_port()) as rest:
        yield rest


@contextmanager
def running_command(command: Sequence[str], *, port: int, **environment: str) -> Generator[Rest]:
    """The same for a whole command line; `environment` comes on top of this process's."""
    serve = [sys.executable, "-m", "mlestar", *command, "--port", str(port)]
    with subprocess.Popen(serve, env=os.environ | environment) as process:
        rest = Rest(url=f"http://127.0.0.1:{port}", process=process)
        try:
            _wait_until_healthy(rest)
            yield rest
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)


def _wait_until_healthy(rest: Rest) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert rest.process.poll() is None, "the server ended"
        try:
            if rest.get("/health").json["status"] == "ok":
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            continue
    raise AssertionError(f"no answer from {rest.url} within {PATIENCE_S} s")
