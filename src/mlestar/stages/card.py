"""A model card written from what was measured (the sections of Mitchell et al. 2019); what is not known is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOT_KNOWN = "Not recorded by the run: to be written by the people who answer for the model."


def write_card(
    *, name: str, data: Mapping[str, Any], training: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> str:
    """Markdown from the summaries of the stages.

    Args:
        name: Of the model.
        data: The data stage's summary, as in a run's `stages[].output`.
        training: The training stage's.
        evaluation: The evaluation stage's.
    """
    synthetic = " **The data is synthetic.**" if data["synthetic"] else ""
    sections = {
        "Model details": _details(training),
        "Intended use": NOT_KNOWN,
        "Factors": f"Slices and groups that were looked at: {_slices(evaluation)}",
        "Metrics": "Held-out rows only; 95% percentile bootstrap intervals beside every value.",
        "Evaluation data": f"{data['test']} rows of `{data['source']}`; {data['split']}.{synthetic}",
        "Training data": f"{data['train']} rows of `{data['source']}` (sha256 `{data['sha256'][:16]}`); target "
        f"`{data['target']}` ({data['task']}).\n\n{_columns(data)}",
        "Quantitative analyses": _table(evaluation),
        "Ethical considerations": NOT_KNOWN,
        "Caveats and recommendations": _caveats(data, evaluation),
    }
    return f"# {name}\n\n" + "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items()) + "\n"


def _details(training: Mapping[str, Any]) -> str:
    members = ", ".join(f"{member} ({weight:.0%})" for member, weight in training["members"].items())
    tried = ", ".join(f"{member} {value:.4f}" for member, value in training["out_of_fold"].items())
    return f"Algorithm `{training['algorithm']}`: {members}.\n\nOut-of-fold {training['metric']} of all tried: {tried}."


def _columns(data: Mapping[str, Any]) -> str:
    used = "\n".join(f"- `{column}` ({kind})" for column, kind in data["features"].items())
    unused = "\n".join(f"- `{column}`: {why}" for column, why in data["unused"].items()) or "- none"
    return f"Features:\n{used}\n\nColumns not used:\n{unused}"


def _slices(evaluation: Mapping[str, Any]) -> str:
    weakest: Sequence[Mapping[str, Any]] = evaluation["weakest_slices"]
    told = [
        f"{part['slice']} ({part['metric']} {part['value']:.3f}, rest {part['rest']:.3f}, n={part['n']})"
        for part in weakest
    ]
    return "; ".join(told) or "none is large enough to tell."


def _table(evaluation: Mapping[str, Any]) -> str:
    who = {"model": evaluation["metrics"], **evaluation["baselines"]}
    lines = ["| metric | " + " | ".join(who) + " |", "|---" * (len(who) + 1) + "|"]
    lines += [
        f"| {metric} | " + " | ".join(_cell(estimates.get(metric)) for estimates in who.values()) + " |"
        for metric in evaluation["metrics"]
    ]
    return "\n".join(lines)


def _cell(estimate: Mapping[str, float] | None) -> str:
    return "" if estimate is None else f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def _caveats(data: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    notes = [f"- Measured on {data['test']} rows: differences within the intervals are noise."]
    ece = evaluation.get("calibration", {}).get("ece")
    if ece is not None:
        notes.append(f"- Expected calibration error {ece:.3f} (10 equal-mass bins).")
    if data["synthetic"]:
        notes.append("- Trained on synthetic posts: it says nothing about real ones.")
    return "\n".join(notes)
