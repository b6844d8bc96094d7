"""The package judged by a process that did not make it: it loads, it answers the same, and what the checks find.

Nothing is handed over in memory: data, predictions and model come from the files that the run left behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Level, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Predictions, Table
from mlestar.core.facts.run import Estimate, RunFacts
from mlestar.core.pipeline import canonical, parse
from mlestar.core.run import StageCheck
from mlestar.core.score.finding_json import to_json
from mlestar.errors import MlestarError, Unavailable
from mlestar.execution.frames import array_bytes, array_from, prepared_from, truth_of
from mlestar.execution.sources import source_digest
from mlestar.stages import deployment
from mlestar.stages.card import write_card
from mlestar.stages.fitted import fitted_on, is_one_pipeline
from mlestar.stages.profile import reference_profile
from mlestar.stages.training import answer_of
from mlestar.storage.artifacts import PATIENCE_S, Artifacts

if TYPE_CHECKING:
    import pandas as pd

    from mlestar.core.facts.data import Task
    from mlestar.stages.data import Prepared

Report = Callable[[float, float | None, str], None]

MEASURED_CHECKS = (
    "T1.1", "T1.2", "T1.3", "T1.5", "T2.1", "T2.3", "T2.4", "T2.5", "T3.1", "T3.2", "T3.3", "T3.4", "T4.1", "T4.2",
    "T4.3", "T5.4", "A1.1", "A1.2", "A1.3", "A1.4", "A1.5", "A2.1", "A2.2", "A3.1", "A4.1", "A4.2", "A4.3", "R2.4",
    "R3.2", "R4.1", "R4.4", "R5.1", "S3.2", "S3.4", "X4.3", "X4.4",
)  # fmt: skip
"""Checks whose evidence a run produces itself."""
LATENCY_CALLS = 40
TOLD = frozenset({Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.INCONCLUSIVE})


def verify(payload: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Load the package, predict the fixture, judge.

    Args:
        payload: run_id, name, config, roots, folder, store (see `Artifacts`), records (of the worker), source_digest,
            previous (sha256 and record of the registered version before this one, or null), versions (registered so
            far), code_commit, at (seconds since 1970).
        report: Told what is being done.

    Returns:
        checks (of the deployment stage), findings (JSON), latency_p95_ms, model_sha256, card_sha256,
        reference_profile_sha256, summary.
    """
    checker = _Verification(payload)
    report(0, 4, "loading the package in a fresh process")
    checks = [checker.predicts_the_same(), checker.previous_version(), checker.data_unchanged()]
    report(1, 4, "timing single predictions")
    latency = checker.latency_ms()
    report(2, 4, "judging what the run measured")
    profile = checker.profile()
    findings = checker.findings(
        latency, profile, loads=None if not payload["previous"] else checks[1].outcome == "pass"
    )
    report(4, 4, "verified")
    return {
        "checks": [asdict(check) for check in checks],
        "findings": [to_json(finding) for finding in findings],
        "latency_p95_ms": latency,
        "model_sha256": payload["records"]["training"]["artifacts"]["model.skops"],
        "card_sha256": checker.card(),
        "reference_profile_sha256": profile,
        "summary": {"data_sha256": checker.prepared.facts["sha256"], "synthetic": checker.prepared.facts["synthetic"]},
    }


class _Verification:
    def __init__(self, payload: Mapping[str, Any]) -> None:
        self.payload = payload
        self.spec = parse(payload["config"])
        self.records: Mapping[str, Any] = payload["records"]
        self.artifacts = Artifacts(Path(payload["folder"]), payload.get("store", ""), patience_s=PATIENCE_S)
        data = self.records["data"]
        files = {name: self.artifacts.get(sha256) for name, sha256 in data["artifacts"].items()}
        self.prepared: Prepared = prepared_from(files, data["checks"])
        self.rows: pd.DataFrame = self.prepared.test[list(self.prepared.kinds)]
        self.answers = array_from(self._file("evaluation", "predictions.npy"))
        self.model = deployment.load_model(self._file("training", "model.skops"))

    def predicts_the_same(self) -> StageCheck:
        expected = self._file("evaluation", "fixture.npy")
        again = array_bytes(answer_of(self.model, deployment.fixture_rows(self.rows), self.prepared.task))
        same = expected == again
        n = min(len(self.rows), deployment.FIXTURE_ROWS)
        says = f"{n} rows predicted again after loading, {'all' if same else 'not all'} equal to the last bit"
        return StageCheck(name="loads in a fresh process", outcome="pass" if same else "fail", says=says)

    def previous_version(self) -> StageCheck:
        previous = self.payload["previous"]
        name = "previous version kept"
        if not previous:
            return StageCheck(name=name, outcome="pass", says="this is the first version")
        try:
            deployment.load_model(self.artifacts.get(previous["sha256"]))
        except Unavailable:  # nobody can tell now whether it loads
            raise
        except Exception as error:  # noqa: BLE001 - whatever else keeps it from loading, it is the finding
            says = f"version {previous['version']} does not load: {type(error).__name__}"
            return StageCheck(name=name, outcome="warn", says=says)
        return StageCheck(name=name, outcome="pass", says=f"version {previous['version']} is there and loads")

    def data_unchanged(self) -> StageCheck:
        read = self.payload["source_digest"]
        try:
            same = source_digest(self.spec.data, self.payload) == read
        except MlestarError:  # it is gone, or no longer readable
            same = False
        says = f"{self.spec.data.source} is {'still' if same else 'no longer'} what the data stage read"
        return StageCheck(name="data unchanged", outcome="pass" if same else "fail", says=says)

    def latency_ms(self) -> float:
        """95th percentile of single-row predictions, after a warm-up."""
        import numpy as np

        row = self.rows.head(1)
        answer_of(self.model, row, self.prepared.task)
        spent: list[float] = []
        for _ in range(LATENCY_CALLS):
            begun = time.perf_counter()
            answer_of(self.model, row, self.prepared.task)
            spent.append((time.perf_counter() - begun) * 1e3)
        return round(float(np.quantile(spent, 0.95)), 3)

    def card(self) -> str:
        """Write the model card; returns its hash."""
        parts = {name: self.records[name]["summary"] for name in ("data", "training", "evaluation")}
        return self.artifacts.put(write_card(name=self.payload["name"], **parts).encode())

    def profile(self) -> str:
        """Write the reference profile of the training rows; returns its hash."""
        made = reference_profile(
            self.prepared.train, self.prepared.kinds, answers=self.answers, data_sha256=self.prepared.facts["sha256"],
            at=self.payload["at"],
        )  # fmt: skip
        return self.artifacts.put(canonical(made).encode())

    def findings(self, latency: float, profile: str, *, loads: bool | None) -> list[Any]:
        facts = Facts(data=self._data_facts(), run=self._run_facts(latency, profile, loads=loads))
        found = run_checks(facts, MEASURED_CHECKS)
        run_id = self.payload["run_id"]
        return [
            replace(finding, run_id=run_id)
            for finding in found
            if finding.outcome in TOLD and finding.level in {Level.MEASURED, Level.INSPECTED}
        ]

    def _data_facts(self) -> DataFacts:
        prepared = self.prepared
        columns = [*prepared.kinds, prepared.target]
        columns += [
            name
            for name in dict.fromkeys((prepared.time, *self.spec.evaluation.groups))
            if name and name not in columns
        ]
        path = prepared.facts["source"]
        hashes = self.records["data"]["artifacts"]
        train, test = (
            Table(path=path, frame=rows[columns], sha256=hashes[f"{name}.parquet"], n_rows=len(rows))
            for name, rows in (("train", prepared.train), ("test", prepared.test))
        )
        return DataFacts(
            task=cast("Task", prepared.task),
            target=prepared.target, time_column=prepared.time if prepared.split == "time" else "",
            group_columns=(prepared.group,) if prepared.split == "group" else (),
            predictions=self._predictions(), seed=self.spec.data.seed, train=train, test=test,
        )  # fmt: skip

    def _predictions(self) -> Predictions:
        import numpy as np

        prepared = self.prepared
        groups = {name: prepared.test[name].astype(str).to_numpy() for name in self.spec.evaluation.groups}
        sha256 = self.records["evaluation"]["artifacts"]["predictions.npy"]
        if not prepared.classes:
            truth = truth_of(prepared.test, prepared)
            return Predictions(path="", sha256=sha256, y_true=truth, y_pred=self.answers, groups=groups)
        labels = np.asarray(prepared.classes, dtype=object)
        binary = len(labels) == 2  # noqa: PLR2004 - two classes
        return Predictions(
            path="", sha256=sha256, y_true=prepared.test[prepared.target].to_numpy(dtype=object),
            y_pred=labels[self.answers.argmax(axis=1)], y_score=self.answers[:, 1] if binary else self.answers,
            classes=prepared.classes, positive=prepared.classes[1] if binary else None, groups=groups,
        )  # fmt: skip

    def _run_facts(self, latency: float, profile: str, *, loads: bool | None) -> RunFacts:
        summary, private = self.records["evaluation"]["summary"], self.records["evaluation"]["private"]
        trained = self.records["training"]
        names = list(self.prepared.kinds)
        first, second = ([private["importances"][name][seed] for name in names] for seed in (0, 1))
        return RunFacts(
            run_id=self.payload["run_id"], name=self.payload["name"], synthetic=self.prepared.facts["synthetic"],
            algorithm=trained["summary"]["algorithm"], params=trained["private"]["params"], split=self.prepared.split,
            single_pipeline=is_one_pipeline(self.model),
            fitted_on_train_only=fitted_on(self.model, self.prepared.train[names]), schema_holds=self._schema_holds(),
            metrics=_estimates(summary["metrics"]), train_metrics=summary["train_metrics"],
            baselines={name: _estimates(part) for name, part in summary["baselines"].items()},
            alternatives=trained["summary"]["out_of_fold"], tuning=trained["summary"]["tuning"],
            importances={name: (a + b) / 2 for name, a, b in zip(names, first, second, strict=True)},
            importance_stability=_rank_correlation(first, second),
            local_explanation=any(one["difference"] for one in summary["local_explanation"]["contributions"]),
            reference_profile_sha256=profile, latency_p95_ms=latency, model_sha256=trained["artifacts"]["model.skops"],
            prediction_sha256=private["prediction_sha256"], data_sha256=self.prepared.facts["sha256"],
            repeat_sha256=_repeat_of(trained["private"], private["prediction_sha256"]),
            code_commit=self.payload["code_commit"], previous_version_loads=loads,
            versions=self.payload["versions"] + 1,
        )  # fmt: skip

    def _schema_holds(self) -> bool:
        """Held-out columns are of the kinds, and their categories among those, that training rows showed."""
        train, test = self.prepared.train, self.prepared.test
        return all(
            train[name].dtype == test[name].dtype and not (test[name].isna().any() and not train[name].isna().any())
            for name in self.prepared.kinds
        )

    def _file(self, stage: str, name: str) -> bytes:
        return self.artifacts.get(self.records[stage]["artifacts"][name])


def _estimates(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    return {name: Estimate(**part) for name, part in parts.items()}


def _repeat_of(trained: Mapping[str, Any], predictions: str) -> str:
    """Prediction hash of the second training: that of the model where both came to the same package."""
    return predictions if trained["repeated"] else trained["repeat_sha256"]


def _rank_correlation(first: list[float], second: list[float]) -> float | None:
    """Spearman's; None when there are too few features, or one side is constant."""
    from scipy.stats import spearmanr

    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:  # noqa: PLR2004 - a correlation needs three
        return None
    result: Any = spearmanr(first, second)
    return float(result.statistic)
