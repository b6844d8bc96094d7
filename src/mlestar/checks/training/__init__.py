"""Checks of the dimension Training."""
