from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "mlestar"
MOST_LINES = 400
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "sklearn",
    "lightgbm",
    "pyarrow",
    "optuna",
    "dbos",
    "skops",
    "sqlalchemy",
    "fastapi",
)


@pytest.mark.parametrize("folder", ["src", "tests"])
def test_no_module_is_longer_than_the_stop(folder: str) -> None:
    long = {
        str(path): lines
        for path in (SOURCE.parent.parent / folder).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert not long


def test_nothing_heavy_is_imported_before_the_first_answer() -> None:
    probe = (
        "import sys; from mlestar.interfaces import cli; from mlestar.app import Services;"
        "from mlestar.settings import Settings; from mlestar.interfaces.mcp import server, stdio;"
        "server.build_server(Services(Settings()));"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        str(path) for path in SOURCE.rglob("__init__.py") if not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert not silent
