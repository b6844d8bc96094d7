"""From findings to scores: the rubric, the arithmetic, what a score means, how it changed."""
