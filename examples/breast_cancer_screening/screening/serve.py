"""Answers one mass at a time over HTTP."""

import logging

import numpy as np
import pandas as pd
from fastapi import FastAPI

from screening.data import DATA, SEED, TARGET
from screening.features import screening_pipeline

logger = logging.getLogger("screening")
app = FastAPI(title="Breast cancer screening")
train = pd.read_csv(DATA / "train.csv")
model = screening_pipeline(SEED).fit(train.drop(columns=TARGET), train[TARGET])


def predict(masses: pd.DataFrame) -> np.ndarray:
    """The probability of being malignant, one a row."""
    return model.predict_proba(masses)[:, 1]


@app.get("/health")
def health() -> dict[str, str]:
    """For the liveness probe."""
    return {"status": "ok"}


@app.post("/score")
def score(mass: dict[str, float]) -> dict[str, float]:
    """The probability that the mass is malignant."""
    value = float(predict(pd.DataFrame([mass]))[0])
    logger.info("scored one mass: %.3f", value)
    return {"malignant": value}
