"""Places a new thought in its session: its number, what it revises, its branch; each reference is checked first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlestar.core.thinking.model import Session, Thought
from mlestar.errors import InvalidInput

MOST_BRANCH_CHARACTERS = 100


@dataclass(frozen=True, kw_only=True)
class Request:
    """A thought as it was asked for; None means left out."""

    number: int | None = None
    total: int | None = None
    next_needed: bool | None = None
    is_revision: bool | None = None
    revises: int | None = None
    branch_from: int | None = None
    branch: str = ""
    needs_more: bool | None = None

    @property
    def refers(self) -> bool:
        """Whether it names a thought or a branch of its session."""
        return bool(self.revises or self.branch_from or self.branch)

    @property
    def continues(self) -> bool:
        """Whether it goes on from something: a later number, or a reference."""
        return (self.number or 1) > 1 or self.refers


def place(request: Request, known: Sequence[Thought], *, now: float, duration_s: float) -> Thought:
    """The thought with its number, total and references, not yet stored.

    `known` are the session's thoughts in the order they came; for a request that refers to none of them the first and
    the last of each branch are enough.

    Raises:
        InvalidInput: a reference leads to no thought or branch of the session; the valid ones are listed.
    """
    _check(request, known)
    branch = request.branch
    if request.branch_from and not branch:
        branch = f"branch-{len(branches(known)) + 1}"
    if request.revises and not branch:
        branch = _named(request.revises, known, "")[-1].branch
    line = [thought for thought in known if thought.branch == branch]
    before = line[-1].number if line else request.branch_from or (known[-1].number if known and branch else 0)
    number = request.number or before + 1
    previous_total = known[-1].total if known else 1
    total = max(number, request.total or previous_total)
    if request.needs_more and total == number:
        total += 1
    return Thought(
        seq=known[-1].seq + 1 if known else 1,
        number=number,
        total=total,
        branch=branch,
        branch_from=request.branch_from or 0,
        revises=(request.revises or 0) if request.is_revision is not False else 0,
        entry=0,
        next_needed=True if request.next_needed is None else request.next_needed,
        duration_s=duration_s,
        at=now,
    )


def revised(thought: Thought, known: Sequence[Thought]) -> int:
    """The entry of the thought that this one revises; 0 when it revises none."""
    return _named(thought.revises, known, thought.branch)[-1].entry if thought.revises else 0


def branches(thoughts: Sequence[Thought]) -> list[str]:
    """Names of the branches, in the order they began."""
    return list(dict.fromkeys(thought.branch for thought in thoughts if thought.branch))


def hints(request: Request, thought: Thought, session: Session, *, is_plan: bool) -> tuple[str, ...]:
    """What the caller should know about how the thought was taken."""
    found: list[str] = []
    if request.is_revision and not request.revises:
        found.append("isRevision came without revisesThought: the thought was kept, and supersedes none.")
    if request.is_revision is False and request.revises:
        found.append("isRevision is false, so revisesThought was not followed.")
    if request.total and request.total < thought.total and not is_plan:
        found.append(f"totalThoughts was raised to {thought.total}.")
    if request.needs_more and not thought.next_needed:
        found.append("needsMoreThoughts and nextThoughtNeeded disagree: the session is concluded.")
    if session.concluded and thought.next_needed:
        found.append("The session had its conclusion already; this thought opens it again.")
    found.append(f"Pass session={session.session} to go on in this session.")
    return tuple(found)


def _check(request: Request, known: Sequence[Thought]) -> None:
    numbers = sorted({thought.number for thought in known})
    for name, wanted in (("revisesThought", request.revises), ("branchFromThought", request.branch_from)):
        if wanted and wanted not in numbers:
            raise InvalidInput(
                f"{name} is {wanted}, and the session has no such thought. Nothing was stored.",
                valid=_ranges(numbers) or ["(the session has no thoughts yet)"],
                do=f"refer to a thought of the session, or leave {name} out",
            )
    if len(request.branch) > MOST_BRANCH_CHARACTERS:
        raise InvalidInput(f"branchId has {len(request.branch)} characters.", valid=["up to 100 characters"])
    if request.branch and not request.branch_from and request.branch not in branches(known):
        raise InvalidInput(
            f"The session has no branch {request.branch!r}, and branchFromThought does not say where it leaves.",
            valid=branches(known) or ["(no branches yet)"],
            do="send branchFromThought to begin a branch",
        )


def _named(number: int, known: Sequence[Thought], branch: str) -> list[Thought]:
    """The thoughts of a number, of the given branch where it has one, else of any."""
    found = [thought for thought in known if thought.number == number]
    return [thought for thought in found if thought.branch == branch] or found


def _ranges(numbers: Sequence[int]) -> list[str]:
    """1, 2, 3, 7 as `1 to 3`, `7`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in found]
