"""Makes a text shorter without a model, keeping what answers questions: names, numbers, negations, rare words."""
