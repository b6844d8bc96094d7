"""Checks of the dimension Reliability."""
