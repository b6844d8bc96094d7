"""CatBoost's models without what differs between two equal trainings: the time, and an id drawn at random.

Imported only where the library `catboost` is installed.
"""

from __future__ import annotations

from typing import Any

from catboost import (  # pyright: ignore[reportMissingImports] - an extra
    CatBoostClassifier,
    CatBoostRegressor,
)

DIFFERENT_EACH_TIME = ("train_finish_time", "model_guid")


class SteadyClassifier(CatBoostClassifier):  # pyright: ignore[reportUntypedBaseClass] - an extra
    """The same model for the same rows, params and seed, to the last byte."""

    def fit(self, *given: Any, **named: Any) -> SteadyClassifier:
        """Train, then forget when."""
        super().fit(*given, **named)
        return _steady(self)


class SteadyRegressor(CatBoostRegressor):  # pyright: ignore[reportUntypedBaseClass] - an extra
    """As `SteadyClassifier`, for values."""

    def fit(self, *given: Any, **named: Any) -> SteadyRegressor:
        """Train, then forget when."""
        super().fit(*given, **named)
        return _steady(self)


def _steady(model: Any) -> Any:
    facts = model.get_metadata()
    for name in DIFFERENT_EACH_TIME:
        facts[name] = ""
    return model
