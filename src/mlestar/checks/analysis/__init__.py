"""Checks of the dimension Analysis."""
