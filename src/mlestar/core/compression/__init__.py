"""Makes a text shorter without a model, keeping what answers questions: names, numbers, negations, the telling words."""
