"""Bundles a host of MCP Apps on the official bridge, in which tests/acceptance/test_apps.py shows our views.

Usage: python .ci/apps_host.py FOLDER
FOLDER is where npm installs what it is made of; the bundle is FOLDER/host.js.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from node import install, run

PACKAGES = ("@modelcontextprotocol/ext-apps@2.0.4", "@modelcontextprotocol/client@2.4.0", "zod@4.6.7")
BUNDLER = "esbuild@0.28.2"
SOURCE = Path(__file__).with_name("apps_host.mjs")
TIMEOUT_S = 120


def main() -> None:
    """Install and bundle."""
    folder = Path(sys.argv[1]).resolve()
    for package in PACKAGES:
        install(folder, package)
    bundler = install(folder, BUNDLER) / "bin" / "esbuild"
    shutil.copy(SOURCE, folder)
    options = ["--bundle", "--format=esm", "--outfile=host.js", "--log-level=warning"]
    done = run(bundler, SOURCE.name, *options, folder=folder, timeout_s=TIMEOUT_S)
    if done.returncode:
        sys.exit(f"the host could not be bundled\n{done.stdout}{done.stderr}")
    print(f"a host of MCP Apps on the official bridge: {folder / 'host.js'}")


if __name__ == "__main__":
    main()
