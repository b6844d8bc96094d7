"""Plain text for the terminal: a check's explanation, the rubric, the windows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlestar.services.scores import Explanation, RubricView

EXPLAINED = ("claim", "why", "how", "threshold", "source", "fix", "limitations")


def explanation(check: Explanation) -> str:
    """Everything there is to say about a check, a labelled paragraph each."""
    critical = ", critical: a fail caps the dimension at 59 and the overall score at 69" if check.critical else ""
    run = ", and measured by a pipeline run" if check.measured_by_run and check.best_level != "measured" else ""
    head = (
        f"{check.check} {check.title}\n{check.dimension} > {check.criterion}; weight {check.weight}{critical}\n"
        f"Strongest evidence: {check.best_level}{run}"
    )
    parts = [f"{label.capitalize()}: {getattr(check, label)}" for label in EXPLAINED if getattr(check, label)]
    parts += [f"{label.capitalize()} (batch job): {text}" for label, text in check.in_batch.items()]
    return "\n\n".join([head, *parts])


def rubric(view: RubricView) -> str:
    """One line a check, under its criterion and dimension."""
    lines = [f"Rubric {view.version}"]
    for dimension in view.dimensions:
        lines.append(f"\n{dimension['id']} {dimension['name']}")
        for criterion in dimension["criteria"]:
            lines.append(f"  {criterion['id']} {criterion['name']}")
            lines += [f"    {_check(check)}" for check in criterion["checks"]]
    return "\n".join(lines)


def rubric_toml(view: RubricView) -> str:
    """All weights and thresholds as the overrides that a project may write, at the values they have without any."""
    checks = list(_checks(view))
    lines = [
        f"# Rubric {view.version}. In pyproject.toml, keep only what you change; every result shows it.",
        "[tool.mlestar.weights]",
        *(f'"{check["id"]}" = {check["weight"]} # {check["title"]}' for check in checks),
    ]
    for check in checks:
        if check["limits"]:
            lines += ["", f'[tool.mlestar.limits."{check["id"]}"]']
            lines += [f"{name} = {value}" for name, value in check["limits"].items()]
    return "\n".join(lines)


def rubric_json(view: RubricView) -> str:
    """The whole of it, as the MCP resource has it."""
    return json.dumps(wire(view), ensure_ascii=False, indent=2)


RUBRICS: dict[str, Callable[[RubricView], str]] = {"text": rubric, "toml": rubric_toml, "json": rubric_json}


def windows(read: object) -> str:
    """One line a window: number, name, use, entries."""
    return "\n".join(
        f"{window['window']} {window['name']:<12} {window['used']:>5} of {window['cap']} tokens"
        for window in wire(read)["windows"]
    )


def _checks(view: RubricView) -> Iterable[dict[str, Any]]:
    return (
        check for dimension in view.dimensions for criterion in dimension["criteria"] for check in criterion["checks"]
    )


def _check(check: dict[str, Any]) -> str:
    limits = ", ".join(f"{name} {value:g}" for name, value in check["limits"].items())
    line = f"{check['id']:<5} w{check['weight']}{'!' if check['critical'] else ' '} {check['title']}"
    return f"{line} ({limits})" if limits else line
