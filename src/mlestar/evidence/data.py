"""The tables of one evaluation put together, with every column name checked against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mlestar.core.data_facts import DataFacts, Table
from mlestar.core.statistics.columns import features, task_of
from mlestar.errors import InvalidInput, NotFound
from mlestar.evidence.experiments import read_experiment
from mlestar.evidence.predictions import read_predictions

if TYPE_CHECKING:
    from mlestar.core.data_facts import Task

_SHOWN = 30


def collect_data(
    tables: Mapping[str, Table],
    *,
    target: str = "",
    groups: Sequence[str] = (),
    time: str = "",
    task: Task | None = None,
    seed: int = 0,
) -> DataFacts:
    """Data facts of the named tables.

    Args:
        tables: Any of train, test, reference, current, predictions, experiment, label_audit.
        target: Column to predict; must be in train, test or predictions if one of them is given.
        groups: Columns of groups.
        time: Column of time.
        task: Declared task; left to the checks when None.
        seed: Of everything that is drawn.

    Raises:
        NotFound: A column that none of the tables has: named with the nearest ones.
        InvalidInput: Train and test that share no column; predictions or an experiment that cannot be read.
    """
    data = {name: table for name, table in tables.items() if name in {"train", "test", "reference", "current"}}
    for what, name in (("target", target), ("time", time), *(("groups", group) for group in groups)):
        if name:
            _require(name, what, [*data.values(), *(tables[key] for key in ("predictions",) if key in tables)])
    if target and "train" in data and target not in data["train"].frame.columns:
        _require(target, "target", [data["train"]])
    train, test = data.get("train"), data.get("test")
    if train is not None and test is not None and not set(features(train.frame)) & set(features(test.frame)):
        raise InvalidInput(
            f"{train.path} and {test.path} share no column",
            valid=features(train.frame)[:_SHOWN],
            do="give two splits of one data set",
        )
    if task is None and target and train is not None:
        known: Task | None = task_of(train.frame[target])
    else:
        known = task
    answers = tables.get("predictions")
    predictions = None
    if answers is not None:
        mine = [group for group in groups if group in answers.frame.columns]
        predictions = read_predictions(answers, target=target, groups=mine, task=known)
    return DataFacts(
        task=task,
        target=target,
        time_column=time,
        group_columns=tuple(groups),
        predictions=predictions,
        experiment=read_experiment(tables["experiment"]) if "experiment" in tables else None,
        label_audit=tables.get("label_audit"),
        seed=seed,
        **data,
    )


def _require(name: str, what: str, tables: Sequence[Table]) -> None:
    """Refuse a column that none of the tables has."""
    columns = list(dict.fromkeys(column for table in tables for column in features(table.frame)))
    if not tables or name in columns:
        return
    close = get_close_matches(name, columns, n=1, cutoff=0.5)
    where = " or ".join(table.path for table in tables[:2])
    raise NotFound(
        f"{where} has no column {name!r} ({what})",
        valid=columns[:_SHOWN],
        do=f"did you mean {close[0]!r}?" if close else "name one of these columns",
    )
