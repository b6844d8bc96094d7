"""Checks of the dimension Excellence."""
