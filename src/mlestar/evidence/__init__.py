"""Readers of the outside world: bounded, symlink-safe, nothing executed."""
