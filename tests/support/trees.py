"""Small project folders written for a test, read by the real readers and judged by the real checks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mlestar.checks.catalogue import load
from mlestar.core.evidence import Level, Outcome, Verdict
from mlestar.core.facts.collected import Facts
from mlestar.evidence.project import read_project

Files = Mapping[str, str | bytes]
HEAD_DATE = "2026-06-01T12:00:00+00:00"


def write_tree(root: Path, files: Files) -> Path:
    """Write every file below the folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return root


def git(root: Path, *arguments: str, author: str = "Ada <ada@x.org>", date: str = HEAD_DATE) -> None:
    """Run git with a fixed identity and date, without any configuration of the machine."""
    name, _, email = author.rstrip(">").partition(" <")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
        "GIT_COMMITTER_DATE": date,
    }
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True)


def commit(
    root: Path, message: str = "Change", *, author: str = "Ada <ada@x.org>", date: str = HEAD_DATE, empty: bool = True
) -> None:
    """Commit everything in the folder, starting a repository on first use."""
    if not (root / ".git").exists():
        git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    extra = ("--allow-empty",) if empty else ()
    git(root, "commit", "-q", *extra, "-m", message, author=author, date=date)


def judge(check_id: str, root: Path, **facts: object) -> list[Verdict]:
    """What one check says of the folder."""
    collected = Facts(project=read_project(root), **facts)  # pyright: ignore[reportArgumentType] - parts by name
    return list(load()[check_id].run(collected))


def outcome_of(check_id: str, root: Path, files: Files) -> Verdict:
    """The strongest verdict of one check on a folder with these files; unknown when it says nothing."""
    verdicts = judge(check_id, write_tree(root, files))
    silent = Verdict(outcome=Outcome.UNKNOWN, level=Level.NONE, observed="")
    return max(verdicts, key=lambda verdict: verdict.level.rank, default=silent)
