"""Runs the checks over the facts. One that breaks is an `error` finding; the others run on."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import mlestar.checks as package
from mlestar.checks.doubted import doubted
from mlestar.checks.registry import Check, CheckDoc, functions_of, registered
from mlestar.core.evidence import Finding, Level, Outcome, Verdict
from mlestar.core.quoting import FEW_WORDS, reads_like_a_sentence, with_quotations
from mlestar.core.score.rubric import CHECKS

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import DataFacts
    from mlestar.core.facts.project import ProjectFacts

MOST_QUOTED = 1_000
NO_DOC = CheckDoc(claim="", why="", how="", threshold="", source="", fix="", limits="")


@functools.cache
def load(serving: str = "") -> dict[str, Check]:
    """Import every module below `checks/<dimension>/`, once, and return the catalogue, by id.

    `serving` names the profile whose own questions stand in the place of the usual ones (`batch`).
    """
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return registered(serving)


def run_checks(
    facts: Facts,
    ids: Iterable[str] | None = None,
    *,
    not_applicable: Mapping[str, str] | None = None,
    serving: str = "",
    on_check: Callable[[int, str], None] | None = None,
) -> list[Finding]:
    """Judge: every check of `ids` (all, if None) in the rubric's order, at least one finding each.

    A check that yields nothing had no input: its finding is `unknown`. One that raises is an `error` finding that
    names the exception's type; neither is ever a fail. `not_applicable` (check -> reason) comes from the profile's
    rules; a check cannot excuse itself. `serving` is the profile's too: some checks ask a batch job something else than
    a service. `on_check` is told how many are done and which one comes next.
    """
    catalogue = load(serving)
    wanted = set(CHECKS if ids is None else ids)
    excused = not_applicable or {}
    findings: list[Finding] = []
    for done, check_id in enumerate(check for check in CHECKS if check in wanted):
        if on_check is not None:
            on_check(done, check_id)
        entry = catalogue.get(check_id)
        verdicts = [_excused(excused[check_id])] if check_id in excused else list(_verdicts(check_id, facts, serving))
        doc = entry.doc if entry else NO_DOC
        findings += [finding_of(check_id, doc, _quoting(verdict, facts)) for verdict in verdicts]
    return findings


def _quoting(verdict: Verdict, facts: Facts) -> Verdict:
    """The verdict with names of columns and files that read like sentences in quotation marks."""
    columns = facts.data.derived("names like sentences", _columns_to_quote) if facts.data is not None else ()
    files = facts.project.derived("names like sentences", _files_to_quote) if facts.project is not None else ()
    names = (*columns, *files)
    observed, fix = with_quotations(verdict.observed, names), with_quotations(verdict.fix, names)
    return replace(verdict, observed=observed, fix=fix)


def _columns_to_quote(data: DataFacts) -> tuple[str, ...]:
    tables = [table for table in (data.train, data.test, data.reference, data.current) if table is not None]
    groups = data.predictions.groups if data.predictions is not None else {}
    names = {str(column) for table in tables for column in table.frame.columns} | set(groups)
    return tuple(name for name in sorted(names) if reads_like_a_sentence(name))


def _files_to_quote(project: ProjectFacts) -> tuple[str, ...]:
    return tuple(path for path in project.files if len(path.rpartition("/")[2].split()) > FEW_WORDS)[:MOST_QUOTED]


def _excused(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.NOT_APPLICABLE, level=Level.INSPECTED, observed=reason)


def _verdicts(check_id: str, facts: Facts, serving: str) -> Iterator[Verdict]:
    found = False
    for function in functions_of(check_id, serving):
        try:
            for verdict in function(facts):
                found = True
                told = verdict if verdict.outcome is not Outcome.NOT_APPLICABLE else _unknown(verdict.observed)
                yield doubted(told, facts)
        except Exception as error:  # noqa: BLE001 - whatever one check raises, the others must still be judged
            found = True
            yield Verdict(
                outcome=Outcome.ERROR,
                level=Level.NONE,
                observed=f"the check itself broke with {type(error).__name__}; this is not a fail of the project",
            )
    if not found:
        yield _unknown(_why_unknown(CHECKS[check_id].needs, facts))


def _why_unknown(needs: Iterable[str], facts: Facts) -> str:
    missing = [need for need in needs if need not in facts.inputs]
    if missing:
        return f"nothing speaks for or against it; it takes: {' and '.join(missing)}"
    return f"nothing about it was found in: {' and '.join(needs)}"


def _unknown(observed: str) -> Verdict:
    return Verdict(outcome=Outcome.UNKNOWN, level=Level.NONE, observed=observed)


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
