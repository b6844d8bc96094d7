"""Checks of the dimension Scoping."""
