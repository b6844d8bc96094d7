"""When the dashboard shows its first content with 10,000 findings, in real Chromium; 1 s at most.

PYTHONPATH=tests python .bench/rest/paint.py
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from mlestar.app import Services
from mlestar.core.evidence import Where
from mlestar.core.score.rubric import CHECKS
from mlestar.settings import Settings
from support.browser import chromium
from support.findings import finding
from support.rest import running_server

LIMIT_MS = 1000
VISITS = 5
PAGES = ("/findings?workspace=many", "/findings?workspace=many&show=all", "/?workspace=many")
PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => list
    .getEntriesByName("first-contentful-paint").forEach((paint) => done(paint.startTime)))
    .observe({ type: "paint", buffered: true }))"""
"""Milliseconds from asking for the page to its first content on the screen."""


def fill(folder: Path) -> None:
    """A workspace with 10,000 findings of all checks."""
    checks = list(CHECKS)
    findings = [
        finding(
            checks[at % len(checks)], at % 2, observed=f"observation {at}", where=Where(path=f"src/{at}.py", line=1)
        )
        for at in range(10_000)
    ]
    services = Services(Settings(data_dir=folder))
    asyncio.run(services.evaluation.record_run_findings(workspace="many", run_id="run", findings=findings))
    services.close()


def main() -> int:
    """Measure and print; exit 1 when a page's median is over the limit."""
    reached = True
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        with running_server(Path(folder)) as rest, chromium() as browser:
            page = browser.new_page()
            for path in PAGES:
                paints: list[float] = []
                for _ in range(VISITS):
                    page.goto(rest.url + path)
                    paints.append(page.evaluate(PAINTED))
                reached &= sorted(paints)[VISITS // 2] <= LIMIT_MS
                print(f"{path:36} {', '.join(f'{paint:.0f}' for paint in paints)} ms")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
