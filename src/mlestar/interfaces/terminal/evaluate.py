"""`mlestar evaluate`: judge a project folder and print the result in the form that was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.console import Console

from mlestar.interfaces.mcp.sentences import place
from mlestar.interfaces.terminal.progress import live_bar
from mlestar.interfaces.terminal.scorecard import print_scorecard
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlestar.app import Services


async def evaluate_project(
    services: Services,
    path: Path,
    inputs: Mapping[str, str],
    *,
    output: str,
    fail_under: float,
    execute: bool,
    workspace: str,
) -> bool:
    """Print the judgement; True when the overall score reaches `fail_under`."""
    with live_bar("evaluate") as progress:
        judged = wire(
            await services.evaluation.evaluate(
                workspace=workspace, dimension="all", project=str(path), execute=execute, progress=progress, **inputs
            )
        )
    card = await services.scores.score(workspace=workspace, view="findings")
    console = Console(highlight=False)
    if output == "text":
        print_scorecard(console, wire(card))
        for note in card.notes:
            console.print(f"   note: {note}", markup=False)
        for finding in judged["findings"]:
            console.print(_line(finding), markup=False)
        if more := judged["findingsTotal"] - len(judged["findings"]):
            console.print(f"and {more} more checks: --format markdown, html or json shows all of them", markup=False)
    elif output == "json":
        whole = judged | {"findings": wire(card.findings)}  # of which the tool shows an agent the first
        print(json.dumps(whole, ensure_ascii=False, indent=2))  # noqa: T201 - a program reads it
    elif output == "sarif":
        log = await services.scores.score(workspace=workspace, view="sarif")
        print(json.dumps(wire(log.extra["sarif"]), ensure_ascii=False, indent=2))  # noqa: T201 - as above
    else:
        report = await services.scores.score(workspace=workspace, view=output)
        print(report.extra["text"])  # noqa: T201 - as above
    return float(judged["overall"]) >= fail_under


def _line(finding: dict[str, Any]) -> str:
    at = place(finding["where"])
    what = f"{at}: {finding['observed']}" if at else finding["observed"]
    return f"{finding['check']:<5} {finding['outcome']:<12} {finding['level']:<10} {what}"
