"""T2.3: what is fitted before the split, as a table of small programs."""

from __future__ import annotations

import json

import pytest

from mlestar.checks.training.code import nothing_is_fitted_before_the_split
from mlestar.core.code.leakage.analysis import find_leaks
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.project import ProjectFacts
from mlestar.core.facts.source import SourceModule
from mlestar.evidence.notebooks import read_notebook

HEAD = """\
import pandas as pd
from sklearn.preprocessing import StandardScaler, LabelEncoder
from sklearn.model_selection import train_test_split, cross_val_score, GridSearchCV, KFold
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.linear_model import LogisticRegression
from imblearn.over_sampling import SMOTE
"""
FREE, SUPERVISED, CLEAN = Outcome.PARTIAL, Outcome.FAIL, Outcome.PASS
FOLDS = """\
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler
from imblearn.over_sampling import SMOTE
folds, scaler = GroupKFold(), StandardScaler()
X, y, groups = load()
{pair}
kept, held = X.iloc[a], X.iloc[b]
"""
PAIRS = (
    "a, b = next(folds.split(X, y, groups))",
    "a, b = next(iter(folds.split(X, y, groups)))",
    "a, b = list(folds.split(X, y, groups))[k]",
    "pairs = list(folds.split(X, y, groups))\na, b = pairs[0]",
)
IN_LOOPS = (
    "pairs = list(folds.split(X, y, groups))\nfor a, b in pairs:\n    ...",
    "pairs = list(folds.split(X, y, groups))\nfor number, (a, b) in enumerate(pairs):\n    ...",
)
LOAD = "df = pd.read_csv('x')\nX = df.drop('t', axis=1)\ny = df['t']\n"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y)\n"

PROGRAMS: dict[str, tuple[str, Outcome]] = {
    "scaler a few lines before the split": (
        LOAD + "scaler = StandardScaler()\nXs = scaler.fit_transform(X)\na, b, c, d = train_test_split(Xs, y)\n",
        FREE,
    ),
    "data that another file or a cell has made": (
        "from data import *\nX = StandardScaler().fit_transform(X)\n" + SPLIT,
        FREE,
    ),
    "another file's data, split before": (
        "from data import *\n" + SPLIT + "s = StandardScaler().fit(X_train)\nprint(len(X))\n",
        CLEAN,
    ),
    "fit on all, transform after": (
        LOAD + "s = StandardScaler()\ns.fit(X)\n" + SPLIT + "X_train = s.transform(X_train)\n",
        FREE,
    ),
    "fit after the split on train": (
        LOAD + SPLIT + "s = StandardScaler()\nX_train = s.fit_transform(X_train)\nX_test = s.transform(X_test)\n",
        CLEAN,
    ),
    "pipeline in cross-validation": (
        LOAD
        + ("p = make_pipeline(StandardScaler(), LogisticRegression())\ncross_val_score(p, X, y)\np.fit(X, y)\n")
        + SPLIT,
        CLEAN,
    ),
    "oversampling before the split": (
        LOAD + "Xr, yr = SMOTE().fit_resample(X, y)\nX_train, X_test, y_train, y_test = train_test_split(Xr, yr)\n",
        SUPERVISED,
    ),
    "oversampling of the training rows": (
        LOAD + SPLIT + "X_train, y_train = SMOTE().fit_resample(X_train, y_train)\n",
        CLEAN,
    ),
    "selection before cross-validation, in a function": (
        (
            "def main():\n    X, y = load()\n    X = SelectKBest(k=3).fit_transform(X, y)\n"
            "    print(cross_val_score(LogisticRegression(), X, y))\n"
        ),
        SUPERVISED,
    ),
    "label encoding": (LOAD + "y = LabelEncoder().fit_transform(df['t'])\n" + SPLIT, CLEAN),
    "helper that scales": (
        (
            "def prep(df):\n    sc = StandardScaler()\n    df[['a']] = sc.fit_transform(df[['a']])\n    return df\n"
            "def main():\n    df = prep(pd.read_csv('x'))\n    train, test = train_test_split(df)\n"
        ),
        FREE,
    ),
    "helper given both sides": (
        (
            "def prep(X_train, X_test):\n    s = StandardScaler()\n    return "
            "s.fit_transform(X_train), s.transform(X_test)\n"
            "def main():\n    X, y = load()\n    a, b, c, d = train_test_split(X, y)\n    a, b = prep(a, b)\n"
        ),
        CLEAN,
    ),
    "split hidden in a helper": (
        (
            "def split(df):\n    return train_test_split(df, test_size=.2)\ndf = pd.read_csv('x')\n"
            "df[['a']] = StandardScaler().fit_transform(df[['a']])\ntrain, test = split(df)\n"
        ),
        FREE,
    ),
    "fit inside the folds": (
        (
            "X, y = load()\nfor tr, te in KFold(5).split(X):\n    s = "
            "StandardScaler().fit(X[tr])\n    B = s.transform(X[te])\n"
        ),
        CLEAN,
    ),
    "fit before the folds": (
        (
            "X, y = load()\nkf = KFold(5)\nX = StandardScaler().fit_transform(X)\n"
            "for i, (tr, te) in enumerate(kf.split(X)):\n    pass\n"
        ),
        FREE,
    ),
    "split by slicing": (
        "X, y = load()\nX = StandardScaler().fit_transform(X)\nn = int(len(X) * .8)\nX_train, X_test = X[:n], X[n:]\n",
        FREE,
    ),
    "columns picked, not rows": (
        "X, y = load()\ncols = ['a']\nX_train, X_test = train_test_split(X)\ns = StandardScaler().fit(X_train[cols])\n",
        CLEAN,
    ),
    "methods of a class": (
        (
            "class T:\n  def prep(self, df):\n    self.s = StandardScaler()\n    return self.s.fit_transform(df)\n"
            "  def run(self):\n    df = pd.read_csv('x')\n    X = self.prep(df)\n    a, b = train_test_split(X)\n"
        ),
        FREE,
    ),
    "search over resampled rows": (
        (
            "X, y = load()\nXr, yr = SMOTE().fit_resample(X, y)\ng = "
            "GridSearchCV(LogisticRegression(), {})\ng.fit(Xr, yr)\n"
        ),
        SUPERVISED,
    ),
    "resampling inside the training rows, then validation": (
        "X, y = load()\n" + SPLIT + "Xr, yr = SMOTE().fit_resample(X_train, y_train)\n"
        "cross_val_score(LogisticRegression(), Xr, yr)\n",
        FREE,
    ),
    "scaler of other data": (
        ("X, y = load()\nref = pd.read_csv('old')\ns = StandardScaler().fit(ref)\n")
        + SPLIT
        + "X_train = s.transform(X_train)\n",
        CLEAN,
    ),
    "target encoding by group means": (
        (
            "df = pd.read_csv('x')\ny = df['churn']\ndf['c'] = df.groupby('city')['churn'].transform('mean')\n"
            "X_train, X_test = train_test_split(df)\n"
        ),
        SUPERVISED,
    ),
    "scaling by hand": (
        "df = pd.read_csv('x')\ndf = (df - df.mean()) / df.std()\nX_train, X_test = train_test_split(df)\n",
        FREE,
    ),
    "imputing by the median of all": (
        "df = pd.read_csv('x')\ndf = df.fillna(df.median())\nX_train, X_test = train_test_split(df)\n",
        FREE,
    ),
    "fitted again on the test rows": (
        LOAD + SPLIT + "s = StandardScaler()\nX_train = s.fit_transform(X_train)\nX_test = s.fit_transform(X_test)\n",
        FREE,
    ),
    "validation rows cut off the training rows": (
        LOAD + SPLIT + "s = StandardScaler().fit(X_train)\nX_train = s.transform(X_train)\n"
        "X_train, X_val, y_train, y_val = train_test_split(X_train, y_train)\n",
        CLEAN,
    ),
    "fits without any split": ("X = load()\nX = StandardScaler().fit_transform(X)\n", Outcome.INCONCLUSIVE),
}


def judge(**sources: str) -> Verdict:
    modules = {path: SourceModule(path=path, text=text) for path, text in sources.items()}
    (verdict,) = nothing_is_fitted_before_the_split(Facts(project=ProjectFacts(root="p", modules=modules)))
    return verdict


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_gets_its_verdict(name: str) -> None:
    text, expected = PROGRAMS[name]
    assert judge(**{"train.py": HEAD + text}).outcome is expected


def test_a_leak_is_located_at_the_fit_and_names_the_split() -> None:
    verdict = judge(**{"train.py": HEAD + PROGRAMS["scaler a few lines before the split"][0]})
    assert str(verdict.where) == "train.py:12"
    assert "StandardScaler.fit_transform" in verdict.observed
    assert "line 13" in verdict.observed


def test_a_leak_is_followed_into_another_module() -> None:
    feature = HEAD + "def build(df, y):\n    return SelectKBest().fit_transform(df, y)\n"
    train = HEAD + (
        "from src.feat import build\ndf = pd.read_csv('x')\nX = build(df, df['t'])\na, b = train_test_split(X)\n"
    )
    verdict = judge(**{"src/feat.py": feature, "train.py": train})
    assert verdict.outcome is Outcome.FAIL
    assert str(verdict.where) == "src/feat.py:9"


def test_a_leak_in_a_notebook_is_located_by_cell() -> None:
    program = HEAD + PROGRAMS["oversampling before the split"][0]
    cells = [program[: len(HEAD)], "%matplotlib inline\n!pip install x\n" + program[len(HEAD) :]]
    raw = json.dumps({"cells": [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]})
    module = read_notebook("eda.ipynb", raw.encode(), "")
    assert module is not None
    project = ProjectFacts(root="p", modules={"eda.ipynb": module})
    (verdict,) = nothing_is_fitted_before_the_split(Facts(project=project))
    assert verdict.outcome is Outcome.FAIL
    assert str(verdict.where) == "eda.ipynb:6#cell 2"


def test_code_without_data_steps_yields_nothing() -> None:
    project = ProjectFacts(root="p", modules={"a.py": SourceModule(path="a.py", text="print('a b'.split())\n")})
    assert list(nothing_is_fitted_before_the_split(Facts(project=project))) == []


@pytest.mark.parametrize("pair", [*PAIRS, *IN_LOOPS])
@pytest.mark.parametrize(
    ("fit", "leaks"),
    [
        ("scaler.fit_transform(kept)", False),
        ("SMOTE().fit_resample(kept, y.iloc[a])", False),
        ("scaler.fit(held)", True),
        ("scaler.fit(X)\na, b = next(folds.split(X, y, groups))", True),
    ],
)
def test_the_sides_of_one_fold_are_told_apart(pair: str, fit: str, leaks: bool) -> None:
    module = SourceModule(path="train.py", text=FOLDS.format(pair=pair) + fit + "\n")
    assert bool(find_leaks({"train.py": module}).leaks) == leaks
