"""Reading predictions: names people give their columns, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from mlestar.core.facts.data import Predictions, Table
from mlestar.errors import InvalidInput, NotFound
from mlestar.evidence.predictions import read_predictions


def table(columns: Mapping[str, Sequence[object]]) -> Table:
    frame = pd.DataFrame(dict(columns))
    return Table(path="predictions.csv", frame=frame, sha256="0" * 64, n_rows=len(frame))


def read(columns: Mapping[str, Sequence[object]], *, groups: tuple[str, ...] = ()) -> Predictions:
    return read_predictions(table(columns), groups=groups)


@pytest.mark.parametrize("truth", ["y_true", "actual", "Ground Truth", "label", "target"])
@pytest.mark.parametrize(("answer", "score"), [("y_pred", "y_score"), ("Prediction", "probability"), ("yhat", "proba")])
def test_usual_column_names_are_known(truth: str, answer: str, score: str) -> None:
    found = read({truth: [0, 1, 1], answer: [0, 1, 0], score: [0.1, 0.9, 0.4]})
    assert found.y_true.tolist() == ["0", "1", "1"]
    assert found.y_pred is not None
    assert found.y_pred.tolist() == ["0", "1", "0"]
    assert found.y_score is not None
    assert found.y_score.tolist() == [0.1, 0.9, 0.4]
    assert (found.positive, found.classes) == ("1", ("0", "1"))


def test_the_class_named_by_a_score_column_decides_which_score_is_positive() -> None:
    found = read({"y_true": ["no", "yes"] * 3, "proba_no": [0.9, 0.2] * 3, "proba_yes": [0.1, 0.8] * 3})
    assert found.y_score is not None
    assert found.y_score.tolist() == [0.1, 0.8] * 3
    assert found.positive == "yes"


def test_scores_of_many_classes_come_as_a_matrix_in_their_columns_order() -> None:
    found = read({"y_true": ["a", "b", "c"], "p_c": [0, 0, 1], "p_a": [1, 0, 0], "p_b": [0, 1, 0]})
    assert found.classes == ("c", "a", "b")
    assert found.y_score is not None
    assert found.y_score.shape == (3, 3)


def test_probabilities_in_the_prediction_column_are_scores() -> None:
    found = read({"y_true": [0, 1, 1], "prediction": [0.2, 0.7, 0.6]})
    assert found.y_pred is None
    assert found.y_score is not None


def test_labels_read_as_other_types_still_compare() -> None:
    found = read({"y_true": [1, 0, 1], "y_pred": [1.0, 0.0, 1.0]})
    assert found.y_pred is not None
    assert (found.y_true == found.y_pred).all()


def test_a_regression_keeps_its_numbers() -> None:
    values = np.linspace(0.5, 60.3, 40)
    found = read({"actual": values.tolist(), "predicted": (values + 1).tolist()})
    assert found.positive is None
    assert found.y_pred is not None
    np.testing.assert_allclose(found.y_pred - found.y_true, 1)


def test_other_columns_of_few_values_become_slices_and_declared_numbers_are_cut_at_quartiles() -> None:
    n = 80
    columns: dict[str, Sequence[object]] = {
        "y_true": [0, 1] * 40,
        "y_pred": [0, 1] * 40,
        "sex": ["f", "m"] * 40,
        "age": list(range(n)),
        "note": [f"row {i}" for i in range(n)],
    }
    assert set(read(columns).groups) == {"sex"}
    ages = read(columns, groups=("age",)).groups["age"]
    assert sorted(np.unique(ages, return_counts=True)[1].tolist()) == [20, 20, 20, 20]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"y_pred": [0, 1], "other": [1, 2]}, "no column of the observed target"),
        ({"y_true": [0, 1], "other": [5, 6]}, "neither predicted classes"),
        ({"y_true": [0, None, 1], "y_pred": [0, 1, 1]}, "row 1"),
        ({"y_true": [0, 1, 1], "y_pred": [0, None, 1]}, "without y_pred"),
        ({"y_true": [0, 1], "y_score": [0.5, None]}, "not finite"),
        ({"y_true": [x / 3 for x in range(40)], "y_score": [0.5] * 40}, "no predicted values"),
        ({"y_true": [x / 3 for x in range(40)], "y_pred": ["a"] * 40}, "not finite"),
    ],
)
def test_predictions_that_cannot_be_judged_are_refused(columns: Mapping[str, Sequence[object]], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(columns)


def test_an_unknown_group_column_is_answered_with_the_columns_there_are() -> None:
    with pytest.raises(NotFound) as caught:
        read({"y_true": [0, 1], "y_pred": [0, 1]}, groups=("gender",))
    assert caught.value.valid == ("y_true", "y_pred")
