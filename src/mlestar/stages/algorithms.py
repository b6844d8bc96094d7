"""The algorithms by name: one entry each. What an algorithm needs beyond this table stands in `core.pipeline`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

    from mlestar.stages.features import View

Params = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """One way to learn.

    Attributes:
        view: The feature layout it learns from.
        build: (task, params, seed) -> unfitted estimator with `params` over the defaults.
        suggest: Draws params for one tuning trial.
        space: Parameter -> range, in words, for the record.
        cost_s: Processor seconds of a fit: so much, and so much a row, column and class. Measured with drawn params on
            one busy core over 150 x 4 to 9,000 x 10 numbers; CatBoost and XGBoost were not, and count as the slowest.
        tried_first: Params that tuning begins with: corners of the space that a few draws miss.
        portfolio: Params of the members that `auto` tries, by suffix of the member's name.
    """

    view: View
    build: Callable[[str, Params, int], Any]
    suggest: Callable[[optuna.Trial], dict[str, Any]]
    space: Mapping[str, str]
    cost_s: tuple[float, float] = (0.15, 7e-6)
    tried_first: tuple[Params, ...] = ()
    portfolio: Mapping[str, Params] = field(default_factory=lambda: {"": {}})


def _linear(task: str, params: Params, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    strength = float(params.get("C", 1.0))
    if task == "regression":
        return Ridge(alpha=1.0 / strength, random_state=seed)
    return LogisticRegression(C=strength, max_iter=2_000, random_state=seed)


def _hist_gradient_boosting(task: str, params: Params, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind: Any = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    usual = {"learning_rate": 0.06, "max_iter": 150, "max_leaf_nodes": 15, "l2_regularization": 1.0}
    return kind(**usual | dict(params), early_stopping=False, random_state=seed)


def _extra_trees(task: str, params: Params, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind: Any = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier
    usual = {"n_estimators": 200, "min_samples_leaf": 2, "max_features": 0.5 if task == "regression" else "sqrt"}
    return kind(**usual | dict(params), random_state=seed, n_jobs=1)


def _lightgbm(task: str, params: Params, seed: int) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind: Any = LGBMRegressor if task == "regression" else LGBMClassifier
    usual = {
        "n_estimators": 200, "learning_rate": 0.05, "num_leaves": 31, "min_child_samples": 20,
        "subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.8,
    }  # fmt: skip
    steady = {"deterministic": True, "force_row_wise": True, "n_jobs": 1, "verbose": -1}
    return kind(**usual | dict(params), **steady, random_state=seed)


def _catboost(task: str, params: Params, seed: int) -> Any:
    from mlestar.stages.boosted import SteadyClassifier, SteadyRegressor

    kind: Any = SteadyRegressor if task == "regression" else SteadyClassifier
    usual = {"iterations": 300, "learning_rate": 0.06, "depth": 6}
    steady = {"thread_count": 1, "verbose": False, "allow_writing_files": False}
    return kind(**usual | dict(params), **steady, random_seed=seed)


def _xgboost(task: str, params: Params, seed: int) -> Any:
    from xgboost import XGBClassifier, XGBRegressor  # pyright: ignore[reportMissingImports] - an extra

    kind: Any = XGBRegressor if task == "regression" else XGBClassifier
    usual = {"n_estimators": 250, "learning_rate": 0.05, "max_depth": 6, "subsample": 0.8, "colsample_bytree": 0.8}
    return kind(**usual | dict(params), n_jobs=1, random_state=seed)


ALGORITHMS: Mapping[str, Algorithm] = {
    "linear": Algorithm(
        view="sparse",
        build=_linear,
        suggest=lambda trial: {"C": trial.suggest_float("C", 1e-3, 1e2, log=True)},
        space={"C": "0.001 to 100, log"},
        cost_s=(0.01, 1e-6),
        portfolio={"": {}, "_regularised": {"C": 0.1}, "_loose": {"C": 8.0}},
    ),
    "embeddings": Algorithm(
        view="embedded",
        build=_linear,
        suggest=lambda trial: {"C": trial.suggest_float("C", 1e-2, 1e3, log=True)},
        space={"C": "0.01 to 1000, log"},
        cost_s=(0.01, 1e-6),
        portfolio={"": {}, "_regularised": {"C": 0.1}, "_loose": {"C": 8.0}},
    ),
    "hist_gradient_boosting": Algorithm(
        view="dense",
        build=_hist_gradient_boosting,
        suggest=lambda trial: {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 64, log=True),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 60, log=True),
            "l2_regularization": trial.suggest_float("l2_regularization", 0.01, 30.0, log=True),
        },
        space={
            "learning_rate": "0.02 to 0.2, log",
            "max_leaf_nodes": "4 to 64, log",
            "min_samples_leaf": "5 to 60, log",
            "l2_regularization": "0.01 to 30, log",
        },
        cost_s=(0.15, 2e-6),
        tried_first=(
            {"learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 20, "l2_regularization": 0.1},
            {"learning_rate": 0.15, "max_leaf_nodes": 5, "min_samples_leaf": 20, "l2_regularization": 1.0},
        ),
    ),
    "extra_trees": Algorithm(
        view="dense",
        build=_extra_trees,
        suggest=lambda trial: {
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 20, log=True),
            "max_features": trial.suggest_float("max_features", 0.1, 1.0),
        },
        space={"min_samples_leaf": "1 to 20, log", "max_features": "0.1 to 1"},
        tried_first=({"min_samples_leaf": 1, "max_features": 1.0}, {"min_samples_leaf": 5, "max_features": 1.0}),
    ),
    "lightgbm": Algorithm(
        view="dense",
        build=_lightgbm,
        suggest=lambda trial: {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 4, 96, log=True),
            "min_child_samples": trial.suggest_int("min_child_samples", 3, 80, log=True),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
            "reg_lambda": trial.suggest_float("reg_lambda", 0.001, 30.0, log=True),
        },
        space={
            "learning_rate": "0.02 to 0.2, log",
            "num_leaves": "4 to 96, log",
            "min_child_samples": "3 to 80, log",
            "colsample_bytree": "0.3 to 1",
            "reg_lambda": "0.001 to 30, log",
        },
        cost_s=(0.04, 2e-6),
        tried_first=(
            {
                "learning_rate": 0.1,
                "num_leaves": 63,
                "min_child_samples": 10,
                "colsample_bytree": 0.9,
                "reg_lambda": 0.01,
            },
            {
                "learning_rate": 0.15,
                "num_leaves": 5,
                "min_child_samples": 20,
                "colsample_bytree": 0.9,
                "reg_lambda": 1.0,
            },
        ),
    ),
    "catboost": Algorithm(
        view="dense",
        build=_catboost,
        suggest=lambda trial: {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            "depth": trial.suggest_int("depth", 3, 8),
        },
        space={"learning_rate": "0.02 to 0.2, log", "depth": "3 to 8"},
    ),
    "xgboost": Algorithm(
        view="dense",
        build=_xgboost,
        suggest=lambda trial: {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            "max_depth": trial.suggest_int("max_depth", 2, 9),
        },
        space={"learning_rate": "0.02 to 0.2, log", "max_depth": "2 to 9"},
    ),
}
