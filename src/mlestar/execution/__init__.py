"""Durable runs and the child processes they work in."""
