"""A run in a few lines of plain text, as it stands in window 7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlestar.core.run import Run


def run_summary(run: Run) -> str:
    """What was trained on what, how it did beside its baselines, and where it stands now."""
    model = run.model
    lines = [
        f"Run {run.run_id} of pipeline {run.name!r} {run.status}" + (" (synthetic data)." if run.synthetic else ".")
    ]
    for name, estimate in run.metrics.items():
        beside = ", ".join(
            f"{who} {values[name]['value']:.3f}" for who, values in run.baselines.items() if name in values
        )
        lines.append(f"{name} {_interval(estimate)} on {estimate['n']} held-out rows; {beside}.")
    if model:
        lines.append(
            f"Model {model['name']} version {model['version']} (sha256 {model['sha256'][:12]}), {_place(model)}."
        )
    if run.error:
        lines.append(f"Ended with: {run.error.get('message', '')}")
    return "\n".join(lines)


def _interval(estimate: Mapping[str, Any]) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def _place(model: Mapping[str, Any]) -> str:
    return f"deployed to {model['environment']}" if model.get("environment") not in {None, "none"} else "not deployed"
