"""A client that is not ours: the official MCP inspector lists and calls the tools, over stdio and over HTTP.

Usage: python .ci/inspector.py FOLDER
FOLDER is where npm installs it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from node import install, run
from serving import free_port, serving

INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
LAUNCHER = Path("clients/launcher/build/index.js")
TOOLS = 9


def inspect(package: Path, target: list[str], *call: str) -> dict[str, object]:
    """The result of one inspector call; fails on anything but exit code 0."""
    done = run(package / LAUNCHER, "--cli", *target, *call, "--format", "json", folder=package, timeout_s=300)
    if done.returncode:
        sys.exit(f"inspector {' '.join(call)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout)["result"]


def exercise(package: Path, name: str, target: list[str]) -> None:
    """List strictly, write, read, score; say what was seen."""
    for era in ("legacy", "modern"):
        listed = inspect(package, target, "--protocol-era", era, "--method", "tools/list", "--strict")["tools"]
        if not isinstance(listed, list) or len(listed) != TOOLS:
            sys.exit(f"{name}, {era}: expected {TOOLS} tools, got {listed}")
    note = f"written by the inspector over {name}"
    write = ["--tool-arg", "window=1", "--tool-arg", f"content={note}"]
    inspect(package, target, "--method", "tools/call", "--tool-name", "context7_update", *write)
    read = inspect(package, target, "--method", "tools/call", "--tool-name", "context7_read", "--tool-arg", "window=1")
    if note not in json.dumps(read):
        sys.exit(f"{name}: the note was not read back: {read}")
    inspect(package, target, "--method", "resources/read", "--uri", "context7://window/1")
    prompts = inspect(package, target, "--method", "prompts/list")["prompts"]
    if not isinstance(prompts, list) or not prompts:
        sys.exit(f"{name}: expected prompts, got {prompts}")
    print(f"inspector over {name}: {TOOLS} tools listed in both eras (strict), {len(prompts)} prompts,", end=" ")
    print("a note written and read back, a resource read")


def main() -> None:
    """Install the inspector, then exercise a server over each transport."""
    folder = Path(sys.argv[1]).resolve()
    package = install(folder, INSPECTOR)
    serve = [sys.executable, "-m", "mlestar", "serve", "--data-dir", str(folder / "data")]
    exercise(package, "stdio", serve)
    port = free_port()
    with serving([*serve, "--transport", "http", "--port", str(port)], port) as url:
        exercise(package, "http", [f"{url}/mcp", "--transport", "http"])


if __name__ == "__main__":
    main()
