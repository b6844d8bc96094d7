from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mlestar.core.pipeline import parse
from mlestar.errors import InvalidInput
from mlestar.stages.data import prepare
from mlestar.stages.marketing import AFTER_OUTCOME, CALL_TO_ACTION, TARGET, generate


def test_the_same_seed_gives_the_same_posts_and_another_one_does_not() -> None:
    assert generate(500, 3).sha256 == generate(500, 3).sha256 != generate(500, 4).sha256


def test_the_published_probability_is_calibrated_so_its_score_is_the_best_reachable() -> None:
    posts = generate(20_000, 0)
    truth, probability = posts.frame[TARGET].to_numpy(), posts.truth["probability"]
    for low in np.arange(0.1, 0.9, 0.1):
        inside = (probability >= low) & (probability < low + 0.1)
        assert truth[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.04)
    assert 0.72 < roc_auc_score(truth, probability) < 0.85


def test_the_call_to_action_has_the_effect_that_is_published() -> None:
    posts = generate(60_000, 1)
    asked = posts.frame["content"].str.contains(CALL_TO_ACTION)
    odds = [share / (1 - share) for share in (posts.frame[TARGET][asked].mean(), posts.frame[TARGET][~asked].mean())]
    assert np.log(odds[0] / odds[1]) == pytest.approx(posts.truth["call_effect"], rel=0.25)


def test_drift_fades_the_effect_of_video_over_the_year() -> None:
    def lift(drift: float) -> float:
        posts = generate(30_000, 0, drift).frame
        late = posts.tail(10_000)
        video = late["media_type"] == "video"
        return float(late[TARGET][video].mean() - late[TARGET][~video].mean())

    assert lift(0.0) > 0.05
    assert lift(1.0) < -0.05


def test_columns_known_only_after_posting_are_never_features_and_say_why() -> None:
    spec = parse({"data": {"source": "marketing_dataset"}})
    prepared = prepare(generate(400, 0), spec)
    assert not set(AFTER_OUTCOME) & set(prepared.kinds)
    assert all("would leak" in prepared.unused[name] for name in AFTER_OUTCOME)
    assert prepared.split == "time"
    assert prepared.facts["synthetic"] is True


def test_naming_such_a_column_as_a_feature_is_refused() -> None:
    spec = parse({"data": {"source": "marketing_dataset"}, "features": {"numericFeatures": ["reach"]}})
    with pytest.raises(InvalidInput, match="reach cannot be a feature"):
        prepare(generate(400, 0), spec)
