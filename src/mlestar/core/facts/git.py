"""What a project's git history says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

YEAR_S = 365 * 86_400


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit. `time` is the committer's, in seconds since 1970."""

    sha: str
    author: str
    email: str
    committer: str
    committer_email: str
    time: int
    parents: tuple[str, ...]
    subject: str
    reviewed_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A tag and the time of what it points at."""

    name: str
    time: int
    annotated: bool = False


@dataclass(frozen=True, kw_only=True)
class GitFacts:
    """History as far as it was read.

    Attributes:
        head: Commit id of HEAD; `head_time` its committer time: every age is counted from it, never from the clock.
        tracked: Paths in the index, relative to the project.
        commits: Newest first, at most the reader's limit, of the whole branch.
        mainline: Ids of the first-parent line of HEAD, newest first.
        changed: Path -> newest commit time that touched it, within the commits read.
        shallow: The clone is cut off: older commits exist that are not here.
    """

    head: str
    head_time: int
    tracked: frozenset[str] = frozenset()
    commits: tuple[Commit, ...] = ()
    mainline: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    changed: Mapping[str, int] = field(default_factory=dict)
    shallow: bool = False

    def authors_within(self, seconds: int = YEAR_S) -> dict[str, int]:
        """Author e-mail (lower case) -> commits in the last `seconds` before HEAD."""
        counts: dict[str, int] = {}
        for commit in self.commits:
            if self.head_time - commit.time <= seconds:
                counts[commit.email.lower()] = counts.get(commit.email.lower(), 0) + 1
        return counts
