"""The port to whatever makes runs durable: what the supervisor asks of it, and nothing more.

How a run stands, what happened in it, listing and cancelling are read and written in the database by every process
(`storage.runs`); only the supervisor talks to the engine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Steps:
    """A run's steps, each safe to do again; the engine never does one again that it saw finished.

    Attributes:
        work: Stages up to the package; answers the fingerprints of what they left, none when the run has ended.
        deploy: Verification, registration, the end.
    """

    work: Callable[[str], Awaitable[list[str]]]
    deploy: Callable[[str, list[str]], Awaitable[None]]


class Engine(Protocol):
    """Does the steps of submitted runs, through kills and restarts."""

    async def launch(self) -> None:
        """Open the engine's own state; nothing is taken up yet."""
        ...

    async def submit(self, run_id: str) -> None:
        """Queue a run; the same run again, from here or another process, is the same run."""
        ...

    async def fork(self, source_id: str, run_id: str, *, stage: str) -> None:
        """Queue a run that begins at the step of `stage`, with what the steps of another run before it answered.

        Where the engine does not know the other run, it begins at the first step.
        """
        ...

    async def resume(self, run_id: str) -> bool:
        """Take up a run whose process is known to be dead; steps that had finished are not done again.

        Returns:
            False when the engine never had this run: it is to be submitted.
        """
        ...

    async def taken(self, run_id: str) -> bool:
        """Whether a process, dead or alive, has taken the run off the queue and not ended it."""
        ...

    async def live(self) -> set[str]:
        """Runs that this process is working on now."""
        ...

    async def stop(self) -> None:
        """Let go of everything; what is unfinished stays to be taken up."""
        ...
