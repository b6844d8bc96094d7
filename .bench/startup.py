"""Start-up: CPU seconds from process start to the `initialize` answer, against a bare SDK server with one tool.

Usage: python .bench/startup.py [PAIRS]
The two run in turn, so that a drifting machine hits both. The target is 0.150 CPU seconds above the bare server.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile

import psutil

BARE = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def echo(text: str) -> str:
    return text
server.run()
"""
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "startup-benchmark", "version": "1"},
    },
}
TARGET_S = 0.150


def cpu_to_initialize(command: list[str]) -> float:
    """CPU seconds (user + system) that `command` has used when it answers `initialize`."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the pipes of the server did not open")
        process.stdin.write(json.dumps(INITIALIZE) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        times = psutil.Process(process.pid).cpu_times()
        process.kill()
    if "result" not in answer:
        raise RuntimeError(f"no initialize answer: {answer}")
    return times.user + times.system


def main() -> None:
    """Print both medians, their ratio and their difference."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    bare: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(pairs):
            bare.append(cpu_to_initialize([sys.executable, "-c", BARE]))
            ours.append(cpu_to_initialize([sys.executable, "-m", "mlestar", "serve", "--data-dir", folder]))
    extra = statistics.median(mine - theirs for mine, theirs in zip(ours, bare, strict=True))
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    print(f"{'server':<22}{'min':>8}{'median':>8}{'max':>8}   CPU s to the initialize answer, {pairs} pairs")
    for name, values in (("bare MCPServer, 1 tool", bare), ("mlestar serve", ours)):
        print(f"{name:<22}{min(values):>8.2f}{statistics.median(values):>8.2f}{max(values):>8.2f}")
    print(f"ratio {ratio:.2f}; {extra:+.3f} s (target at most +{TARGET_S:.3f} s)")


if __name__ == "__main__":
    main()
