"""Defects to inject, one function each: a base (frame, predictions) in, the facts with the defect out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from sets import TARGET

from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Predictions, Table
from mlestar.core.statistics.columns import task_of
from mlestar.core.statistics.metrics import recomputed
from mlestar.evidence.experiments import read_experiment
from mlestar.evidence.predictions import read_predictions


@dataclass(frozen=True, kw_only=True)
class Base:
    """One clean data set, split by a seed, with out-of-fold answers of a linear model on all rows."""

    name: str
    seed: int
    frame: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame
    answers: pd.DataFrame

    @cached_property
    def is_regression(self) -> bool:
        """Whether the target is a quantity."""
        return task_of(self.frame[TARGET]) == "regression"

    @cached_property
    def is_binary(self) -> bool:
        """Whether there are two classes."""
        return task_of(self.frame[TARGET]) == "binary"

    @property
    def random(self) -> np.random.Generator:
        """The same draws for every defect of this base."""
        return np.random.default_rng(1000 + self.seed)


def table(frame: pd.DataFrame, name: str) -> Table:
    frame = frame.reset_index(drop=True)
    return Table(path=f"{name}.csv", frame=frame, sha256="0" * 64, n_rows=len(frame))


def facts(base: Base, **changed: object) -> Facts:
    """The clean twin's facts, with some parts replaced."""
    parts: dict[str, object] = {
        "target": TARGET,
        "train": table(base.train, "train"),
        "test": table(base.test, "test"),
        "reference": table(base.train, "reference"),
        "current": table(base.test, "current"),
        "predictions": predictions(base.answers),
        "seed": base.seed,
        "group_columns": ("group",) if base.is_binary else (),
    }
    claims = changed.pop("claims", {})
    return Facts(claims=claims, data=DataFacts(**(parts | changed)))  # type: ignore[arg-type]


def predictions(answers: pd.DataFrame) -> Predictions:
    return read_predictions(table(answers, "predictions"))


def answered(base: Base, answers: pd.DataFrame, **changed: object) -> Facts:
    """Answers by themselves: they are for all rows, so beside the test table they would be for other rows than its."""
    return facts(base, train=None, test=None, predictions=predictions(answers), **changed)


def with_metric(base: Base, kind: str, more: float) -> Facts:
    """A metric stated or promised `more` above what the answers give."""
    name, values = next(iter(recomputed(predictions(base.answers)).items()))
    stated = {name: round(values[0] + more, 3 if more else 2)}
    claims = {"analysis": stated} if kind == "stated" else {"scoping": {"success": stated}}
    return answered(base, base.answers, claims=claims)


def clean(base: Base) -> Facts:
    return facts(base, claims={"scoping": {"target": TARGET}}, experiment=experiment_of(base, 0.5, 0.02))


def experiment_of(base: Base, share: float, lift: float) -> object:
    random = base.random
    arm = np.where(random.random(10_000) < share, "control", "treatment")
    outcome = random.random(10_000) < np.where(arm == "treatment", 0.10 + lift, 0.10)
    return read_experiment(table(pd.DataFrame({"arm": arm, "outcome": outcome.astype(int)}), "experiment"))


def quantities(base: Base) -> list[str]:
    """The features of many numbers."""
    train = base.train.drop(columns=TARGET)
    return [str(name) for name in train if train[name].nunique() > 10 and train[name].dtype.kind in "if"]


def numeric(base: Base) -> str:
    """A feature of many values, drawn with the seed."""
    return str(base.random.choice(quantities(base)))


def missing_40(base: Base) -> Facts:
    train = base.train.copy()
    train.loc[base.random.random(len(train)) < 0.4, numeric(base)] = np.nan
    return facts(base, train=table(train, "train"))


def constant(base: Base) -> Facts:
    return facts(base, train=table(base.train.assign(batch=7), "train"))


def mixed_3(base: Base) -> Facts:
    train = base.train.copy()
    name = numeric(base)
    column = train[name].astype(object)
    column[base.random.random(len(train)) < 0.03] = "unknown"
    train[name] = column
    return facts(base, train=table(train, "train"))


def duplicates_10(base: Base) -> Facts:
    train = base.train
    copies = train.sample(len(train) // 10, random_state=base.seed)
    return facts(base, train=table(pd.concat([train, copies]), "train"))


def conflicts_5(base: Base) -> Facts:
    train = base.train
    copies = train.sample(max(3, len(train) // 20), random_state=base.seed).copy()
    classes = np.unique(train[TARGET])
    copies[TARGET] = [base.random.choice(classes[classes != label]) for label in copies[TARGET]]
    return facts(base, train=table(pd.concat([train, copies]), "train"))


def overlap_10(base: Base) -> Facts:
    test = base.test.copy()
    n = max(4, len(test) // 10)
    mixed = pd.concat([test.iloc[n:], base.train.sample(n, random_state=base.seed)])
    return facts(base, test=table(mixed, "test"))


def future_rows(base: Base) -> Facts:
    day = pd.date_range("2024-01-01", periods=len(base.frame), freq="h").astype(str)
    whole = base.frame.assign(when=base.random.permutation(day))
    train, test = whole.iloc[: len(base.train)], whole.iloc[len(base.train) :]
    return facts(base, train=table(train, "train"), test=table(test, "test"), time_column="when")


def shared_groups(base: Base) -> Facts:
    person = base.random.integers(0, len(base.frame) // 4, len(base.frame))
    whole = base.frame.assign(person=person)
    train, test = whole.iloc[: len(base.train)], whole.iloc[len(base.train) :]
    return facts(base, train=table(train, "train"), test=table(test, "test"), group_columns=("person",))


def leak_flips_3(base: Base) -> Facts:
    train = base.train.copy()
    flipped = base.random.random(len(train)) < 0.03
    train["outcome_code"] = np.where(flipped, base.random.permutation(train[TARGET]), train[TARGET])
    return facts(base, train=table(train, "train"))


def leak_noisy(base: Base) -> Facts:
    """A quantity written after the outcome: the target on another scale with 10% noise, of at most one class."""
    train = base.train.copy()
    spread = float(train[TARGET].std()) if base.is_regression else min(1.0, float(train[TARGET].std()))
    train["later"] = 3 * train[TARGET] + 5 + base.random.normal(0, 0.3 * spread, len(train))
    return facts(base, train=table(train, "train"))


def leak_words(base: Base) -> Facts:
    train = base.train.copy()
    train["status"] = "closed-" + train[TARGET].astype(str)
    return facts(base, train=table(train, "train"))


def noise_features(base: Base) -> Facts:
    n = 3 * (base.train.shape[1] - 1)
    noisy = [
        frame.reset_index(drop=True).join(
            pd.DataFrame(base.random.normal(size=(len(frame), n)) + i, columns=[f"noise_{j}" for j in range(n)])
        )
        for i, frame in enumerate((base.train, base.test))
    ]
    noisy[1].iloc[:, -n:] -= 1
    return facts(base, train=table(noisy[0], "train"), test=table(noisy[1], "test"))


def no_signal(base: Base) -> Facts:
    order = base.random.permutation(len(base.answers))
    columns = [name for name in base.answers.columns if name != "y_true"]
    answers = base.answers.copy()
    answers[columns] = answers[columns].iloc[order].to_numpy()
    return answered(base, answers)


def unsure(base: Base, sharpness: float) -> Facts:
    """Answers that err often, events drawn from exactly their probabilities, then the logits multiplied."""
    answers = base.answers.copy()
    names = [name for name in answers.columns if name.startswith("proba_")]
    if names:
        share = 0.6 * answers[names].to_numpy() + 0.4 / len(names)
        drawn = (share.cumsum(axis=1) > base.random.random((len(share), 1))).argmax(axis=1)
        answers["y_true"] = np.unique(base.answers["y_true"])[drawn]
        sharp = share**sharpness
        answers[names] = sharp / sharp.sum(axis=1, keepdims=True)
    return answered(base, answers)


def calibrated(base: Base) -> Facts:
    return unsure(base, 1)


def overconfident(base: Base) -> Facts:
    return unsure(base, 3)


def broken_slice(base: Base) -> Facts:
    """Half of the answers in one quarter of the rows are wrong."""
    answers = base.answers.copy()
    region = base.random.choice(["north", "south", "east", "west"], len(answers))
    hit = (region == "north") & (base.random.random(len(answers)) < 0.5)
    if base.is_regression:
        spread = 1.5 * float(answers["y_true"].std())
        answers.loc[region == "north", "y_pred"] += base.random.choice([-1, 1], (region == "north").sum()) * spread
    else:
        classes = np.unique(answers["y_true"])
        wrong = [base.random.choice(classes[classes != label]) for label in answers.loc[hit, "y_true"]]
        answers.loc[hit, "y_pred"] = wrong
    return answered(base, answers.assign(region=region))


def clean_slices(base: Base) -> Facts:
    region = base.random.choice(["north", "south", "east", "west"], len(base.answers))
    return answered(base, base.answers.assign(region=region))


def lost_class(base: Base) -> Facts:
    """Nine in ten cases of the rarest class are given to another."""
    answers = base.answers.copy()
    counts = answers["y_true"].value_counts()
    rare, common = counts.index[-1], counts.index[0]
    rows = (answers["y_true"] == rare) & (base.random.random(len(answers)) < 0.9)
    answers.loc[rows, "y_pred"] = common
    return answered(base, answers.drop(columns=[c for c in answers if c.startswith("proba_")]))


def every_class(base: Base) -> Facts:
    """Three in four cases of every class are found: a linear model may well lose a rare one."""
    if base.is_regression:
        return answered(base, base.answers)
    truth = base.answers["y_true"]
    place = truth.groupby(truth).cumcount()
    others = truth.map(dict(zip(np.unique(truth), np.roll(np.unique(truth), 1), strict=True)))
    return answered(base, pd.DataFrame({"y_true": truth, "y_pred": truth.where(place % 4 > 0, others)}))


def unfair(base: Base) -> Facts:
    """Four in ten positive answers for one of two groups are withheld."""
    answers = base.answers[["y_true", "y_pred"]].copy()
    group = base.random.choice(["a", "b"], len(answers))
    withheld = (group == "b") & (answers["y_pred"] == 1) & (base.random.random(len(answers)) < 0.4)
    answers.loc[withheld, "y_pred"] = 0
    return answered(base, answers.assign(group=group))


def fair(base: Base) -> Facts:
    group = base.random.choice(["a", "b"], len(base.answers))
    return answered(base, base.answers[["y_true", "y_pred"]].assign(group=group))


def shift(base: Base) -> Facts:
    current = base.test.copy()
    name = numeric(base)
    current[name] = current[name] + 0.6 * base.train[name].std()
    return facts(base, current=table(current, "current"))


def new_category(base: Base) -> Facts:
    colours = ["red", "green", "blue"]
    before = base.train.assign(colour=base.random.choice(colours, len(base.train)))
    after = base.test.assign(colour=base.random.choice([*colours, "violet"], len(base.test), p=[0.3, 0.3, 0.3, 0.1]))
    return facts(base, reference=table(before, "reference"), current=table(after, "current"))


def emails(base: Base) -> Facts:
    mail = [f"person{i}@mail{i % 7}.example" for i in range(len(base.train))]
    return facts(base, train=table(base.train.assign(contact=mail), "train"))


def wrong_task(base: Base) -> Facts:
    task = "classification" if base.is_regression else "regression"
    train = base.train if base.is_regression else base.train.assign(target="class-" + base.train[TARGET].astype(str))
    return facts(base, train=table(train, "train"), claims={"scoping": {"task": task}})


def mismatch(base: Base) -> Facts:
    return facts(base, experiment=experiment_of(base, 0.53, 0.02))


def harmful(base: Base) -> Facts:
    return facts(base, experiment=experiment_of(base, 0.5, -0.03))


def fewer_rows(base: Base) -> Facts:
    return facts(base, claims={"scoping": {"data": f"{5 * len(base.frame)} rows"}})


@dataclass(frozen=True, kw_only=True)
class Defect:
    """A defect class: the check that must see it, and on which bases it makes sense."""

    check: str
    inject: Callable[[Base], Facts]
    on: Callable[[Base], bool] = lambda _: True
    outcomes: tuple[str, ...] = ("fail", "partial")


def _quantities(base: Base) -> bool:
    return bool(quantities(base))


def _classes(base: Base) -> bool:
    return not base.is_regression


DATA_DEFECTS: dict[str, Defect] = {
    "missing 40%": Defect(check="T1.2", inject=missing_40, on=_quantities, outcomes=("fail",)),
    "constant column": Defect(check="T1.3", inject=constant),
    "mixed types 3%": Defect(check="T1.3", inject=mixed_3, on=_quantities),
    "duplicates 10%": Defect(check="T1.3", inject=duplicates_10),
    "conflicting labels 5%": Defect(check="T1.3", inject=conflicts_5, on=_classes, outcomes=("fail",)),
    "train/test overlap 10%": Defect(check="T1.5", inject=overlap_10, outcomes=("fail",)),
    "future rows in train": Defect(check="T1.5", inject=future_rows, outcomes=("fail",)),
    "persons in both splits": Defect(check="T1.5", inject=shared_groups, outcomes=("fail",)),
    "target leak, 3% flips": Defect(check="T2.1", inject=leak_flips_3, on=_classes, outcomes=("fail",)),
    "target leak, as words": Defect(check="T2.1", inject=leak_words, on=_classes, outcomes=("fail",)),
    "target leak, noisy quantity": Defect(check="T2.1", inject=leak_noisy, outcomes=("fail",)),
    "3 of 4 features are noise": Defect(check="T2.4", inject=noise_features),
    "no signal": Defect(check="T3.1", inject=no_signal, outcomes=("fail",)),
    "metric overclaimed by 0.02": Defect(
        check="A1.1", inject=lambda base: with_metric(base, "stated", 0.02), outcomes=("fail",)
    ),
    "logits x 3": Defect(check="A1.5", inject=overconfident, on=_classes),
    "broken slice": Defect(check="A2.1", inject=broken_slice),
    "lost class": Defect(check="A2.2", inject=lost_class, on=_classes),
    "unfair group": Defect(check="A3.1", inject=unfair, on=lambda base: base.is_binary, outcomes=("fail",)),
    "shift of 0.6 sd": Defect(check="R5.3", inject=shift, on=_quantities),
    "new category 10%": Defect(check="R5.3", inject=new_category),
    "e-mail addresses": Defect(check="S3.4", inject=emails, outcomes=("fail",)),
    "wrong task": Defect(check="S1.1", inject=wrong_task, outcomes=("fail",)),
    "stated rows x 5": Defect(check="S3.2", inject=fewer_rows, outcomes=("fail",)),
    "promise missed by 0.02": Defect(
        check="S2.2", inject=lambda base: with_metric(base, "promised", 0.02), outcomes=("fail", "partial")
    ),
    "arms 53:47": Defect(check="A5.2", inject=mismatch),
    "harmful treatment": Defect(check="A5.3", inject=harmful, outcomes=("fail",)),
}


DATA_TWINS: dict[str, Callable[[Base], Facts]] = {
    "A1.1": lambda base: with_metric(base, "stated", 0),
    "A1.3": lambda base: answered(base, base.answers),
    "A1.5": calibrated,
    "A2.1": clean_slices,
    "A2.2": every_class,
    "A3.1": fair,
    "S2.2": lambda base: with_metric(base, "promised", -0.02),
    "T3.1": lambda base: answered(base, base.answers),
}
