"""Trains on data/train.csv and writes predictions.csv for data/test.csv."""

from pathlib import Path

import pandas as pd
from sklearn.metrics import recall_score, roc_auc_score

from screening.data import DATA, SEED, TARGET
from screening.features import screening_pipeline

PREDICTIONS = Path(__file__).parent.parent / "predictions.csv"
THRESHOLD = 0.5


def main() -> None:
    """Fit, predict the held-out masses, print the metrics of the model card."""
    train = pd.read_csv(DATA / "train.csv")
    test = pd.read_csv(DATA / "test.csv")
    model = screening_pipeline(SEED).fit(train.drop(columns=TARGET), train[TARGET])
    score = model.predict_proba(test.drop(columns=TARGET))[:, 1]
    predicted = (score >= THRESHOLD).astype(int)
    pd.DataFrame({"y_true": test[TARGET], "y_pred": predicted, "y_score": score}).to_csv(PREDICTIONS, index=False)
    print(f"roc_auc {roc_auc_score(test[TARGET], score):.3f}  recall {recall_score(test[TARGET], predicted):.3f}")


if __name__ == "__main__":
    main()
