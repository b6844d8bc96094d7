"""Runs the checks over the facts. One that breaks is an `error` finding; the others run on."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import mlestar.checks as package
from mlestar.checks.registry import Check, CheckDoc, registered
from mlestar.core.evidence import Finding, Level, Outcome, Verdict
from mlestar.core.rubric import CHECKS

if TYPE_CHECKING:
    from mlestar.core.facts import Facts

NO_DOC = CheckDoc(claim="", why="", how="", threshold="", source="", fix="", limits="")


def load() -> dict[str, Check]:
    """Import every module below `checks/<dimension>/` and return the catalogue, by id."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return registered()


def run_checks(facts: Facts, ids: Iterable[str] | None = None) -> list[Finding]:
    """Judge: every check of `ids` (all, if None) in the rubric's order, at least one finding each.

    A check that yields nothing had no input: its finding is `unknown`. One that raises is an `error` finding that
    names the exception's type; neither is ever a fail.
    """
    catalogue = load()
    wanted = CHECKS if ids is None else set(ids)
    return [finding for check_id in CHECKS if check_id in wanted for finding in _run(check_id, catalogue, facts)]


def _run(check_id: str, catalogue: dict[str, Check], facts: Facts) -> Iterator[Finding]:
    entry = catalogue.get(check_id)
    doc = entry.doc if entry else NO_DOC
    verdicts: list[Verdict] = []
    if entry:
        try:
            for verdict in entry.run(facts):
                verdicts.append(verdict)  # noqa: PERF402 - what was yielded before a crash is kept
        except Exception as error:  # noqa: BLE001 - whatever one check raises, the others must still be judged
            verdicts.append(
                Verdict(
                    outcome=Outcome.ERROR,
                    level=Level.NONE,
                    observed=f"the check itself broke with {type(error).__name__}; this is not a fail of the project",
                )
            )
    if not verdicts:
        needs = " and ".join(CHECKS[check_id].needs)
        verdicts.append(
            Verdict(outcome=Outcome.UNKNOWN, level=Level.NONE, observed=f"no evidence; looked for in: {needs}")
        )
    for verdict in verdicts:
        yield finding_of(check_id, doc, verdict)


def finding_of(check_id: str, doc: CheckDoc, verdict: Verdict, *, run_id: str = "") -> Finding:
    """The verdict with its check's threshold, source and (unless it brings its own) fix."""
    finding = Finding(
        check=check_id,
        outcome=verdict.outcome,
        level=verdict.level,
        value=verdict.v,
        observed=verdict.observed,
        threshold=doc.threshold,
        source=doc.source,
        fix=verdict.fix or doc.fix,
        where=verdict.where,
        n=verdict.n,
        run_id=run_id,
    )
    return replace(finding, fix="") if verdict.outcome is Outcome.PASS else finding
