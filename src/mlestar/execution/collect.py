"""What one evaluation looks at, read once: the project, the tables, the predictions, a named model file.

Inputs that the caller does not name are taken from the project's own list, relative to its folder:

    [tool.mlestar.inputs]
    train = "data/train.csv"
    target = "malignant"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.facts.collected import TABLES, Facts
from mlestar.core.facts.data import DataFacts, Table
from mlestar.core.project.subject import notes_on
from mlestar.core.project.trial_plan import TrialPlan, trial_plan
from mlestar.core.score.terms import Terms, inputs_of, terms_of
from mlestar.errors import MlestarError, NotFound

if TYPE_CHECKING:
    from mlestar.core.facts.data import Experiment, Task
    from mlestar.core.facts.project import ProjectFacts

FILES = (*TABLES, "predictions", "experiment", "label_audit")
COLUMNS = ("target", "groups", "time")
BY_NAME = {
    "experiment": re.compile(
        r"(^|/)[^/]*(experiment|ab[-_]?test|assignments?)[^/]*\.(csv|tsv|parquet|jsonl)$", re.IGNORECASE
    ),
    "label_audit": re.compile(r"(^|/)[^/]*(label[-_]?audit|relabel)[^/]*\.(csv|tsv|parquet|jsonl)$", re.IGNORECASE),
}
MOST_COLUMNS = 40


@dataclass(frozen=True, kw_only=True)
class Collected:
    """The facts, the terms they are judged under, which inputs there were, and what was read of them."""

    facts: Facts
    plan: TrialPlan
    terms: Terms
    given: tuple[str, ...]
    read: Mapping[str, Any]


class _Inputs:
    """Places of files and names of columns: the caller's, else the project's own."""

    def __init__(self, payload: Mapping[str, Any], project: ProjectFacts | None) -> None:
        self._payload = payload
        self._places: Mapping[str, Mapping[str, str]] = payload["places"]
        self._project = project
        self._listed = inputs_of(project)
        self.problems: list[str] = []

    def place(self, name: str) -> Mapping[str, str] | None:
        """Where a file is; None when nobody names one."""
        if name in self._places:
            return self._places[name]
        listed = self._listed.get(name)
        return self._in_project(str(listed), name) if listed else self._by_name(name)

    def _in_project(self, path: str, name: str) -> Mapping[str, str] | None:
        from mlestar.evidence.datasets import is_builtin
        from mlestar.evidence.roots import resolve_inside

        if is_builtin(path):
            return {"path": path, "shown": path}
        root = Path(self._places["project"]["path"])
        try:
            return {"path": str(resolve_inside(path, [root])), "shown": path}
        except MlestarError as error:
            self.problems.append(f"tool.mlestar.inputs.{name}: {error.message}")
            return None

    def _by_name(self, name: str) -> Mapping[str, str] | None:
        if self._project is None or name not in BY_NAME:
            return None
        found = [path for path in self._project.files if BY_NAME[name].search(path)]
        return self._in_project(found[0], name) if found else None

    def column(self, name: str) -> str:
        """The name of a column; empty when nobody names one."""
        given = self._payload[name]
        if name == "groups":
            raise KeyError(name)
        return str(given or self._listed.get(name, ""))

    def groups(self) -> tuple[str, ...]:
        """The group columns."""
        listed = self._listed.get("groups", ())
        named = self._payload["groups"] or (listed.split(",") if isinstance(listed, str) else listed)
        return tuple(str(column).strip() for column in named if str(column).strip())


def collect(payload: Mapping[str, Any]) -> Collected:
    """Read everything that `payload` names (see `judge`).

    Raises:
        NotFound: A column that a table does not have.
        InvalidInput: A file that cannot be read as what it was named for.
    """
    project = _project(payload["places"])
    terms = terms_of(project)
    inputs = _Inputs(payload, project)
    data = _data(payload, inputs)
    plan = trial_plan(project, inputs_of(project)) if project is not None else TrialPlan()
    facts = Facts(
        claims=payload["claims"],
        project=project,
        data=data,
        models=_models(payload["places"]),
        limits=terms.limits,
        runnable=plan.runs,
    )
    return Collected(
        facts=facts,
        plan=plan,
        terms=replace(terms, problems=(*terms.problems, *inputs.problems)),
        given=(*facts.inputs, *["execute"] * bool(payload["execute"])),
        read=_read(project, data),
    )


def _project(places: Mapping[str, Mapping[str, str]]) -> ProjectFacts | None:
    if "project" not in places:
        return None
    from mlestar.evidence.project import read_project

    place = places["project"]
    return read_project(Path(place["path"]), boundary=Path(place["boundary"]))


def _models(places: Mapping[str, Mapping[str, str]]) -> tuple[Any, ...]:
    """A model file that was named by itself: its bytes are scanned, it is never loaded."""
    if "model" not in places:
        return ()
    from mlestar.evidence.bounded import Found, Limits, file_digest
    from mlestar.evidence.model_files import read_model

    place = places["model"]
    real = Path(place["path"])
    found = Found(path=place["shown"], real=real, size=real.stat().st_size)
    return (read_model(found, file_digest(real, "sha256"), Limits()),)


def _data(payload: Mapping[str, Any], inputs: _Inputs) -> DataFacts | None:
    tables = {name: _table(place, payload) for name in FILES if (place := inputs.place(name)) is not None}
    if not tables:
        return None
    target, time, groups = inputs.column("target"), inputs.column("time"), inputs.groups()
    labelled = [tables[name] for name in ("train", "test") if name in tables]
    for table in labelled:
        _require_columns(table, [target, time, *groups])
    task = _task(labelled, target)
    predictions = None
    if "predictions" in tables:
        from mlestar.evidence.predictions import read_predictions

        answers = tables["predictions"]
        mine = [name for name in groups if name in answers.frame.columns] if labelled else groups
        predictions = read_predictions(answers, target=target, groups=mine, task=task)
    return DataFacts(
        task=task or (predictions.task if predictions is not None else None),
        target=target,
        time_column=time,
        group_columns=groups,
        train=tables.get("train"),
        test=tables.get("test"),
        reference=tables.get("reference"),
        current=tables.get("current"),
        predictions=predictions,
        experiment=_experiment(tables.get("experiment"), inputs),
        label_audit=tables.get("label_audit"),
    )


def _experiment(table: Table | None, inputs: _Inputs) -> Experiment | None:
    if table is None:
        return None
    from mlestar.evidence.experiments import read_experiment

    try:
        return read_experiment(table)
    except MlestarError as error:  # found by its name only: another table may be called so
        inputs.problems.append(f"experiment: {error.message}")
        return None


def _table(place: Mapping[str, str], payload: Mapping[str, Any]) -> Table:
    from mlestar.evidence.datasets import is_builtin, read_builtin, read_table

    if is_builtin(place["path"]):
        return read_builtin(place["path"])
    return read_table(
        Path(place["path"]), shown_as=place["shown"], max_rows=payload["max_rows"], max_bytes=payload["max_bytes"]
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


def _read(project: ProjectFacts | None, data: DataFacts | None) -> dict[str, Any]:
    """What was looked at, for the record of the evaluation."""
    seen: dict[str, Any] = {}
    if project is not None:
        seen["project"] = {
            "root": project.root,
            "files": len(project.files),
            "commit": project.git.head if project.git is not None else "",
            "truncated": project.truncated,
            "notes": notes_on(project),
        }
    for name in (*TABLES, "predictions", "experiment", "label_audit"):
        source = getattr(data, name, None)
        if source is not None:
            seen[name] = {"path": source.path, "rows": source.n_read, "sha256": source.sha256}
    return seen
