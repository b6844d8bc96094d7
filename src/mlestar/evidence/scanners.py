"""Runs the code scanners that are installed beside us (ruff, bandit) over a project's files; they read, never import.

Configuration of the project is not used: it could switch rules off, or name plug-ins.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.facts.project import TEST_PATH
from mlestar.core.facts.reports import StaticReport

if TYPE_CHECKING:
    from mlestar.evidence.bounded import Limits

_MOST_ARGUMENTS = 60_000
BANDITS_RULES = "bandit's rules"
_BANDITS = re.compile(r"S\d")
_SEVERITIES = {
    "HIGH": "S103 S201 S202 S304 S305 S312 S321 S324 S501 S502 S505 S507 S602 S605 S609 S701",
    "MEDIUM": "S102 S104 S108 S113 S301 S302 S303 S306 S307 S308 S310 S313 S314 S315 S316 S317 S318 S319 S323 S503 "
    "S506 S508 S509 S604 S608 S610 S611 S612 S702 S704",
}
"""What bandit 1.9 calls the rules that ruff has taken over under the same numbers; the others are low."""


def scan(root: Path, paths: Sequence[str], limits: Limits) -> tuple[StaticReport, ...]:
    """One report for each scanner that is installed, in time and gave an answer.

    Where bandit is not installed, ruff runs the rules that it has taken over from bandit.

    Args:
        root: The project's folder, resolved.
        paths: Python files relative to it; at most `limits.scan_files` of them are looked at.
        limits: Files and seconds.
    """
    chosen = [path for path in sorted(paths) if path.isprintable() and not path.startswith("-")][: limits.scan_files]
    if not chosen:
        return ()
    code = [path for path in chosen if not TEST_PATH.search(path)]
    security = _bandit(root, code, limits)
    linted = _ruff(root, chosen, limits, rules="E9,F,B" if security is not None else "E9,F,B,S")
    if linted is None:
        return () if security is None else (security,)
    if security is None:
        insecure = {result for result in linted.results if _BANDITS.match(result[2])}
        findings = tuple(sorted(result for result in insecure if not TEST_PATH.search(result[0])))
        security = StaticReport(path="", tool=BANDITS_RULES, results=findings, own=True) if code else None
        linted = replace(linted, results=tuple(result for result in linted.results if result not in insecure))
    return (linted, security) if security is not None else (linted,)


def _ruff(root: Path, paths: Sequence[str], limits: Limits, *, rules: str) -> StaticReport | None:
    options = ("check", "--isolated", "--no-cache", "--exit-zero", "--select", rules, "--output-format", "json")
    results: list[tuple[str, int, str, str]] = []
    for batch in _batches(paths):
        output = _run("ruff", (*options, "--", *batch), root, limits)
        if not isinstance(output, list):
            return None
        for item in output:
            place = item.get("location") or {}
            rule = str(item.get("code") or "E999")
            severity = _severity(rule, str(item.get("message", "")))
            results.append((_relative(root, str(item.get("filename", ""))), int(place.get("row", 0)), rule, severity))
    return StaticReport(path="", tool="ruff", results=tuple(sorted(results)), own=True)


def _severity(rule: str, message: str) -> str:
    """What bandit calls the finding of its rule; ruff says of a constant command that it seems safe."""
    if "seems safe" in message:
        return "LOW"
    return next((severity for severity, rules in _SEVERITIES.items() if rule in rules.split()), "LOW")


def _bandit(root: Path, paths: Sequence[str], limits: Limits) -> StaticReport | None:
    results: list[tuple[str, int, str, str]] = []
    for batch in _batches(paths):
        output = _run("bandit", ("-q", "-f", "json", "--exit-zero", "--ini", os.devnull, *batch), root, limits)
        if not isinstance(output, dict):
            return None
        for item in output.get("results", ()):
            place = _relative(root, str(item.get("filename", "")))
            severity = str(item.get("issue_severity", "")).upper()
            results.append((place, int(item.get("line_number", 0)), str(item.get("test_id", "")), severity))
    return StaticReport(path="", tool="bandit", results=tuple(sorted(results)), own=True) if paths else None


def _run(program: str, arguments: Sequence[str], root: Path, limits: Limits) -> Any:
    beside = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if beside is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - an installed scanner, arguments of our own, files as data
            [beside, *arguments],
            cwd=root,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.scan_seconds,
            check=False,
        )
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _batches(paths: Sequence[str]) -> list[list[str]]:
    """As many paths a call as a command line holds on every platform."""
    batches: list[list[str]] = []
    size = _MOST_ARGUMENTS
    for path in paths:
        if size + len(path) > _MOST_ARGUMENTS:
            batches.append([])
            size = 0
        batches[-1].append(path)
        size += len(path) + 1
    return batches


def _relative(root: Path, name: str) -> str:
    path = Path(name)
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix().removeprefix("./")
