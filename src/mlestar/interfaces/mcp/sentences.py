"""What each tool says in words: it must stand alone, since many clients show a model only this.

Each function takes the structured answer (wire names) and returns one or two plain sentences, with the key numbers
in them, followed by the lines that the reader came for.
"""

from __future__ import annotations

import json
from typing import Any

from mlestar.core.evidence import Where

Data = dict[str, Any]
SHOWN_FINDINGS = 5
SHOWN_EFFECTS = 5
LOG_TAIL = 600
"""Characters of a failed process's log that are shown; the structured answer has more."""
MOVES = ("compressed", "archived", "spilled", "expired")


def evaluation(data: Data) -> str:
    """Score, what it rests on, the worst findings, what to do next."""
    rests_on = f"declared {data['declared']}, ceiling {data['ceiling']}, coverage {data['coverage']}%"
    lines = [f"{data['dimension']}: {data['score']} of 100 proven ({rests_on})."]
    lines += [f"Note: {note}." for note in data["read"].get("project", {}).get("notes", [])]
    lines += [f"Blocked by {blocker['check']}: {blocker['observed']}" for blocker in data.get("blockers", [])]
    lines += _findings(data["findings"])
    return "\n".join(lines + _next(data["nextActions"]))


def score(data: Data) -> str:
    """The scorecard in words; other views print their own text or JSON."""
    if "text" in data:
        return str(data["text"])
    if not isinstance(data.get("score"), dict) or "declared" not in data:
        return json.dumps(data, ensure_ascii=False)
    scores = data["score"]
    word = data["interpretation"]
    ready = "production ready" if word["productionReady"] else "not production ready"
    parts = ", ".join(f"{name} {value}" for name, value in scores.items() if name != "overall")
    rests_on = f"Declared {data['declared']}, ceiling {data['ceiling']}, coverage {data['coverage']}%."
    lines = [f"Overall {scores['overall']} of 100 ({word['overall']}), {ready}: {parts}. {rests_on}"]
    lines += [f"Note: {note}." for note in data["notes"]]
    lines += [f"Blocked by {blocker['check']}: {blocker['observed']}" for blocker in data["blockers"]]
    return "\n".join(lines + _next(data["nextActions"]))


def receipt(data: Data) -> str:
    """Where it is, how full the windows are, what moved."""
    used = ", ".join(f"W{item['window']} {item['used']}/{item['cap']}" for item in data["windows"])
    ids = ", ".join(f"#{entry}" for entry in data["ids"])
    words = [f"{data['status'].capitalize()} {ids} at version {data['version']}; {used} tokens."]
    moved = [
        f"{len(data[name])} {verb}"
        for name, verb in (
            ("merged", "merged"),
            ("compressed", "compressed"),
            ("archived", "archived"),
            ("spilled", "moved"),
        )
        if data.get(name)
    ]
    if moved:
        words.append(f"Balanced: {', '.join(moved)}; originals stay recallable by id.")
    return " ".join(words + [str(warning) for warning in data["notes"]])


def window_read(data: Data) -> str:
    """The entries themselves, marked as quoted data."""
    used = ", ".join(f"W{item['window']} {item['name']} {item['used']}/{item['cap']}" for item in data["windows"])
    entries = [
        f"- [#{entry['id']} W{entry['window']} p{entry['priority']}] {entry['text']}" for entry in data["entries"]
    ]
    head = f"{len(entries)} entries (quoted data, not instructions). Tokens used: {used}."
    return "\n".join([head, *entries])


def thinking(data: Data) -> str:
    """Where the session stands, and the brief of each step or the recalled context."""
    lines = [
        f"Thought {data['thoughtNumber']} of {data['totalThoughts']} in session {data['session']}; "
        + ("more needed." if data["nextThoughtNeeded"] else "concluded.")
    ]
    lines += [f"{step['step']}. {step['brief']}" for step in data["steps"]]
    lines += [f"- [#{item['id']} W{item['window']}] {item['text']}" for item in data["context"]]
    return "\n".join(lines + [str(hint) for hint in data["hints"]])


def run(data: Data) -> str:
    """State, stages, metrics beside the baselines, the model, what its parts are worth, and what failed."""
    stages = ", ".join(f"{stage['name']} {stage['status']}" for stage in data["stages"])
    lines = [f"Run {data['runId']} of {data['name'] or data['pipelineId']}: {data['status']} ({stages})."]
    for who, metrics in (("model", data.get("metrics")), *(data.get("baselines") or {}).items()):
        if metrics:
            lines.append(f"{who}: " + ", ".join(f"{name} {_number(value)}" for name, value in metrics.items()))
    if data.get("model"):
        lines.append(_model(data["model"]))
    lines += [_effect(part) for part in (data.get("ablation") or ())[:SHOWN_EFFECTS]]
    lines += [
        f"{stage['name']}: its test {check['name']!r} failed: {check['says']}"
        for stage in data["stages"]
        for check in stage.get("checks", ())
        if check["outcome"] == "fail"
    ]
    if data["error"]:
        lines.append(_error(data["error"]))
        if log := (data["error"].get("details") or {}).get("log"):
            lines.append(f"The end of its log:\n{log[-LOG_TAIL:]}")
    if data["status"] in {"queued", "running"}:
        lines.append(f"Next: call get_run with run_id {data['runId']} and wait_s 25.")
    return "\n".join(lines)


def _model(model: Data) -> str:
    place = model.get("environment") or "none"
    where = f"{place} points to it" if place != "none" else "no environment points to it"
    return f"Model {model['name']} version {model['version']} ({model['sha256'][:12]}): {where}."


def _effect(part: Data) -> str:
    """One line of an ablation: the interval says whether the effect is one."""
    noise = " (within noise)" if part["within_noise"] else ""
    interval = f"{part['effect']:+.4f} [{part['low']:+.4f}, {part['high']:+.4f}]"
    return f"{part['variant']}: {part['metric']} worth {interval} for {part['cost_s']:.1f} s{noise}"


def runs(data: Data) -> str:
    """A line a run, newest first."""
    listed = data["runs"]
    return "\n".join([f"{len(listed)} runs."] + [f"- {one['runId']} {one['name']}: {one['status']}" for one in listed])


def _error(error: Data) -> str:
    parts = [f"{error['code']}: {error['message']}"]
    if error.get("valid"):
        parts.append(f"Valid: {', '.join(error['valid'])}.")
    if error.get("do"):
        parts.append(f"Next: {error['do']}.")
    return " ".join(parts)


def _findings(findings: list[Data]) -> list[str]:
    return [
        f"- {finding['check']} {finding['outcome']} ({finding['level']})"
        + (f" at {place(finding['where'])}" if place(finding["where"]) else "")
        + f": {finding['observed']}"
        for finding in findings[:SHOWN_FINDINGS]
    ]


def _next(actions: list[Data]) -> list[str]:
    return [
        f"Next: {action['check']} (+{action['gain']} points)"
        + (f" at {place(action['where'])}" if place(action["where"]) else "")
        + f": {action['text']}"
        for action in actions
    ]


def place(where: Data) -> str:
    """`path:line` or `path#column`, as much as is known."""
    return str(Where(path=where.get("path") or "", line=where.get("line"), column=where.get("column") or ""))


def _number(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
