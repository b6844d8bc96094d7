"""The data stage: rows in, one target, kinds of columns, and a split that later stages cannot look across."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlestar.core.config_keys import nearest
from mlestar.errors import InvalidInput
from mlestar.stages import table
from mlestar.stages.data_checks import check_data
from mlestar.stages.split import split_rows

if TYPE_CHECKING:
    import pandas as pd

    from mlestar.core.pipeline import PipelineSpec
    from mlestar.core.run import StageCheck

MAX_CLASSES = 20
"""Most distinct values of a numeric target that are taken for classes (rubric S1.1)."""
MIN_ROWS = 50
TRUTH = "__best_probability__"
"""Carries a synthetic source's true probability to the held-out rows; never a feature."""
USUAL_TARGETS = ("target", "label", "y", "class", "outcome")


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a data source says of itself beside its rows.

    Attributes:
        target: The column to predict when the config names none.
        after_outcome: Columns that are known only after what is to be predicted: never features.
        truth: What is known by construction of a synthetic source (best reachable scores and more).
    """

    frame: pd.DataFrame
    path: str
    sha256: str
    target: str = ""
    after_outcome: tuple[str, ...] = ()
    synthetic: bool = False
    truth: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The data stage's output.

    Attributes:
        train, test: Features, target, and what splits or groups rows, in their forms.
        kinds: Feature -> kind, of the features that are used.
        unused: Column -> why it is no feature.
        classes: Class labels as text, sorted; empty for regression. The last one of two is the positive class.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    target: str
    task: str
    kinds: dict[str, str]
    unused: dict[str, str]
    split: str
    split_says: str
    classes: tuple[str, ...]
    group: str
    time: str
    checks: tuple[StageCheck, ...]
    facts: dict[str, Any]


def prepare(source: Source, spec: PipelineSpec) -> Prepared:
    """Check the rows, settle target, task and kinds, split.

    Raises:
        InvalidInput: A column that is not there or may not be used, a target that cannot be learnt, too few rows.
    """
    frame = source.frame
    target = _target(source, spec.data.target)
    for name in (*spec.features.declared, *spec.features.exclude, *spec.evaluation.groups, spec.data.group):
        _need_column(frame, name)
    _refuse_after_outcome(source, spec, target)
    known = frame[frame[target].notna()].reset_index(drop=True)
    task = _task(known[target], spec.data.task, target)
    if len(known) < MIN_ROWS:
        raise InvalidInput(f"{len(known)} rows have a target, fewer than the {MIN_ROWS} a run needs", do="add rows")
    kinds, unused = _features(known, spec, source, target)
    time = _time_column(known, spec, kinds)
    extra = {name: table.kind_of(known[name]) for name in (*spec.evaluation.groups, spec.data.group, time) if name}
    columns = {name: (kind if kind != table.CONSTANT else table.CATEGORICAL) for name, kind in (kinds | extra).items()}
    rows = table.as_frame(known, columns)
    rows[target] = table.in_form(known[target], table.NUMERIC if task == "regression" else table.CATEGORICAL)
    if "probability" in source.truth:
        rows[TRUTH] = source.truth["probability"][frame[target].notna().to_numpy()]
    classes = () if task == "regression" else tuple(sorted(rows[target].unique(), key=_class_order))
    if task != "regression":
        _need_classes(rows[target], target)
    train, test, split, split_says = split_rows(
        rows, wanted=spec.data.split, share=spec.data.test, seed=spec.data.seed,
        stratify=target if task != "regression" else "", group=spec.data.group, time=time,
    )  # fmt: skip
    checks = check_data(
        train=train, test=test, target=target, task=task, kinds=kinds, time=time if split == "time" else "",
        group=spec.data.group, dropped=len(frame) - len(known), seed=spec.data.seed,
    )  # fmt: skip
    facts = {
        "source": source.path, "sha256": source.sha256, "rows": len(frame), "columns": len(frame.columns),
        "train": len(train), "test": len(test), "target": target, "task": task, "split": split_says,
        "features": kinds, "unused": unused, "synthetic": source.synthetic,
    }  # fmt: skip
    return Prepared(
        train=train, test=test, target=target, task=task, kinds=kinds, unused=unused, split=split,
        split_says=split_says, classes=classes, group=spec.data.group, time=time, checks=checks, facts=facts,
    )  # fmt: skip


def _need_column(frame: pd.DataFrame, name: str) -> None:
    if name and name not in frame.columns:
        columns = list(map(str, frame.columns))
        raise InvalidInput(f"there is no column {name!r}", valid=columns[:50], do=nearest(name, columns))


def _target(source: Source, wanted: str) -> str:
    columns = list(map(str, source.frame.columns))
    if wanted:
        _need_column(source.frame, wanted)
        return wanted
    if source.target:
        return source.target
    usual = [name for name in columns if name.lower() in USUAL_TARGETS]
    if len(usual) == 1:
        return usual[0]
    raise InvalidInput("no target is named", valid=columns[:50], do='set {"data": {"target": <column>}}')


def _refuse_after_outcome(source: Source, spec: PipelineSpec, target: str) -> None:
    leaks = [name for name in spec.features.declared if name in source.after_outcome or name == target]
    if leaks:
        raise InvalidInput(
            f"{', '.join(leaks)} cannot be a feature: known only after the outcome, so it leaks {target!r}",
            valid=[name for name in source.frame.columns if name not in (*source.after_outcome, target)],
            do="remove it from the features",
        )


def _task(target: pd.Series, wanted: str, name: str) -> str:
    kind = table.kind_of(target)
    n = target.nunique()
    if n < 2:  # noqa: PLR2004 - one value is nothing to tell apart
        raise InvalidInput(f"the target {name!r} has one value only: there is nothing to learn", do="check the target")
    if wanted == "regression" and kind != table.NUMERIC:
        raise InvalidInput(
            f"the target {name!r} holds no numbers, so it is no regression", valid=("binary", "multiclass")
        )
    if wanted != "auto":
        return wanted
    if kind == table.NUMERIC and n > MAX_CLASSES:
        return "regression"
    if kind not in {table.NUMERIC, table.CATEGORICAL, table.CONSTANT} and n > MAX_CLASSES:
        raise InvalidInput(f"the target {name!r} is {kind} with {n} values: neither classes nor numbers")
    if kind == table.NUMERIC and (target.dropna().astype(float) % 1 != 0).any():
        return "regression"
    return "binary" if n == 2 else "multiclass"  # noqa: PLR2004 - two classes


def _need_classes(target: pd.Series, name: str) -> None:
    counts = target.value_counts()
    rare = counts[counts < 5]  # noqa: PLR2004 - one row a fold of five
    if len(rare):
        raise InvalidInput(
            f"class {rare.index[0]!r} of {name!r} has {rare.iloc[0]} rows, fewer than the 5 that folds need",
            do="add rows, merge rare classes, or drop them",
        )


def _features(
    rows: pd.DataFrame, spec: PipelineSpec, source: Source, target: str
) -> tuple[dict[str, str], dict[str, str]]:
    wanted = spec.features
    kinds = (
        dict.fromkeys(wanted.text, table.TEXT)
        | dict.fromkeys(wanted.numeric, table.NUMERIC)
        | dict.fromkeys(wanted.categorical, table.CATEGORICAL)
    )
    unused: dict[str, str] = {}
    for name in rows.columns:
        if name == target or name in kinds:
            continue
        if name in source.after_outcome:
            unused[name] = "known only after the outcome: would leak the target"
        elif name in wanted.exclude:
            unused[name] = "excluded by the config"
        elif wanted.declared:
            unused[name] = "not among the declared features"
        elif name == spec.data.group:
            unused[name] = "names the groups of the split"
        elif (kind := table.kind_of(rows[name])) in {table.IDENTIFIER, table.CONSTANT}:
            unused[name] = f"{kind}: nothing to learn from"
        else:
            kinds[name] = kind
    if not kinds:
        raise InvalidInput("no column is left to learn from", valid=list(unused)[:50], do="exclude fewer columns")
    return kinds, unused


def _time_column(rows: pd.DataFrame, spec: PipelineSpec, kinds: dict[str, str]) -> str:
    _need_column(rows, spec.data.time)
    if spec.data.time or spec.data.split not in {"auto", "time"}:
        return spec.data.time
    excluded = set(spec.features.exclude)
    found = table.find_time_column(rows, [name for name in rows.columns if name not in excluded])
    if not found and spec.data.split == "time":
        raise InvalidInput("a split by time needs a time column and none was found", do='set {"data": {"time": ...}}')
    return found or next((name for name, kind in kinds.items() if kind == table.DATE), "")


def _class_order(label: str) -> tuple[int, float, str]:
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)
