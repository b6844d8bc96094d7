from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlestar.core.pipeline import ALGORITHMS, EXTRAS, METRICS, SECTIONS, fingerprint, parse
from mlestar.errors import InvalidInput

GUIDE: dict[str, Any] = {
    "data": {"source": "marketing_dataset"},
    "features": {"textFeatures": ["content", "hashtags"]},
    "training": {"algorithm": "transformer"},
    "evaluation": {"metrics": ["accuracy", "f1"]},
    "deployment": {"environment": "production"},
}
SOURCE = {"data": {"source": "sklearn:wine"}}


def test_the_guides_config_is_understood() -> None:
    spec = parse(GUIDE)
    assert spec.data.source == "marketing_dataset"
    assert spec.features.text == ("content", "hashtags")
    assert (spec.training.algorithm, spec.training.epochs) == ("transformer", 10)
    assert spec.evaluation.metrics == ("accuracy", "f1")
    assert spec.environment == "production"


def test_every_key_of_the_design_is_understood() -> None:
    spec = parse(
        {
            "data": {
                "source": "a.csv",
                "target": "y",
                "size": 500,
                "test": 0.3,
                "split": "group",
                "seed": 3,
                "group": "g",
            },
            "features": {"numericFeatures": ["a"], "categoricalFeatures": "b", "exclude": ["c"]},
            "training": {
                "epochs": 2,
                "batchSize": 8,
                "learningRate": 1,
                "tuning": {"trials": 5, "metric": "f1"},
                "timeBudgetS": 9,
            },
            "evaluation": {"groups": ["b"], "minimum": {"f1": 0.7}},
            "ablate": True,
        }
    )
    assert (spec.features.declared, spec.features.exclude) == (("a", "b"), ("c",))
    assert (spec.training.batch_size, spec.training.learning_rate, spec.training.trials) == (8, 1.0, 5)
    assert (spec.training.tuning_metric, dict(spec.evaluation.minimum), spec.ablate) == ("f1", {"f1": 0.7}, True)


@pytest.mark.parametrize(
    ("config", "message", "do"),
    [
        ({"dta": {}}, "unknown key 'dta' in config", "'data'"),
        ({"data": {"sorce": "x"}}, "unknown key 'sorce' in data", "'source'"),
        ({**SOURCE, "training": {"epoch": 3}}, "unknown key 'epoch' in training", "'epochs'"),
        ({**SOURCE, "training": {"tuning": {"trial": 3}}}, "in training.tuning", "'trials'"),
        ({**SOURCE, "training": {"algorithm": "lightGBM"}}, "no 'lightGBM'", "'lightgbm'"),
        ({**SOURCE, "training": {"algorithm": "transformers"}}, "no 'transformers'", "'transformer'"),
        ({**SOURCE, "evaluation": {"metrics": ["acuracy"]}}, "no 'acuracy'", "'accuracy'"),
        ({**SOURCE, "evaluation": {"minimum": {"F1": 0.7}}}, "unknown key 'F1'", "'f1'"),
        ({**SOURCE, "evaluation": {"minimum": {"f1": "high"}}}, "must be a number", ""),
        ({**SOURCE, "deployment": {"environment": "prod"}}, "no 'prod'", "'production'"),
        ({}, "config.data.source is missing", "source"),
        ({"data": {"source": "x", "test": 0.9}}, "data.test is 0.9", "range"),
        ({"data": {"source": "x", "seed": True}}, "must be a whole number", ""),
        ({"data": {"source": "x", "size": 10**9}}, "data.size is", "range"),
        ({"data": []}, "data must be an object", ""),
        ({**SOURCE, "features": {"exclude": [1]}}, "must be a list of texts", ""),
        ({**SOURCE, "ablate": "yes"}, "config.ablate must be", ""),
    ],
)
def test_what_is_wrong_is_named_with_the_nearest_valid_choice(config: dict[str, Any], message: str, do: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(config)
    assert message in caught.value.message
    assert do in caught.value.do


def test_choices_in_an_error_are_all_the_valid_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse({**SOURCE, "training": {"algorithm": "svm"}})
    assert caught.value.valid == tuple(ALGORITHMS)
    with pytest.raises(InvalidInput) as caught:
        parse({**SOURCE, "evaluation": {"metrics": ["x"]}})
    assert caught.value.valid == METRICS


@given(st.dictionaries(st.sampled_from([*SECTIONS, "ablate", "extra"]), st.one_of(st.none(), st.text(), st.integers())))
def test_any_junk_is_refused_and_never_crashes(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse(config)


def test_a_fingerprint_ignores_key_order_and_nothing_else() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 1.5})
    assert fingerprint("a", "b") != fingerprint("ab")


def test_each_algorithm_whose_library_is_no_dependency_names_an_extra_that_exists() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = " ".join(project["dependencies"])
    assert set(EXTRAS) == {name for name, needs in ALGORITHMS.items() if any(one not in known for one in needs)}
    assert set(EXTRAS.values()) <= set(project["optional-dependencies"])
