"""Leaks of held-out data into training, found by following variables through the source."""
