"""What the analysis of one scope asks of the project around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mlestar.core.code.leakage.values import Findings, Summary
    from mlestar.core.facts.source import SourceModule


class Project(Protocol):
    """What a scope asks of the project around it."""

    @property
    def modules(self) -> Mapping[str, SourceModule]:
        """Source by path."""
        ...

    @property
    def findings(self) -> Findings:
        """Where leaks are gathered."""
        ...

    def module_named(self, name: str) -> str | None:
        """The project file that an import path means."""
        ...

    def names_in(self, path: str) -> Mapping[str, str]:
        """What the names of a module mean."""
        ...

    def summary(self, path: str, name: str) -> Summary | None:
        """What one of the project's functions does."""
        ...
