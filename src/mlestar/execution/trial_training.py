"""Runs a project's training in one fresh copy after another, and compares what it wrote."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.facts.trial import TrainingTrial
from mlestar.errors import MlestarError
from mlestar.evidence.bounded import Limits, file_digest, walk
from mlestar.evidence.model_files import model_format

if TYPE_CHECKING:
    from mlestar.core.facts.data import Predictions
    from mlestar.core.project.trial_plan import TrialPlan
    from mlestar.execution.trial_folder import TrialFolder

_PREDICTIONS = re.compile(
    r"(^|/)[^/]*(predict|scores?|forecast|submission)[^/]*\.(csv|tsv|parquet|jsonl)$", re.IGNORECASE
)
_HASHED_BYTES = 1 << 30
_DRAWS = 200


def run_training(place: TrialFolder, plan: TrialPlan, *, target: str, times: int) -> TrainingTrial:
    """Train `times` times; every run starts from the same files."""
    written: list[dict[str, str]] = []
    seconds = 0.0
    for run in range(times):
        place.renew()
        before = _states(place.copy)
        ended = place.shell(plan.train_command, folder=plan.train_folder)
        if not ended.ok:
            which = "" if run == 0 else "the second run "
            return TrainingTrial(
                command=plan.train_command, runs=run, seconds=seconds, problem=which + ended.problem, log=ended.tail
            )
        seconds = seconds or ended.seconds
        if times == 1:
            break
        written.append({path: state[0] for path, state in _states(place.copy).items() if before.get(path) != state})
        if run == 0:
            _keep(place, written[0], plan)
    trial = TrainingTrial(command=plan.train_command, runs=times, seconds=seconds)
    return trial if times == 1 else _compared(place, plan, target, trial, written)


def _states(folder: Path) -> dict[str, tuple[str, int]]:
    """Path -> (hash, time of the last change): a file that is written again as it was was written too."""
    found, _, _ = walk(folder, Limits())
    return {
        file.path: (
            file_digest(file.real, "sha256") if file.size <= _HASHED_BYTES else f"{file.size} bytes",
            file.real.stat().st_mtime_ns,
        )
        for file in found
    }


def _predictions_among(written: Mapping[str, str], plan: TrialPlan) -> list[str]:
    named = Path(plan.predictions).as_posix() if plan.predictions else ""
    return [named] if named in written else [path for path in written if _PREDICTIONS.search(path)]


def _keep(place: TrialFolder, written: Mapping[str, str], plan: TrialPlan) -> None:
    """Set the first run's predictions aside, for a comparison of metrics."""
    kept = place.own / "first"
    for path in _predictions_among(written, plan):
        (kept / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place.copy / path, kept / path, follow_symlinks=False)


def _compared(
    place: TrialFolder, plan: TrialPlan, target: str, trial: TrainingTrial, written: list[dict[str, str]]
) -> TrainingTrial:
    first, second = written
    both = {path for path in first if path in second}
    chosen = sorted(both.intersection(_predictions_among(first, plan)))
    chosen = chosen or sorted(path for path in both if model_format(path))
    equal = all(first[path] == second[path] for path in chosen) if chosen else None
    parts: dict[str, Any] = {"compared": tuple(chosen), "equal": equal}
    if equal is False:
        for path in chosen:
            old, new = (_read(folder / path, path, target) for folder in (place.own / "first", place.copy))
            if old is not None and new is not None:
                parts |= _difference(old, new)
                break
    return replace(trial, **parts)


def _read(file: Path, path: str, target: str) -> Predictions | None:
    from mlestar.evidence.datasets import read_table
    from mlestar.evidence.predictions import read_predictions

    with suppress(MlestarError, OSError):
        return read_predictions(read_table(file, shown_as=path, max_rows=200_000, max_bytes=1 << 28), target=target)
    return None


def _difference(old: Predictions, new: Predictions) -> dict[str, object]:
    """By how much the headline metric moved, and how much a resample of the rows would move it (bootstrap)."""
    from mlestar.core.statistics.repeats import metric_difference

    name, change, error = metric_difference(old, new, draws=_DRAWS, seed=0)
    return {"metric": name, "change": change, "standard_error": error} if name else {}
