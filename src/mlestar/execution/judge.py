"""One evaluation, in a process of its own: read the evidence once, run the checks, answer with findings as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.checks.catalogue import run_checks
from mlestar.core.data_facts import DataFacts, Table
from mlestar.core.facts import Facts
from mlestar.core.finding_json import to_json
from mlestar.core.profiles import profile_of
from mlestar.core.rubric import CHECKS
from mlestar.core.terms import terms_of
from mlestar.errors import NotFound
from mlestar.execution.statements_read import statements_read

if TYPE_CHECKING:
    from mlestar.core.data_facts import Task
    from mlestar.core.project_facts import ProjectFacts

Report = Callable[[float, float | None, str], None]

TABLES = ("train", "test", "reference", "current")
MOST_COLUMNS = 40
_STEPS = 3.0


def judge(payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Collect the facts that `payload` names, run the checks of `payload["dimensions"]`.

    Args:
        payload: claims (by dimension), dimensions (letters), places (input -> {path, shown, boundary}, resolved
            below an allowed root by the caller), target, groups, time, execute, max_rows, max_bytes.
        report: Told what is being done.

    Returns:
        findings (JSON, see core/finding_json), statements (what of the claims was understood), terms, profile,
        read (what was looked at).

    Raises:
        NotFound: A column that a table does not have.
        InvalidInput: A file that cannot be read as what it was named for.
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
        "statements": statements_read(facts, findings),
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
    target, groups = payload["target"], tuple(payload["groups"])
    for table in tables.values():
        _require_columns(table, [payload["time"]])
    labelled = [tables[name] for name in ("train", "test") if name in tables]
    for table in labelled:
        _require_columns(table, [target, *groups])
    predictions = None
    task = _task(labelled, target)
    if "predictions" in places:
        from mlestar.evidence.predictions import read_predictions

        predictions = read_predictions(_table(places["predictions"], payload), target=target, groups=groups, task=task)
    return DataFacts(
        task=task or (predictions.task if predictions is not None else None),
        target=target,
        time_column=payload["time"],
        group_columns=groups,
        train=tables.get("train"),
        test=tables.get("test"),
        reference=tables.get("reference"),
        current=tables.get("current"),
        predictions=predictions,
    )


def _task(labelled: Sequence[Table], target: str) -> Task | None:
    if not labelled or not target:
        return None
    from mlestar.core.statistics.columns import task_of

    return task_of(labelled[0].frame[target])


def _require_columns(table: Table, names: Iterable[str]) -> None:
    columns = [str(column) for column in table.frame.columns]
    for name in names:
        if name and name not in columns:
            close = get_close_matches(name, columns, n=1)
            raise NotFound(
                f"{table.path} has no column {name!r}",
                valid=columns[:MOST_COLUMNS],
                do=f"did you mean {close[0]!r}?" if close else "name one of its columns",
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
    if data is not None and data.predictions is not None:
        predictions = data.predictions
        seen["predictions"] = {"path": predictions.path, "rows": predictions.n_read, "sha256": predictions.sha256}
    return seen
