"""Runs a project's tests, with line coverage where its interpreter has a tool for it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from mlestar.core.facts.trial import TestTrial
from mlestar.evidence.bounded import read_bytes

if TYPE_CHECKING:
    from mlestar.execution.trial_folder import TrialFolder

_FIND = "import importlib.util as u; print([m for m in ('pytest', 'coverage', 'pytest_cov') if u.find_spec(m)])"
_REPORT_BYTES = 32 << 20
_UNMET = re.compile(
    r"Network is unreachable|Temporary failure in name resolution|Name or service not known|Read-only file system|"
    r"No module named '([\w.]+)'"
)
_MOST_NAMES = 20


def run_tests(place: TrialFolder, own_modules: Iterable[str]) -> TestTrial:
    """Run pytest in a fresh copy; `own_modules` are the paths whose lines count."""
    own = sorted(own_modules)
    found = place.run([place.python, "-c", _FIND])
    tools = set(re.findall(r"'(\w+)'", found.tail)) if found.ok else set()
    shown = "python -m pytest"
    if "pytest" not in tools:
        why = f"its interpreter has no pytest; install it there, or name another: python = in {_python(place)}"
        return TestTrial(command=shown, problem=found.problem or why, log="" if found.ok else found.tail)
    report, data = place.written / "junit.xml", place.written / "coverage"
    configuration = place.own / "coveragerc"
    command = ["-m", "pytest", "-q", f"--junitxml={report}", "-p", "no:cacheprovider"]
    command += ["--no-cov"] if "pytest_cov" in tools else []
    covers = "coverage" in tools
    if covers:
        shown = "python -m coverage run -m pytest"
        configuration.write_text(f"[run]\ndata_file = {data}\nsource = .\n", encoding="utf-8")
        command = ["-m", "coverage", "run", f"--rcfile={configuration}", *command]
    ended = place.run([place.python, *command])
    try:
        cases = list(_parsed(report).iter("testcase"))
    except (OSError, ET.ParseError, ValueError) as error:
        problem = ended.problem or f"left no readable report ({type(error).__name__})"
        return TestTrial(command=shown, problem=problem, log=ended.tail)
    if not ended.ok and ended.how != "exit":
        return TestTrial(command=shown, cases=len(cases), problem=ended.problem, log=ended.tail)
    failed, unmet = _sorted(cases, own)
    if ended.status and not failed and not unmet:
        return TestTrial(command=shown, cases=len(cases), problem=ended.problem, log=ended.tail)
    lines, uncovered = _coverage(place, configuration, own) if covers and not failed and not unmet else (None, ())
    return TestTrial(
        command=shown, cases=len(cases), failed=tuple(failed), unmet=unmet, lines=lines, uncovered=uncovered
    )


def _python(place: TrialFolder) -> str:
    whose = "this judge's own" if place.python == sys.executable else "the project's own"
    return f"[tool.mlestar.inputs] ({whose} was used)"


def _parsed(report: Path) -> ET.Element:
    text = read_bytes(report, _REPORT_BYTES).decode("utf-8", "replace")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a report needs no entities")
    return ET.fromstring(text)  # noqa: S314 - entity declarations were refused above


def _sorted(cases: Iterable[ET.Element], own: list[str]) -> tuple[list[str], dict[str, str]]:
    """Cases that failed, and those that lacked what the enclosure or the interpreter does not have."""
    mine = {part for path in own for part in Path(path).with_suffix("").parts}
    failed: list[str] = []
    unmet: dict[str, str] = {}
    for case in cases:
        bad = next((part for part in case if part.tag in {"failure", "error"}), None)
        if bad is None:
            continue
        name = "::".join(filter(None, (case.get("classname", ""), case.get("name", ""))))
        lacking = _UNMET.search(f"{bad.get('message', '')}\n{bad.text or ''}")
        if lacking is None or (lacking[1] and lacking[1].partition(".")[0] in mine):
            failed.append(name)
        else:
            unmet[name] = f"the package {lacking[1]}" if lacking[1] else _withheld(lacking[0])
    return failed[:_MOST_NAMES], dict(list(unmet.items())[:_MOST_NAMES])


def _withheld(text: str) -> str:
    return "a folder it may write to" if text.startswith("Read-only") else "the network"


def _coverage(
    place: TrialFolder, configuration: Path, own: list[str]
) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    out = place.written / "coverage.json"
    place.run([place.python, "-m", "coverage", "json", "-q", f"--rcfile={configuration}", "-o", str(out)])
    files: dict[str, tuple[int, int]] = {}
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        document: dict[str, Any] = json.loads(read_bytes(out, _REPORT_BYTES))
        for path, entry in document["files"].items():
            name = Path(path).as_posix()
            if name in own:
                files[name] = (int(entry["summary"]["covered_lines"]), int(entry["summary"]["num_statements"]))
    if not files:
        return None, ()
    uncovered = sorted(
        (name for name in files if files[name][0] < files[name][1]), key=lambda n: files[n][0] - files[n][1]
    )
    return (sum(hit for hit, _ in files.values()), sum(count for _, count in files.values())), tuple(uncovered[:3])
