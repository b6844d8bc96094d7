"""One evaluation, in a process of its own: read the evidence once, run the checks, answer with findings as JSON."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.checks.catalogue import run_checks
from mlestar.core.score.finding_json import to_json
from mlestar.core.score.profiles import profile_of
from mlestar.core.score.rubric import CHECKS
from mlestar.execution.collect import Collected, collect
from mlestar.execution.statements_read import statements_read

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

RARELY = 500_000
"""New objects until the collector looks for cycles among them; some 50 MB (ours)."""
Report = Callable[[float, float | None, str], None]


def judge(payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Collect the facts that `payload` names, run the checks of `payload["dimensions"]`.

    Args:
        payload: claims (by dimension), dimensions (letters), places (input -> {path, shown, boundary}, resolved
            below an allowed root by the caller), target, groups, time, execute, max_rows, max_bytes.
        report: Told which check is run; the reading counts as the first step.

    Returns:
        findings (JSON, see core/finding_json), statements (what of the claims was understood), terms, profile, given
        (the inputs there were), runnable (check -> what executing runs for it), read (what was looked at).

    Raises:
        NotFound: A column that a table does not have.
        InvalidInput: A file that cannot be read as what it was named for.
    """
    with _rarely_collecting():
        return _judged(payload, report)


def _judged(payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    ids = [check for check in CHECKS if check[0] in payload["dimensions"]]
    total = float(1 + len(ids))
    report(0, total, "reading")
    collected = collect(payload)
    facts = _tried(payload, collected, lambda what: report(0, total, what)) if payload["execute"] else collected.facts
    profile = profile_of(facts)
    findings = run_checks(
        facts,
        ids,
        not_applicable=profile.not_applicable,
        serving=profile.serving,
        on_check=lambda done, check: report(1 + done, total, f"{check} {CHECKS[check].title}"),
    )
    report(total, total, "judged")
    return {
        "findings": [to_json(finding) for finding in findings],
        "statements": statements_read(facts, findings, serving=profile.serving),
        "terms": collected.terms.to_json(),
        "profile": {"task": profile.task, "modality": profile.modality, "serving": profile.serving},
        "given": list(collected.given),
        "runnable": dict(facts.runnable),
        "read": dict(collected.read),
    }


@contextmanager
def _rarely_collecting() -> Generator[None]:
    """Syntax trees are millions of objects without cycles: searching them again costs more than growing them."""
    usual = gc.get_threshold()
    gc.set_threshold(RARELY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _tried(payload: Mapping[str, Any], collected: Collected, say: Callable[[str], None]) -> Facts:
    """The facts with what running the project's own code showed."""
    facts = collected.facts
    if facts.project is None or not collected.plan.runs:
        return facts
    from mlestar.execution.trial import run_trial

    project = Path(payload["places"]["project"]["path"])
    return replace(facts, trial=run_trial(project, collected.plan, facts, dimensions=payload["dimensions"], say=say))
