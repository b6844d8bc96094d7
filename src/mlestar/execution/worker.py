"""One run's work, in one child process: data, features, training, evaluation, and the model as a package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.pipeline import PipelineSpec, canonical, parse
from mlestar.errors import Conflict
from mlestar.execution.cluster import spread
from mlestar.execution.frames import array_bytes, array_from, prepared_files, prepared_from, truth_of
from mlestar.execution.sources import read_source, source_digest
from mlestar.execution.stage_store import StageOutput, StageStore
from mlestar.stages import data, deployment, evaluation, features, plots, training
from mlestar.stages.ablation import ablate
from mlestar.stages.algorithms import ALGORITHMS
from mlestar.stages.embeddings import remembering
from mlestar.stages.folds import FOLDS, Folds, make_folds
from mlestar.storage.artifacts import PATIENCE_S, Artifacts
from mlestar.storage.embeddings import EmbeddingStore

if TYPE_CHECKING:
    import numpy as np

    from mlestar.core.facts.run import Estimate
    from mlestar.execution.work import Channel
    from mlestar.stages.data import Prepared


def work(payload: Mapping[str, Any], report: Channel) -> dict[str, Any]:
    """Run the first four stages; each that is finished already is taken from its artifacts.

    Args:
        payload: config, roots, folder (the data folder), store (see `Artifacts`), cluster (see `spread`), max_rows,
            max_bytes, source_digest (of an earlier attempt of this run; empty the first time), redo (stages that are
            done again though an output of them is there).
        report: Told of progress, and of every stage as an event.

    Returns:
        fingerprints: Of the four stages, in order; their records and files are kept under them.
    """
    _quiet()
    run = _Work(payload, report)
    with spread(payload.get("cluster", "")), remembering(report, EmbeddingStore(Path(payload["folder"]))):
        done = (run.prepare(), run.build_features(), run.train(), run.evaluate())
    return {"fingerprints": [record["fingerprint"] for record in done]}


class _Work:
    def __init__(self, payload: Mapping[str, Any], report: Channel) -> None:
        self.payload = payload
        self.report = report
        self.spec: PipelineSpec = parse(payload["config"])
        self.digest = source_digest(self.spec.data, payload)
        if payload.get("source_digest") not in {None, "", self.digest}:
            raise Conflict(
                f"{self.spec.data.source} was changed since this run began: its stages would not fit together",
                do="start a new run",
            )
        artifacts = Artifacts(Path(payload["folder"]), payload.get("store", ""), patience_s=PATIENCE_S)
        self.store = StageStore(artifacts, report, self.digest, redo=frozenset(payload.get("redo", ())))
        self.records: dict[str, dict[str, Any]] = {}

    def prepare(self) -> dict[str, Any]:
        def do() -> StageOutput:
            self.report(0, None, f"reading {self.spec.data.source}")
            source = read_source(self.spec.data, self.payload, self.digest)
            self.report(0, None, f"checking and splitting {len(source.frame)} rows")
            prepared = data.prepare(source, self.spec)
            return StageOutput(files=prepared_files(prepared), summary=prepared.facts, checks=prepared.checks)

        inputs = (self.digest, asdict(self.spec.data), asdict(self.spec.features), self.spec.evaluation.groups)
        record = self.store.stage("data", inputs, do)
        files = {name: self.store.file(record, name) for name in record["artifacts"]}
        self.prepared: Prepared = prepared_from(files, record["checks"])
        self.records["data"] = record
        return record

    def build_features(self) -> dict[str, Any]:
        prepared = self.prepared

        def do() -> StageOutput:
            self.report(0, None, f"building features from {len(prepared.kinds)} columns")
            few = prepared.train[list(prepared.kinds)].head(features.CHECK_ROWS)
            fitted = features.build_transformer(prepared.kinds, "sparse", n_rows=len(few), seed=self.spec.data.seed)
            checks = features.check_features(fitted.fit(few), few, prepared.test, prepared.kinds)
            summary = {"features": prepared.kinds, "unused": prepared.unused}
            return StageOutput(files={}, summary=summary, checks=checks)

        self.records["features"] = self.store.stage("features", self._before("data"), do)
        return self.records["features"]

    def train(self) -> dict[str, Any]:
        def do() -> StageOutput:
            learned = training.learn(self.folds, self.spec.training, self.report)
            package = deployment.dump_model(learned.model)
            summary = {
                "algorithm": learned.algorithm, "members": learned.weights, "metric": learned.metric,
                "out_of_fold": learned.alternatives, "screened_out": learned.screened_out,
                "tuning": learned.tuning, "curve": list(learned.curve), "notes": list(learned.notes),
                "time": learned.time,
            }  # fmt: skip
            return StageOutput(
                files={"model.skops": package, "out_of_fold.npy": array_bytes(learned.answers)},
                summary=summary,
                checks=learned.checks,
                private={"params": learned.params, **repeat_of(learned.repeat, package, self.prepared)},
            )

        tried = [name for name in ALGORITHMS if training.installed(name)]  # an extra installed since is tried
        inputs = (self._before("data"), asdict(self.spec.training), tried)
        self.records["training"] = self.store.stage("training", inputs, do)
        return self.records["training"]

    def evaluate(self) -> dict[str, Any]:
        metric = self.records["training"]["summary"]["metric"]

        def do() -> StageOutput:
            model = deployment.load_model(self.store.file(self.records["training"], "model.skops"))
            truth = truth_of(self.prepared.test, self.prepared)
            found = evaluation.evaluate(
                model=model, prepared=self.prepared, folds=self.folds, truth=truth, spec=self.spec.evaluation,
                metric=metric, report=self.report,
            )  # fmt: skip
            saved = array_bytes(found.answers)
            recomputed = evaluation.recomputed_equal(array_from(saved), truth, found.metrics)
            summary = {
                "metrics": _estimates(found.metrics),
                "baselines": {name: _estimates(estimates) for name, estimates in found.baselines.items()},
                "train_metrics": found.train_metrics,
                "weakest_slices": list(found.slices[:5]),
                "importances": _ranked(found.importances),
                "local_explanation": found.explained,
                "calibration": found.calibration,
                "errors": {name: value for name, value in found.errors.items() if name != "worst"},
                "fairness": found.fairness,
                "ablation": self._ablation(metric) if self.spec.ablate else [],
            }
            alone = training.answer_of(
                model, deployment.fixture_rows(self.prepared.test[list(self.prepared.kinds)]), self.prepared.task
            )
            return StageOutput(
                files={
                    "predictions.npy": saved,
                    "fixture.npy": array_bytes(alone),
                    "diagnosis.json": canonical(
                        {"slices": list(found.slices), "errors": found.errors, "explained": found.explained}
                    ).encode(),
                    **_plots(summary),
                },
                summary=summary,
                checks=(recomputed, *found.checks),
                private={"importances": found.importances, "prediction_sha256": hashlib.sha256(saved).hexdigest()},
            )

        inputs = (self._before("training"), asdict(self.spec.evaluation), self.spec.ablate)
        self.records["evaluation"] = self.store.stage("evaluation", inputs, do)
        return self.records["evaluation"]

    def _ablation(self, metric: str) -> list[dict[str, Any]]:
        """Around the heaviest member: a blend's parts cannot be told from its members."""
        members = self.records["training"]["summary"]["members"]
        heaviest = max(members, key=members.__getitem__)
        params = dict(self.records["training"]["private"]["params"][heaviest])
        algorithm = params.pop("algorithm")
        if algorithm not in ALGORITHMS:
            return []
        return ablate(self._folds_of(count=FOLDS), algorithm, params, metric, self.report)

    @property
    def folds(self) -> Folds:
        if not hasattr(self, "_folds"):
            self._folds = self._folds_of()
        return self._folds

    def _folds_of(self, count: int = 0) -> Folds:
        prepared = self.prepared
        groups: np.ndarray | None = None
        if prepared.split == "group":
            groups = prepared.train[prepared.group].astype(str).to_numpy()
        return make_folds(
            prepared.train[list(prepared.kinds)], truth_of(prepared.train, prepared), kinds=prepared.kinds,
            task=prepared.task, n_classes=len(prepared.classes), seed=self.spec.data.seed, groups=groups,
            forward_in_time=prepared.split == "time", count=count,
        )  # fmt: skip

    def _before(self, stage: str) -> list[str]:
        record = self.records[stage]
        told = {name: value for name, value in record["summary"].items() if name != "time"}  # never twice the same
        return [*sorted(record["artifacts"].values()), canonical(told)]


def repeat_of(model: Any, package: bytes, prepared: Prepared) -> dict[str, Any]:
    """What a second training came to.

    Args:
        model: Of the second training; None without one.
        package: Of the first.
        prepared: Whose test rows are predicted.

    Returns:
        repeated (it came to the same package, so it predicts the same), repeat_sha256 (of its predictions, through its
        package as the first one goes; empty when repeated, and without a second training).
    """
    again = b"" if model is None else deployment.dump_model(model)
    if again in {b"", package}:
        return {"repeated": bool(again), "repeat_sha256": ""}
    answers = training.answer_of(deployment.load_model(again), prepared.test[list(prepared.kinds)], prepared.task)
    return {"repeated": False, "repeat_sha256": hashlib.sha256(array_bytes(answers)).hexdigest()}


def _quiet() -> None:
    """Warnings of the numeric libraries belong to the log, once each, not to whoever watches."""
    import warnings

    warnings.simplefilter("once")


def _estimates(found: Mapping[str, Estimate]) -> dict[str, dict[str, float]]:
    return {name: asdict(estimate) for name, estimate in found.items()}


def _ranked(importances: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    means = {name: sum(both) / 2 for name, both in importances.items()}
    return dict(sorted(means.items(), key=lambda item: -item[1])[:20])


def _plots(summary: Mapping[str, Any]) -> dict[str, bytes]:
    """One SVG for each part of the evaluation that a picture says more of."""
    drawn = {"importances": plots.bars("What the model leans on", summary["importances"])}
    first = next(iter(summary["metrics"]))
    beside = {"model": summary["metrics"], **summary["baselines"]}
    drawn["metrics"] = plots.intervals(f"{first} on held-out rows", {who: part[first] for who, part in beside.items()})
    if bins := summary["calibration"].get("bins"):
        points = [(one["said"], one["was"]) for one in bins]
        drawn["calibration"] = plots.curve("Calibration", points, x="probability said", y="share that was")
    if confusion := summary["errors"].get("confusion"):
        drawn["confusion"] = plots.matrix("Truth down, prediction across", confusion["classes"], confusion["counts"])
    if slices := summary["weakest_slices"]:
        parts = {one["slice"]: one for one in slices}
        drawn["slices"] = plots.intervals(f"Weakest slices, {slices[0]['metric']}", parts)
    for place, (column, groups) in enumerate(summary["fairness"].items()):
        rates = {one["group"]: one["true_positive_rate"] for one in groups if "true_positive_rate" in one}
        if rates:
            drawn[f"fairness_{place}"] = plots.intervals(f"True positive rate by {column}", rates)
    return {f"{name}.svg": drawing.encode() for name, drawing in drawn.items()}
