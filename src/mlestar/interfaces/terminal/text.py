"""Plain text for the terminal: a check's explanation, the rubric, the windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
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


def windows(read: object) -> str:
    """One line a window: number, name, use, entries."""
    return "\n".join(
        f"{window['window']} {window['name']:<12} {window['used']:>5} of {window['cap']} tokens"
        for window in wire(read)["windows"]
    )


def _check(check: dict[str, Any]) -> str:
    return f"{check['id']:<5} w{check['weight']}{'!' if check['critical'] else ' '} {check['title']}"
