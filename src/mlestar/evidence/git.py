"""Reads a repository's history through the `git` command, with nothing of the repository allowed to run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mlestar.core.facts.git import Commit, GitFacts, Tag

if TYPE_CHECKING:
    from mlestar.evidence.bounded import Limits

_RECORD, _UNIT, _LIST = "\x1e", "\x1f", "\x1d"
_FORMAT = _RECORD + _UNIT.join(
    ("%H", "%an", "%ae", "%cn", "%ce", "%ct", "%P", "%s", f"%(trailers:key=Reviewed-by,valueonly,separator={_LIST})")
)
_FIELDS = 9
_MOST_OUTPUT = 32 << 20
_SAFE_OPTIONS = (
    "--no-pager",
    "-c", "core.fsmonitor=",
    "-c", f"core.hooksPath={os.devnull}",
    "-c", "core.alternateRefsCommand=",
    "-c", "log.showSignature=false",
    "-c", "protocol.allow=never",
    "-c", "safe.directory=*",
)  # fmt: skip
"""Each names a setting of a hostile repository that could start a program; reading is all we do there."""


class GitUnreadable(Exception):
    """No git, no repository, one outside the boundary, or a command that failed: the history is unknown."""


def read_git(root: Path, boundary: Path, limits: Limits) -> GitFacts | None:
    """The history that concerns `root`; None when it cannot be read.

    Args:
        root: The project's folder, resolved.
        boundary: The repository's own folder must lie at or below it, as all that is read must.
        limits: Commits and seconds.
    """
    try:
        return _read(root, boundary, limits)
    except (GitUnreadable, OSError, ValueError):
        return None


def _read(root: Path, boundary: Path, limits: Limits) -> GitFacts:
    def git(*arguments: str) -> str:
        return _run(arguments, root, boundary, limits.git_seconds)

    for folder in git("rev-parse", "--absolute-git-dir", "--git-common-dir", "--show-toplevel").splitlines():
        if not (root / folder).resolve().is_relative_to(boundary):
            raise GitUnreadable("the repository lies outside the boundary")
    head = git("rev-parse", "--verify", "HEAD").strip()
    shallow = git("rev-parse", "--is-shallow-repository").strip() == "true"
    commits = _commits(git("log", f"-n{limits.commits}", f"--format={_FORMAT}", "HEAD", "--"))
    mainline = git("rev-list", "--first-parent", f"-n{limits.commits}", "HEAD", "--").split()
    tracked = frozenset(name for name in git("ls-files", "-z").split("\0") if name)
    return GitFacts(
        head=head,
        head_time=commits[0].time,
        tracked=tracked,
        commits=commits,
        mainline=tuple(mainline),
        tags=_tags(
            git(
                "for-each-ref",
                "--count=200",
                f"--format=%(refname:short){_UNIT}%(creatordate:unix){_UNIT}%(objecttype)",
                "refs/tags",
            )
        ),
        changed=_changed(git, limits),
        shallow=shallow,
    )


def _run(arguments: tuple[str, ...], root: Path, boundary: Path, seconds: float) -> str:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(boundary.parent),
    }
    if "SYSTEMROOT" in os.environ:  # Windows starts no program without it
        environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed program, arguments of our own
            ["git", *_SAFE_OPTIONS, *arguments],  # noqa: S607 - the user's own git, wherever it is installed
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitUnreadable("git took too long") from error
    if done.returncode != 0 or len(done.stdout) > _MOST_OUTPUT:
        raise GitUnreadable("git failed")
    return done.stdout.decode("utf-8", "backslashreplace")


def _commits(output: str) -> tuple[Commit, ...]:
    commits: list[Commit] = []
    for record in output.split(_RECORD)[1:]:
        parts = record.strip("\n").split(_UNIT)
        if len(parts) != _FIELDS:
            continue
        sha, author, email, committer, committer_email, time, parents, subject, reviewers = parts
        commits.append(
            Commit(
                sha=sha,
                author=author,
                email=email,
                committer=committer,
                committer_email=committer_email,
                time=int(time),
                parents=tuple(parents.split()),
                subject=subject,
                reviewed_by=tuple(name.strip() for name in reviewers.split(_LIST) if name.strip()),
            )
        )
    if not commits:
        raise GitUnreadable("no commit was readable")
    return tuple(commits)


def _tags(output: str) -> tuple[Tag, ...]:
    tags: list[Tag] = []
    for line in output.splitlines():
        name, time, kind = line.split(_UNIT)
        if time.isdigit():
            tags.append(Tag(name=name, time=int(time), annotated=kind == "tag"))
    return tuple(sorted(tags, key=lambda tag: (tag.time, tag.name)))


def _changed(git: Callable[..., str], limits: Limits) -> dict[str, int]:
    """Needs trees, which a partial clone may lack: then nothing is known of single files."""
    try:
        output = git(
            "log",
            f"-n{limits.commits}",
            "-z",
            "--name-only",
            "--no-renames",
            "--relative",
            f"--format={_RECORD}%ct{_UNIT}",
            "HEAD",
            "--",
            ".",
        )
    except GitUnreadable:
        return {}
    changed: dict[str, int] = {}
    for record in output.split(_RECORD)[1:]:
        time, _, names = record.partition(_UNIT)
        for name in names.split("\0"):
            if name.strip("\n"):
                changed.setdefault(name.strip("\n"), int(time))
    return changed
