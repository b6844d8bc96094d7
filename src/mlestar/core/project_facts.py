"""What was read of a project folder: files, text, code, configuration, history."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ProjectFacts:
    """One project folder, read once."""

    root: str
