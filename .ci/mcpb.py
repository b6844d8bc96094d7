"""Builds the MCPB bundle (one-click install in desktop clients), validates it, installs it and talks to it.

Usage: python .ci/mcpb.py FOLDER
FOLDER/mlestar-<version>.mcpb is the bundle. The manifest's version and tools come from the code.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import anyio
import uv
from mcp import Client, StdioServerParameters
from node import install, run

import mlestar
from mlestar.app import Services
from mlestar.interfaces.mcp.tool import tools_of
from mlestar.interfaces.mcp.tools import Tools
from mlestar.settings import Settings

ROOT = Path(__file__).parent.parent
MCPB = "@anthropic-ai/mcpb@2.1.2"
PROGRAM = Path("dist/cli/cli.js")
TIMEOUT_S = 120
INSTALL_S = 600
HELD = ("pyproject.toml", "README.md", "LICENSE", "src", "examples/breast_cancer_screening")
"""What `uv run` needs to build the package: its sources, what its metadata names, and the demo's project."""


def manifest() -> dict[str, object]:
    """The template with the version and the tools of the code."""
    made = json.loads((ROOT / ".ci" / "mcpb.json").read_text(encoding="utf-8"))
    listed = tools_of(Tools(Services(Settings())))
    tools = [{"name": tool.name, "description": " ".join(tool.description.split())} for tool in listed]
    return made | {"version": mlestar.__version__, "tools": tools}


def stage(folder: Path) -> None:
    """Copy what git tracks of `HELD`, and the manifest."""
    shutil.rmtree(folder, ignore_errors=True)
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--", *HELD],  # noqa: S607 - the developer's git
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=ROOT,
    )
    for name in tracked.stdout.rstrip("\0").split("\0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "manifest.json").write_text(json.dumps(manifest(), indent=2) + "\n", encoding="utf-8")


async def serve_from(folder: Path, data_dir: Path) -> int:
    """How many tools the installed bundle lists: the manifest's own command, which builds and installs first."""
    configured = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["server"]["mcp_config"]
    replaced = {"${__dirname}": str(folder), "${user_config.root}": str(folder)}
    environment = {**os.environ, "UV_PYTHON": sys.executable, "MLESTAR_DATA_DIR": str(data_dir)}
    arguments = [replaced.get(argument, argument) for argument in configured["args"]]
    command = StdioServerParameters(command=uv.find_uv_bin(), args=arguments, env=environment)
    with anyio.fail_after(INSTALL_S):
        async with Client(command) as client:
            return len((await client.list_tools()).tools)


def main() -> None:
    """Stage, validate, pack, unpack, install, serve."""
    folder = Path(sys.argv[1]).resolve()
    program = install(folder / "npm", MCPB) / PROGRAM
    bundle = folder / f"mlestar-{mlestar.__version__}.mcpb"
    stage(folder / "bundle")
    for command in (["validate", "bundle/manifest.json"], ["pack", "bundle", str(bundle)]):
        done = run(program, *command, folder=folder, timeout_s=TIMEOUT_S)
        if done.returncode:
            sys.exit(f"mcpb {command[0]}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(bundle) as held:
        held.extractall(unpacked)
        files = len(held.namelist())
    tools = anyio.run(serve_from, unpacked, folder / "data")
    size = bundle.stat().st_size / 1024
    print(f"{bundle.name}: valid, {files} files, {size:.0f} KiB; installed by uv, it lists {tools} tools")


if __name__ == "__main__":
    main()
