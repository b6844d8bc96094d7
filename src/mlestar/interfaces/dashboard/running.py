"""Runs, live and finished, and the models they made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlestar.core.run import Run, Status
from mlestar.interfaces.dashboard import charts

if TYPE_CHECKING:
    from starlette.responses import Response

    from mlestar.interfaces.dashboard.page import Page

LIVE = "live"
EVENTS_SHOWN = 40
HEADLINES = ("roc_auc", "f1", "accuracy", "r2", "rmse", "mae")
"""Metrics that a list shows, the first one that a run has."""


async def runs(page: Page) -> Response:
    """The newest runs."""
    found = await page.services.pipelines.runs(workspace=page.workspace)
    return page.show("runs.html", runs=[(run, headline(run.metrics)) for run in found])


async def run(page: Page) -> Response:
    """One run: progress, stages with their tests, plots; `part=live` answers only what changes while it runs."""
    part = page.one_of("part", (LIVE,))
    found = await page.services.pipelines.get(workspace=page.workspace, run_id=page.request.path_params["run_id"])
    events = await page.services.pipelines.events(found.run_id)
    ended = Status(found.status).ended
    outputs = {stage.name: stage.output for stage in found.stages}
    shared: dict[str, Any] = {
        "run": found,
        "ended": ended,
        "events": list(reversed(events[-EVENTS_SHOWN:])),
        "events_total": len(events),
        "timeline": charts.timeline({stage.name: stage.duration_s for stage in found.stages if stage.duration_s}),
    }
    if part:
        return page.show("run_live.html", headers={"Run-Ended": "yes" if ended else "no"}, **shared)
    files = await page.services.registry.artifacts(workspace=page.workspace, run_id=found.run_id)
    return page.show("run.html", **shared, **_plots(found, outputs), files=sorted(files))


async def models(page: Page) -> Response:
    """Every registered version, and where each environment points now and pointed before."""
    versions = await page.services.registry.models(workspace=page.workspace)
    moves = await page.services.registry.pointers(workspace=page.workspace)
    now: dict[tuple[str, str], int] = {}
    for move in moves:
        now.setdefault((move["name"], move["environment"]), move["version"])
    named: dict[str, list[dict[str, Any]]] = {}
    for version in versions:
        places = [place for (name, place), at in now.items() if (name, at) == (version["name"], version["version"])]
        told = {**version, "places": places, "headline": headline(version["record"].get("metrics", {}))}
        named.setdefault(version["name"], []).append(told)
    return page.show("models.html", models=named, moves=moves)


def headline(metrics: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The metric that stands for all in a list, or None."""
    name = next((name for name in (*HEADLINES, *metrics) if name in metrics), None)
    return None if name is None else (name, metrics[name])


def _plots(found: Run, outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    training, evaluation = outputs.get("training", {}), outputs.get("evaluation", {})
    return {
        "metrics": charts.metric_rows(
            found.metrics or evaluation.get("metrics", {}), found.baselines or evaluation.get("baselines", {})
        ),
        "importances": charts.bars(evaluation.get("importances", {})),
        "tried": charts.bars(training.get("out_of_fold", {})),
        "tried_by": training.get("metric", ""),
        "members": training.get("members", {}),
        "curves": charts.curves(training.get("curve", [])),
        "calibration": charts.calibration(evaluation.get("calibration", {}).get("bins", [])),
        "calibration_error": evaluation.get("calibration", {}).get("ece"),
        "confusion": charts.confusion(**evaluation.get("errors", {}).get("confusion", {"classes": [], "counts": []})),
        "groups": evaluation.get("fairness", {}),
        "slices": evaluation.get("weakest_slices", []),
        "data": outputs.get("data", {}),
    }
