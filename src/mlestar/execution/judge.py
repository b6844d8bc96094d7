"""One evaluation, in a process of its own: read the evidence once, run the checks, answer with findings as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.checks.catalogue import run_checks
from mlestar.core.data_facts import DataFacts, Table
from mlestar.core.facts import Facts
from mlestar.core.finding_json import to_json
from mlestar.core.profiles import profile_of
from mlestar.core.rubric import CHECKS
from mlestar.core.terms import terms_of

if TYPE_CHECKING:
    from mlestar.core.project_facts import ProjectFacts

Report = Callable[[float, float | None, str], None]

TABLES = ("train", "test", "reference", "current")
_STEPS = 3.0


def judge(payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Collect the facts that `payload` names, run the checks of `payload["dimensions"]`.

    Args:
        payload: claims (by dimension), dimensions (letters), places (input -> {path, shown, boundary}, resolved
            below an allowed root by the caller), target, groups, time, execute, max_rows, max_bytes.
        report: Told what is being done.

    Returns:
        findings (JSON, see core/finding_json), terms, profile, read (what was looked at).
    """
    places: Mapping[str, Mapping[str, str]] = payload["places"]
    report(0, _STEPS, "reading the project" if "project" in places else "reading the statements")
    project = _project(places)
    report(1, _STEPS, "reading the data")
    data = _data(payload, places)
    terms = terms_of(project)
    facts = Facts(claims=payload["claims"], project=project, data=data, limits=terms.limits)
    profile = profile_of(facts)
    report(2, _STEPS, "judging")
    ids = [check for check in CHECKS if check[0] in payload["dimensions"]]
    findings = run_checks(facts, ids, not_applicable=profile.not_applicable)
    report(_STEPS, _STEPS, "judged")
    return {
        "findings": [to_json(finding) for finding in findings],
        "terms": terms.to_json(),
        "profile": {"task": profile.task, "serving": profile.serving},
        "read": _read(project, data),
    }


def _project(places: Mapping[str, Mapping[str, str]]) -> ProjectFacts | None:
    if "project" not in places:
        return None
    from mlestar.evidence.project import read_project

    place = places["project"]
    return read_project(Path(place["path"]), boundary=Path(place["boundary"]))


def _data(payload: Mapping[str, Any], places: Mapping[str, Mapping[str, str]]) -> DataFacts | None:
    if not any(name in places for name in (*TABLES, "predictions")):
        return None
    tables = {name: _table(places[name], payload) for name in TABLES if name in places}
    return DataFacts(
        target=payload["target"],
        time_column=payload["time"],
        group_columns=tuple(payload["groups"]),
        train=tables.get("train"),
        test=tables.get("test"),
        reference=tables.get("reference"),
        current=tables.get("current"),
    )


def _table(place: Mapping[str, str], payload: Mapping[str, Any]) -> Table:
    from mlestar.evidence.datasets import is_builtin, read_builtin, read_table

    if is_builtin(place["path"]):
        return read_builtin(place["path"])
    return read_table(
        Path(place["path"]),
        shown_as=place["shown"],
        max_rows=payload["max_rows"],
        max_bytes=payload["max_bytes"],
    )


def _read(project: ProjectFacts | None, data: DataFacts | None) -> dict[str, Any]:
    """What was looked at, for the record of the evaluation."""
    seen: dict[str, Any] = {}
    if project is not None:
        seen["project"] = {
            "root": project.root,
            "files": len(project.files),
            "commit": project.git.head if project.git is not None else "",
            "truncated": project.truncated,
        }
    for name in TABLES:
        table: Table | None = getattr(data, name, None)
        if table is not None:
            seen[name] = {"path": table.path, "rows": table.n_rows, "sha256": table.sha256}
    return seen
