"""Time and memory of all data checks on 50,000 x 50: at most 15 s and 1 GB on two cores, reading the files included."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from mlestar.checks.catalogue import run_checks
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts
from mlestar.core.score.rubric import CHECKS
from mlestar.evidence.datasets import read_table
from mlestar.evidence.predictions import read_predictions

ROWS, COLUMNS, TEXT_COLUMNS = 50_000, 50, 15
LIMIT_S, LIMIT_MB = 15, 1024


def made(n: int, seed: int) -> pd.DataFrame:
    """Numbers, categories, and a binary target that ten of the numbers tell about."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(n, COLUMNS - TEXT_COLUMNS - 1))
    frame = pd.DataFrame(numbers, columns=[f"x{i}" for i in range(numbers.shape[1])])
    for i in range(TEXT_COLUMNS):
        frame[f"c{i}"] = random.choice([f"level {k}" for k in range(3 + i)], n)
    score = numbers[:, :10].sum(axis=1) + random.normal(0, 2, n)
    return frame.assign(target=(score > 0).astype(int))


def main() -> int:
    """Write the files, read and judge them, print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.csv" for name in ("train", "test", "predictions")}
        train, test = made(ROWS, 0), made(ROWS // 4, 1)
        train.to_csv(paths["train"], index=False)
        test.to_csv(paths["test"], index=False)
        score = 1 / (1 + np.exp(-test[[f"x{i}" for i in range(10)]].sum(axis=1)))
        answers = pd.DataFrame({"y_true": test["target"], "y_pred": (score > 0.5).astype(int), "y_score": score})
        answers.to_csv(paths["predictions"], index=False)
        del train, test, answers
        start = time.perf_counter()
        tables = {
            name: read_table(path, shown_as=path.name, max_rows=2_000_000, max_bytes=2**29)
            for name, path in paths.items()
        }
        print(f"{'reading':10}{time.perf_counter() - start:8.2f} s")
        data = DataFacts(
            target="target",
            train=tables["train"],
            test=tables["test"],
            reference=tables["train"],
            current=tables["test"],
            predictions=read_predictions(tables["predictions"]),
        )
        facts = Facts(claims={"analysis": {"accuracy": 0.9}}, data=data)
        for check in CHECKS:
            begun = time.process_time()
            outcome = run_checks(facts, [check])[-1].outcome.value
            took = time.process_time() - begun
            if took > 0.1:
                print(f"{check:10}{took:8.2f} s   {outcome}")
        total = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'total':10}{total:8.2f} s, at most {LIMIT_S}; CPU {time.process_time():.1f} s")
    print(f"{'peak':10}{peak:8.0f} MB, at most {LIMIT_MB}")
    return 0 if total <= LIMIT_S and peak <= LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
