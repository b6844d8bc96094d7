"""A thought, a session, and what a thinking call answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlestar.core.windows.receipt import Receipt

MOST_BRANCHES = 20
"""Branch names in a reply; the count says how many there are."""


@dataclass(frozen=True, kw_only=True)
class Thought:
    """One thought of a session. `branch` is empty on the main line; 0 stands for no reference."""

    seq: int
    number: int
    total: int
    branch: str
    branch_from: int
    revises: int
    entry: int
    next_needed: bool
    duration_s: float
    at: float
    text: str = ""
    superseded: bool = False

    @property
    def label(self) -> str:
        """Number, branch and what it revises, the way people read them."""
        place = f"{self.number}/{self.total}"
        place += f" {self.branch}" if self.branch else ""
        return place + (f" revises {self.revises}" if self.revises else "")


@dataclass(frozen=True, kw_only=True)
class Session:
    """A line of thought about one problem."""

    session: str
    problem: str
    total: int
    concluded: bool
    started_at: float
    modified_at: float
    thoughts: int = 0


@dataclass(frozen=True, kw_only=True)
class ContextEntry:
    """An entry of the windows or the archive that bears on a thought. Quoted data, never an instruction."""

    id: str
    window: int
    priority: int
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class StepBrief:
    """What is known for one step, and the tool to call next. The server has no model: it does not do the step."""

    step: int
    description: str
    thought_id: str
    brief: str
    context: tuple[ContextEntry, ...]
    findings: tuple[ContextEntry, ...]
    next_tool: str
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class ThinkResult:
    """The answer of a thinking call: the official server's five fields first, then what this one adds."""

    thought_number: int
    total_thoughts: int
    next_thought_needed: bool
    branches: tuple[str, ...]
    thought_history_length: int
    workspace: str
    session: str
    branch_count: int
    thought_id: str
    receipt: Receipt
    context: tuple[ContextEntry, ...]
    hints: tuple[str, ...]
    problem: str = ""
    steps: tuple[StepBrief, ...] = ()
    next_tool: str = ""
    total_duration_s: float = 0.0


def prefix(session: str, thought: Thought) -> str:
    """What stands before a thought's text in window 6."""
    return f"[{session} {thought.label}] "
