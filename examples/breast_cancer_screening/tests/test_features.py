"""Tests of the shared pipeline."""

import numpy as np

from screening.features import screening_pipeline


def test_same_seed_gives_the_same_scores():
    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(60, 4)), generator.integers(0, 2, size=60)
    first = screening_pipeline(1).fit(features, labels).predict_proba(features)
    second = screening_pipeline(1).fit(features, labels).predict_proba(features)
    assert np.array_equal(first, second)


def test_scores_are_probabilities():
    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(60, 4)), generator.integers(0, 2, size=60)
    scores = screening_pipeline().fit(features, labels).predict_proba(features)
    assert ((scores >= 0) & (scores <= 1)).all()
