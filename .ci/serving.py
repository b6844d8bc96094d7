"""A server process on a free loopback port, for scripts that talk to it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

START_S = 60


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(command: list[str], port: int, *, started: list[subprocess.Popen[bytes]] | None = None) -> Generator[str]:
    """Run `command` until the block ends; gives its address once it says that it is healthy.

    `started` gets the process, for those who want to stop it themselves.
    """
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command) as process:
        if started is not None:
            started.append(process)
        try:
            until = time.monotonic() + START_S
            while not _healthy(url):
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit(f"no answer from {url} within {START_S} s: {' '.join(command)}")
            yield url
        finally:
            process.terminate()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1):  # noqa: S310 - our own server
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        time.sleep(0.1)
        return False
