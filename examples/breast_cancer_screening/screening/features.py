"""The one pipeline that training and serving share."""

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def screening_pipeline(seed: int = 0) -> Pipeline:
    """Scale the measurements, then a regularised logistic regression."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, random_state=seed))
