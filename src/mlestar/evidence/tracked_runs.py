"""Training runs as trackers left them in the folder: MLflow, W&B, DVC, or a JSON log of runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlestar.core.facts.reports import TrackedRun

_MLFLOW = re.compile(r"^(.*?mlruns/(?!models/)[^/]+/[^/]+)/(params|metrics|tags)/(.+)$")
_WANDB = re.compile(r"^(.*?wandb/(?:offline-)?run-[^/]+)/files/")
_RUN_LOG = re.compile(r"(runs?|experiments?|trials?|leaderboard|results|study)[^/]*\.json$", re.IGNORECASE)
_MOST = 2000


def read_runs(texts: Mapping[str, str], manifests: Mapping[str, tuple[Any, ...]]) -> tuple[TrackedRun, ...]:
    """Every recorded run, at most 2,000, in path order."""
    found = [*_mlflow(texts), *_wandb(manifests), *_logged(manifests), *_dvc(manifests)]
    return tuple(sorted(found, key=lambda run: run.path)[:_MOST])


def _mlflow(texts: Mapping[str, str]) -> Iterator[TrackedRun]:
    runs: dict[str, dict[str, dict[str, str]]] = {}
    for path, text in texts.items():
        match = _MLFLOW.match(path)
        if match:
            runs.setdefault(match[1], {}).setdefault(match[2], {})[match[3]] = text.strip()
    for path, parts in runs.items():
        tags = parts.get("tags", {})
        metrics = {
            name: number for name, text in parts.get("metrics", {}).items() if (number := _last(text)) is not None
        }
        data_hash = next(
            (value for name, value in tags.items() if re.search(r"data.*(hash|sha|md5|version|digest)", name)), ""
        )
        yield TrackedRun(
            path=path,
            tool="mlflow",
            params=parts.get("params", {}),
            metrics=metrics,
            commit=tags.get("mlflow.source.git.commit", ""),
            data_hash=data_hash or _dataset_digest(texts, path),
        )


def _dataset_digest(texts: Mapping[str, str], run: str) -> str:
    """MLflow logs data sets below the experiment, with a digest each; the run's own inputs name them."""
    experiment = run.rpartition("/")[0] + "/datasets/"
    for path, text in texts.items():
        if path.startswith(experiment) and path.endswith("meta.yaml"):
            match = re.search(r"^digest:\s*'?(\S+?)'?$", text, re.MULTILINE)
            if match:
                return match[1]
    return ""


def _wandb(manifests: Mapping[str, tuple[Any, ...]]) -> Iterator[TrackedRun]:
    folders = sorted({match[1] for path in manifests if (match := _WANDB.match(path))})
    for folder in folders:
        config = _first(manifests, f"{folder}/files/config.yaml")
        metadata = _first(manifests, f"{folder}/files/wandb-metadata.json")
        params = {
            name: part.get("value") if isinstance(part, dict) else part
            for name, part in config.items()
            if not name.startswith(("_", "wandb_version"))
        }
        yield TrackedRun(
            path=folder,
            tool="wandb",
            params=params,
            metrics=_numbers(_first(manifests, f"{folder}/files/wandb-summary.json")),
            commit=str(_mapping(metadata.get("git")).get("commit", "")),
            data_hash=_data_hash(params),
        )


def _logged(manifests: Mapping[str, tuple[Any, ...]]) -> Iterator[TrackedRun]:
    """A JSON list of runs, or an object with one under `runs` or `trials`, each with parameters and a score."""
    for path, documents in manifests.items():
        if not _RUN_LOG.search(path) or not documents:
            continue
        value = documents[0]
        if isinstance(value, dict):
            value = next(
                (value[key] for key in ("runs", "trials", "experiments") if isinstance(value.get(key), list)), [value]
            )
        for entry in value if isinstance(value, list) else []:
            params = _mapping(_mapping(entry).get("params") or _mapping(entry).get("parameters"))
            metrics = _numbers(
                _mapping(entry).get("metrics") or {"value": _mapping(entry).get("value", _mapping(entry).get("score"))}
            )
            if params and metrics:
                yield TrackedRun(
                    path=path,
                    tool="json",
                    params={**params, **{key: entry[key] for key in ("algorithm", "model") if key in entry}},
                    metrics=metrics,
                    commit=str(entry.get("commit", entry.get("git_commit", ""))),
                    data_hash=_data_hash(entry),
                )


def _dvc(manifests: Mapping[str, tuple[Any, ...]]) -> Iterator[TrackedRun]:
    lock = next((path for path in manifests if path.rpartition("/")[2] == "dvc.lock"), "")
    stages = _mapping(_first(manifests, lock).get("stages"))
    if not stages:
        return
    folder = lock.rpartition("/")[0]
    params: dict[str, Any] = {}
    data_hash = ""
    outputs: list[str] = []
    for stage in map(_mapping, stages.values()):
        for values in _mapping(stage.get("params")).values():
            params |= _mapping(values)
        for entry in (*stage.get("deps", ()), *stage.get("outs", ())):
            part = _mapping(entry)
            outputs.append(str(part.get("path", "")))
            if re.search(r"(^|/)data/|\.(csv|parquet|jsonl|tsv)$", str(part.get("path", ""))):
                data_hash = data_hash or str(part.get("md5", part.get("hash", "")))
    metrics: dict[str, float] = {}
    for output in outputs:
        if re.search(r"(metrics|scores|eval)[^/]*\.(json|ya?ml)$", output):
            metrics |= _numbers(_first(manifests, f"{folder}/{output}" if folder else output))
    yield TrackedRun(path=lock, tool="dvc", params=params, metrics=metrics, data_hash=data_hash)


def _data_hash(values: Mapping[str, Any]) -> str:
    for name, value in values.items():
        if re.search(r"data.*(hash|sha|md5|version|digest)", name) and isinstance(value, str):
            return value
    return ""


def _first(manifests: Mapping[str, tuple[Any, ...]], path: str) -> dict[str, Any]:
    documents = manifests.get(path, ())
    return _mapping(documents[0]) if documents else {}


def _mapping(value: Any) -> dict[str, Any]:
    return {str(key): part for key, part in value.items()} if isinstance(value, dict) else {}


def _numbers(value: Any) -> dict[str, float]:
    return {
        name: finite
        for name, number in _mapping(value).items()
        if isinstance(number, (int, float)) and (finite := _finite(number)) is not None
    }


def _finite(number: object) -> float | None:
    """A metric that is none (NaN, infinite, beyond a float) measured nothing."""
    try:
        value = None if isinstance(number, bool) else float(str(number))
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None


def _last(text: str) -> float | None:
    """MLflow's metric lines are `timestamp value step`."""
    fields = text.splitlines()[-1].split() if text else []
    return _finite(fields[1]) if len(fields) > 1 else None
