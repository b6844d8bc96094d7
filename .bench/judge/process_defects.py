"""Defects of how a model was made: audits, training scores, histories, error analyses, experiments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from defects import Base, Defect, answered, facts, table
from sets import TARGET
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlestar.core.facts.project import ProjectFacts, ProjectFile
from mlestar.core.facts.reports import Reports, TrackedRun
from mlestar.core.statistics.columns import kind_of, times
from mlestar.core.statistics.metrics import predicted_classes
from mlestar.evidence.experiments import read_experiment
from mlestar.evidence.predictions import read_predictions

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

AUDITED = 200


def audited(base: Base, disagreement: float) -> Facts:
    """Two raters of `AUDITED` rows; the second draws anew for a share of them."""
    truth = base.train[TARGET].to_numpy()[:AUDITED]
    anew = base.random.random(len(truth)) < disagreement
    second = np.where(anew, base.random.permutation(truth), truth)
    audit = table(pd.DataFrame({"rater_1": truth, "rater_2": second}), "label_audit")
    return facts(base, label_audit=audit)


def with_training_scores(base: Base, forgotten: float) -> Facts:
    """Answers on training rows and on held-out rows; with anything forgotten, the training rows were memorised."""
    answers = base.answers.drop(columns=[name for name in base.answers if name.startswith("proba_")])
    known = answers.assign(split="train")
    held_out = answers.assign(split="test")
    if forgotten:
        known["y_pred"] = known["y_true"]
    lost = base.random.random(len(held_out)) < forgotten
    held_out.loc[lost, "y_pred"] = base.random.permutation(held_out["y_true"])[lost]
    return answered(base, pd.concat([known, held_out]))


def _with_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Dates as numbers, as anyone would read them: each a category of its own tells a linear model nothing."""
    return frame.assign(**{name: times(frame[name]) for name in frame if kind_of(frame[name]) == "time"})


def against_linear(base: Base, spoilt: float) -> Facts:
    """Answers of a linear model on the test rows, a share of them drawn anew."""
    columns = [name for name in base.train if name != TARGET]
    words = make_column_selector(dtype_exclude="number")
    others = make_pipeline(SimpleImputer(), StandardScaler())
    prepared = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", min_frequency=5), words), remainder=others
    )
    model = make_pipeline(prepared, RidgeCV() if base.is_regression else LogisticRegression(max_iter=1000))
    known, asked = (_with_dates(frame[columns]) for frame in (base.train, base.test))
    answers = model.fit(known, base.train[TARGET]).predict(asked)
    drawn = base.random.random(len(answers)) < spoilt
    answers = np.where(drawn, base.random.permutation(answers), answers)
    frame = pd.DataFrame({"y_true": base.test[TARGET].to_numpy(), "y_pred": answers})
    return facts(base, predictions=read_predictions(table(frame, "predictions")))


def tracked(base: Base, versions: int) -> Facts:
    """So many versions of the model, recorded on the same data."""
    runs = tuple(
        TrackedRun(path=f"mlruns/{k}", tool="mlflow", metrics={"auc": 0.8 + k / 100}, data_hash="d41d8c")
        for k in range(versions)
    )
    return replace(facts(base), project=ProjectFacts(root="x", reports=Reports(runs=runs)))


def analysed(base: Base, factor: float) -> Facts:
    """An error analysis that counts `factor` times the errors there are, in four categories."""
    predictions = read_predictions(table(base.answers, "predictions"))
    wrong = int((predictions.y_true.astype(str) != predicted_classes(predictions).astype(str)).sum())
    counts = np.bincount(base.random.integers(0, 4, max(1, round(wrong * factor))), minlength=4)
    rows = "\n".join(f"- pattern {name}: {count}, e.g. row {count}" for name, count in zip("abcd", counts, strict=True))
    text = f"# Error analysis\n\n{rows}\n"
    file = ProjectFile(path="ERROR_ANALYSIS.md", size=len(text), kind="document")
    project = ProjectFacts(root="x", files={file.path: file}, texts={file.path: text})
    return replace(facts(base), project=project)


def ran_for(base: Base, days: int) -> Facts:
    """An experiment of so many days with 9,000 units planned an arm, a fixed horizon and all of them there."""
    n = 18_000 * days // 21
    arm = np.where(base.random.random(n) < 0.5, "control", "treatment")
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.sort(base.random.integers(0, days, n)), unit="D")
    outcome = base.random.random(n) < np.where(arm == "treatment", 0.12, 0.10)
    frame = pd.DataFrame({"arm": arm, "outcome": outcome.astype(int), "date": when.astype(str)})
    plan = {"experiment": {"nPerArm": 8_500, "stopping": "fixed, 21 days", "arms": ["control", "treatment"]}}
    return facts(base, experiment=read_experiment(table(frame, "experiment")), claims={"analysis": plan})


def classes(base: Base) -> bool:
    return not base.is_regression


PROCESS_DEFECTS = {
    "half of the labels disputed": Defect(check="T1.4", inject=lambda base: audited(base, 0.5), on=classes),
    "a third forgotten on new rows": Defect(
        check="T3.4", inject=lambda base: with_training_scores(base, 0.35), on=classes
    ),
    "worse than a linear model": Defect(check="T3.2", inject=lambda base: against_linear(base, 0.7)),
    "one tracked version": Defect(check="A1.4", inject=lambda base: tracked(base, 1), outcomes=("fail",)),
    "twice the errors there are": Defect(check="A2.3", inject=lambda base: analysed(base, 2), on=classes),
    "stopped on the fourth day": Defect(check="A5.4", inject=lambda base: ran_for(base, 4)),
}
PROCESS_TWINS = {
    "T1.4": lambda base: audited(base, 0.02),
    "T3.4": lambda base: with_training_scores(base, 0.0),
    "T3.2": lambda base: against_linear(base, 0.0),
    "A1.4": lambda base: tracked(base, 3),
    "A2.3": lambda base: analysed(base, 1),
    "A5.4": lambda base: ran_for(base, 21),
}
