"""Fuzzes the REST API from its own OpenAPI document: no 5xx, no undocumented status, no reply that breaks its schema.

Usage: python .bench/rest/fuzz.py [SECONDS]   (default 1200; .ci/run gives it 120)
Needs the command `schemathesis` (in the dev extra). The endless alert stream is left out: it never ends by design.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / ".ci"))
from serving import free_port, serving  # noqa: E402 - it stands beside the other scripts

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
LAST_S = 120
"""What the tool needs beyond its time: the phases before fuzzing, and its report."""


def main() -> int:
    """Serve a fresh data folder, fuzz it, stop whatever still works in it."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else "1200"
    tool = shutil.which("schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if tool is None:
        sys.exit('schemathesis is not installed: pip install "mlestar[dev]"')
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        port = free_port()
        limits = {"MLESTAR_MAX_REQUESTS_PER_MINUTE": "1000000", "MLESTAR_SUPERVISOR_IDLE_S": "2"}
        os.environ |= limits
        command = [sys.executable, "-m", "mlestar", "serve", "--transport", "http", "--port", str(port)]
        with serving([*command, "--data-dir", folder], port) as url:
            fuzz = [
                tool, "run", f"{url}/openapi.json",
                "--exclude-path", "/api/mle-star/events", "--checks", CHECKS, "--max-time", seconds,
                "--continue-on-failure", "--no-color", "--workers", "1", "--suppress-health-check", "all",
                "--request-timeout", "40",
            ]  # fmt: skip
            environment = os.environ | {"SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(HERE)}
            done = subprocess.run(fuzz, env=environment, cwd=folder, timeout=float(seconds) + LAST_S, check=False)
        _stop_runs(folder)
    return done.returncode


def _stop_runs(folder: str) -> None:
    """The processes that still work on runs of this folder, and no others."""
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("MLESTAR_DATA_DIR") == folder
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if mine:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
