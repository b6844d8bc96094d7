"""Keeps what is generated equal to the code: README.md's tables and client configurations; the tools/list snapshot.

Usage: python .ci/documents.py [--check]
Without --check the parts are rewritten; with it a difference is an error that names the part.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from mcp import Client

import mlestar
from mlestar.app import Services
from mlestar.checks import catalogue
from mlestar.core.score import rubric
from mlestar.core.windows.model import WINDOWS
from mlestar.interfaces.mcp.server import build_server
from mlestar.interfaces.mcp.tool import tools_of
from mlestar.interfaces.mcp.tools import Tools
from mlestar.settings import Settings

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TOOLS_LIST = ROOT / "tests" / "interfaces" / "mcp" / "tools_list.json"
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def tools() -> str:
    """One row a tool, in the order of `tools/list`."""
    rows = ["| tool | what it does |", "|---|---|"]
    listed = tools_of(Tools(Services(Settings())))
    rows += [f"| `{tool.name}` | {' '.join(tool.description.split())} |" for tool in listed]
    return "\n".join(rows)


def windows() -> str:
    """One row a window."""
    rows = ["| window | name | default priority | what the product itself writes there |", "|---|---|---|---|"]
    rows += [f"| {w.number} | {w.name} | {w.priority} | {w.holds} |" for w in WINDOWS]
    return "\n".join(rows)


def checks() -> str:
    """One line a check under its criterion; `!` marks a critical one, an open box one that is not implemented."""
    implemented = catalogue.load()
    lines: list[str] = []
    for dimension in rubric.DIMENSIONS:
        lines.append(f"\n**{dimension.id} {dimension.name}**\n")
        for criterion in rubric.CRITERIA:
            if criterion.dimension != dimension.id:
                continue
            entries = [
                f"`{spec.id}`{'!' if spec.critical else ''} {spec.title}"
                + ("" if spec.id in implemented else " (not judged yet: always unknown)")
                for spec in rubric.checks_of(criterion.id)
            ]
            lines.append(f"- {criterion.id} {criterion.name}: {'; '.join(entries)}")
    return "\n".join(lines).strip()


def settings() -> str:
    """One row a setting."""
    rows = ["| variable | meaning |", "|---|---|"]
    rows += [f"| `MLESTAR_{name.upper()}` | {field.description} |" for name, field in Settings.model_fields.items()]
    return "\n".join(rows)


def clients() -> str:
    """Each client's configuration with where it goes, as `examples/clients` has them; the first stands above."""
    folder = ROOT / "examples" / "clients"
    described = (folder / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+\.json)` \| (.+?) \|", described, re.MULTILINE)
    texts = [(place, (folder / name).read_text(encoding="utf-8").strip()) for name, place in rows[1:]]
    return "\n" + "\n\n".join(f"{place}:\n\n```json\n{text}\n```" for place, text in texts) + "\n"


async def tools_list() -> str:
    """The whole listing as a client receives it; a test compares it in both protocol eras."""
    async with Client(build_server(Services(Settings()))[0]) as client:
        result = await client.list_tools()
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in result.tools]
    return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Rewrite, or check and say what differs."""
    text = README.read_text(encoding="utf-8")
    parts = {"clients": clients, "tools": tools, "windows": windows, "checks": checks, "settings": settings}
    problems = [f"README.md has no part {name!r}" for name in parts if f"<!-- generated: {name} -->" not in text]
    fresh = PART.sub(lambda match: f"{match[1]}{parts[match[2]]()}\n{match[3]}", text)
    problems += _version_problems()
    if "--check" not in sys.argv:
        README.write_text(fresh, encoding="utf-8")
        TOOLS_LIST.write_text(asyncio.run(tools_list()), encoding="utf-8")
    elif fresh != text:
        stale = [m[2] for m, new in zip(PART.finditer(text), PART.finditer(fresh), strict=True) if m[0] != new[0]]
        problems.append(f"README.md is out of date in {', '.join(stale)}: run python .ci/documents.py")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _version_problems() -> list[str]:
    manifest = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    stated = {manifest["version"], *(package["version"] for package in manifest["packages"])}
    return [f"server.json says {stated}, the package {mlestar.__version__}"] if stated != {mlestar.__version__} else []


if __name__ == "__main__":
    sys.exit(main())
