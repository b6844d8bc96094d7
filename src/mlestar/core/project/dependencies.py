"""Declared and locked dependencies, against what the code imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlestar.core.code.imports import DISTRIBUTIONS, distribution, normalized, third_party
from mlestar.core.facts.project import VENDORED_PATH
from mlestar.core.project.deployment import mapping, sequence

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

LOCK_FILES = (
    r"^(.*/)?(uv|poetry|pdm|pixi)\.lock$|^(.*/)?Pipfile\.lock$|^(.*/)?conda-lock\.ya?ml$|^(.*/)?pylock(\.\w+)?\.toml$"
)
REQUIREMENT_FILES = r"^(.*/)?(requirements|constraints)[^/]*\.(txt|lock)$|^(.*/)?requirements/[^/]+\.txt$"
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)$")
_EXACT = re.compile(r"^(===?)\s*[\w.!+-]+$")
_CONDA_EXACT = re.compile(r"^([\w.-]+)\s*(={1,2})\s*([\w.!+-]+)(=\S+)?$")
_JSON_NAME = re.compile(r'^\s{8}"([\w.-]+)":\s*\{', re.MULTILINE)
_TOML_NAME = re.compile(r'^name\s*=\s*"([^"]+)"', re.MULTILINE)
_YAML_NAME = re.compile(r"^\s*-?\s*name:\s*([\w.-]+)\s*$", re.MULTILINE)
_PIXI_NAME = re.compile(r"/([A-Za-z0-9_.-]+?)-\d[^/\s-]*-[^/\s]+\.(?:conda|tar\.bz2|whl)")


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One declared dependency; `exact` when only one version satisfies it."""

    name: str
    exact: bool
    path: str
    line: int | None
    hashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What is declared, what is locked, what is imported (distribution names, PEP 503).

    Attributes:
        locks: Lock file -> names in it.
        imported: Distribution -> (path, line) of one import of it.
    """

    requirements: tuple[Requirement, ...] = ()
    locks: dict[str, frozenset[str]] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)


def dependencies(project: ProjectFacts) -> Dependencies:
    """Collect the three."""
    return Dependencies(
        requirements=tuple(_requirements(project)),
        locks={
            path: _locked(path, project.texts[path])
            for path in project.paths(LOCK_FILES)
            if path in project.texts and not VENDORED_PATH.search(path)
        },
        imported=_imported(project),
    )


def covers(names: frozenset[str], wanted: str) -> bool:
    """Whether a distribution is among the names; opencv and psycopg2 come in several builds."""
    if wanted in names:
        return True
    stem = wanted.removesuffix("-binary").removesuffix("-cpu").removesuffix("-python")
    return (
        any(name.startswith(stem) for name in names)
        if stem in {"opencv", "psycopg2", "faiss", "google-cloud-storage"} or wanted.startswith("google")
        else False
    )


def _imported(project: ProjectFacts) -> dict[str, str]:
    own = frozenset(part for path in project.modules for part in path.removesuffix(".py").split("/"))
    found: dict[str, str] = {}
    for path, module in project.own_modules.items():
        for name in third_party(module.imported, own):
            if name in DISTRIBUTIONS or name not in own:
                found.setdefault(distribution(name), path)
    return dict(sorted(found.items()))


def _requirements(project: ProjectFacts) -> Iterator[Requirement]:
    for path in project.paths(REQUIREMENT_FILES):
        if not VENDORED_PATH.search(path) and not re.search(r"(dev|test|docs?|lint)[^/]*\.(txt|lock)$", path):
            yield from _requirement_lines(path, project.texts.get(path, ""))
    for path, document in project.parsed():
        name = path.rpartition("/")[2]
        if VENDORED_PATH.search(path):
            continue
        if name == "pyproject.toml":
            yield from _pyproject(project, path, mapping(document))
        elif re.match(r"(environment|conda)[^/]*\.ya?ml$", name):
            yield from _conda(path, document)


def _requirement_lines(path: str, text: str) -> Iterator[Requirement]:
    for number, row in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(^|\s)#.*$", "", row).strip()
        if line and not line.startswith("-"):
            yield from _requirement(line, path, number)


def _pyproject(project: ProjectFacts, path: str, document: dict[str, Any]) -> Iterator[Requirement]:
    for entry in sequence(mapping(document.get("project")).get("dependencies")):
        yield from _requirement(str(entry), path, project.at(path, re.escape(str(entry))).line)
    for name in mapping(mapping(mapping(document.get("tool")).get("poetry")).get("dependencies")):
        if name != "python":
            yield Requirement(name=normalized(name), exact=False, path=path, line=None)


def _requirement(line: str, path: str, number: int | None) -> Iterator[Requirement]:
    hashed = "--hash=" in line or line.endswith("\\")
    match = _REQUIREMENT.match(line.partition("--hash")[0].partition(";")[0].rstrip("\\ ").strip())
    if match:
        rest = match[2].strip().strip("()")
        exact = bool(_EXACT.match(rest)) or ("@" in rest and bool(re.search(r"@[0-9a-f]{40}", rest)))
        yield Requirement(name=normalized(match[1]), exact=exact, path=path, line=number, hashed=hashed)


def _conda(path: str, document: object) -> Iterator[Requirement]:
    for entry in sequence(mapping(document).get("dependencies")):
        if isinstance(entry, dict):
            for inner in sequence(entry.get("pip")):
                yield from _requirement(str(inner), path, None)
        elif isinstance(entry, str) and not re.match(r"(python|pip)\b", entry):
            name = re.split(r"[=<>\s]", entry.partition("::")[2] or entry)[0]
            yield Requirement(name=normalized(name), exact=bool(_CONDA_EXACT.match(entry)), path=path, line=None)


def _locked(path: str, text: str) -> frozenset[str]:
    name = path.rpartition("/")[2]
    if name == "Pipfile.lock":
        names = _JSON_NAME.findall(text)
    elif name.startswith("conda-lock"):
        names = _YAML_NAME.findall(text)
    elif name == "pixi.lock":
        names = [*_PIXI_NAME.findall(text), *_YAML_NAME.findall(text)]
    else:
        names = _TOML_NAME.findall(text)
    return frozenset(normalized(found) for found in names)
