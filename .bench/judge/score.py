"""How long `get_score` takes at the service: p50 and p95 of 300 reads, against the 5 ms to reach.

    PYTHONPATH=tests python .bench/judge/score.py

Three workspaces: one that nothing was judged in, one with the guide's five payloads, one with 10,000 findings.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from mlestar.app import Services
from mlestar.core.score.rubric import CHECKS
from mlestar.settings import Settings
from support.findings import finding
from support.payloads import GUIDE

CALLS, LIMIT_MS = 300, 5.0
MANY = [finding(list(CHECKS)[at % len(CHECKS)], at % 2, observed=f"observation {at}") for at in range(10_000)]


async def measure(services: Services) -> dict[str, list[float]]:
    """Milliseconds of each read, by workspace."""
    await services.evaluation.evaluate(dimension="all", evidence=GUIDE)
    await services.evaluation.record_run_findings(workspace="many", run_id="run", findings=MANY)
    took: dict[str, list[float]] = {"never-judged": [], "default": [], "many": []}
    for name, times in took.items():
        await services.scores.score(workspace=name)
        for _ in range(CALLS):
            begun = time.perf_counter()
            await services.scores.score(workspace=name)
            times.append((time.perf_counter() - begun) * 1000)
    return took


def main() -> int:
    """Measure and print; exit 1 when the median of one is over the limit."""
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(data_dir=Path(folder)))
        took = asyncio.run(measure(services))
        services.close()
    for name, times in took.items():
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        print(f"{name:14} p50 {p50:5.2f} ms, p95 {p95:5.2f} ms; at most {LIMIT_MS} at p50")
    return 0 if max(map(statistics.median, took.values())) <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
