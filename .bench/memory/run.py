"""Every benchmark of the memory, one after the other, as one command: python .bench/memory/run.py [quick]."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
QUICK = {
    "flood": ("12", "1600"),
    "latency": ("100",),
    "recall": ("100",),
    "processes": ("20", "50"),
    "databases": ("100", "200"),
}
FULL = {
    "flood": ("200", "5000"),
    "latency": ("300",),
    "recall": ("300",),
    "processes": ("200", "250"),
    "databases": ("300", "1000"),
}


def main() -> None:
    """Run them; the first that fails ends the run."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1] / "tests")}
    for name, arguments in (QUICK if "quick" in sys.argv[1:] else FULL).items():
        print(f"\n== {name} {' '.join(arguments)}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py"), *arguments], env=environment, check=True)


if __name__ == "__main__":
    main()
