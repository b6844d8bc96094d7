"""Dividing rows into train and test: by time when there is a time, else stratified, random, or by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.errors import InvalidInput
from mlestar.stages.table import dates_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MIN_PART = 10
"""Fewest rows of the smaller part: below it no interval says anything."""


def split_rows(
    rows: pd.DataFrame, *, wanted: str, share: float, seed: int, stratify: str, group: str, time: str
) -> tuple[pd.DataFrame, pd.DataFrame, str, str]:
    """Train rows, test rows, the split's name, and a sentence on why it was chosen.

    Args:
        rows: (n_rows, n_columns), with a fresh index.
        wanted: auto, stratified, random, group or time.
        seed: Of the shuffling.
        share: Of rows that are held out, 0 to 1.
        stratify: The target of a classification; empty otherwise.
        group: Column whose values never stand on both sides; empty when there is none.
        time: Column that orders the rows; empty when there is none.
    """
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    chosen = (
        wanted if wanted != "auto" else "time" if time else "group" if group else "stratified" if stratify else "random"
    )
    if chosen == "time" and time:
        rows = rows.iloc[dates_of(rows[time]).argsort(kind="stable").to_numpy()].reset_index(drop=True)
    index = rows.index.to_numpy()
    if chosen == "time":
        train, test = _by_time(rows, time, share)
        says = f"the last {share:.0%} by {time!r} are held out" + (
            ", because a time exists" if wanted == "auto" else ""
        )
    elif chosen == "group":
        if not group:
            raise InvalidInput(
                "a split by group needs the column of the groups", do='set {"data": {"group": <column>}}'
            )
        parts = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
        train, test = next(parts.split(index, groups=rows[group].astype(str)))
        says = f"{share:.0%} of the groups of {group!r} are held out"
    else:
        chosen = "random" if chosen == "stratified" and not stratify else chosen
        labels = rows[stratify] if chosen == "stratified" else None
        train, test = train_test_split(index, test_size=share, random_state=seed, stratify=labels)
        says = f"{share:.0%} at random are held out" + (", stratified by the target" if chosen == "stratified" else "")
    if min(len(train), len(test)) < MIN_PART:
        raise InvalidInput(
            f"the split leaves {len(train)} rows to train on and {len(test)} to test, fewer than {MIN_PART}",
            do="add rows or change data.test",
        )
    parts_of = rows.loc[sorted(train)], rows.loc[sorted(test)]
    if stratify and set(parts_of[0][stratify]) < set(rows[stratify]):
        raise InvalidInput(
            "a class has no row on the training side of the split", do="choose another data.split or add rows"
        )
    return *(part.reset_index(drop=True) for part in parts_of), chosen, says  # type: ignore[return-value] # two frames


def _by_time(rows: pd.DataFrame, time: str, share: float) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    if not time:
        raise InvalidInput("a split by time needs the column of the times", do='set {"data": {"time": <column>}}')
    times = dates_of(rows[time])
    if times.isna().any():
        raise InvalidInput(
            f"{int(times.isna().sum())} rows have no time in {time!r}", do="fill them or split otherwise"
        )
    border = times.quantile(1 - share, interpolation="lower")
    late = (times > border).to_numpy()  # rows of one moment stay on one side
    if not late.any():
        late = (times >= border).to_numpy()
    return np.flatnonzero(~late), np.flatnonzero(late)
