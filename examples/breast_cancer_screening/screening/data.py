"""Writes the train and the test split once, before anything is fitted."""

import csv
import hashlib
import json
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

DATA = Path(__file__).parent.parent / "data"
TARGET = "malignant"
SEED = 0


def write_splits() -> dict[str, str]:
    """Write train.csv and test.csv; return the SHA-256 of each."""
    measured = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in measured.feature_names]
    malignant = 1 - measured.target  # scikit-learn codes malignant as 0
    rows = [[*map(float, row), int(label)] for row, label in zip(measured.data, malignant, strict=True)]
    train, test = train_test_split(rows, test_size=0.25, random_state=SEED, stratify=malignant)
    hashes = {}
    for name, part in (("train.csv", train), ("test.csv", test)):
        path = DATA / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*names, TARGET])
            writer.writerows(part)
        hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashes


if __name__ == "__main__":
    print(json.dumps(write_splits(), indent=2))
