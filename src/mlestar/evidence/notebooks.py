"""A notebook's code cells as one Python module; outputs are never kept."""

from __future__ import annotations

import json
import re
from typing import Any

from mlestar.core.facts.source import SourceModule

_MAGIC = re.compile(r"^\s*[%!?]")
_ASSIGNED_SHELL = re.compile(r"^(\s*[\w, ]+=\s*)[%!].*$")


def read_notebook(path: str, raw: bytes, sha256: str) -> SourceModule | None:
    """Join the code cells in order; None when this is not a notebook.

    A cell that no parser accepts must not hide the others, so a cell of another language (`%%bash`) becomes blank
    lines, and line magics become comments.
    """
    try:
        document: Any = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        return None
    lines: list[str] = []
    starts: list[int] = []
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        text = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else str(source)
        starts.append(len(lines) + 1)
        lines += _python_lines(text, path) or [""]
    return SourceModule(path=path, text="\n".join(lines) + "\n", sha256=sha256, cell_starts=tuple(starts))


def _python_lines(text: str, path: str) -> list[str]:
    lines = text.splitlines()
    if lines and lines[0].lstrip().startswith("%%") and not lines[0].lstrip().startswith(("%%time", "%%capture")):
        return [""] * len(lines)
    python = [_without_magic(line) for line in lines]
    if SourceModule(path=path, text="\n".join(python)).tree is None:
        return [""] * len(lines)
    return python


def _without_magic(line: str) -> str:
    if _MAGIC.match(line):
        indent = line[: len(line) - len(line.lstrip())]
        return f"{indent}pass  # {line.strip()}"
    shell = _ASSIGNED_SHELL.match(line)
    return f"{shell[1]}None" if shell else line
