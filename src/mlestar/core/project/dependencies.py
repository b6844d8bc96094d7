"""Declared and locked dependencies, against what the code imports."""

from __future__ import annotations

import ast
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
REQUIREMENT_FILES = r"^(.*/)?(requirements|constraints)[^/]*\.(txt|lock)$|^(.*/)?(requirements?|reqs)/[^/]+\.txt$"
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)$")
_INSTALLED = frozenset(
    {"install_requires", "requirements", "requires", "required", "dependencies", "deps", "reqs", "required_packages"}
)
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
    imported = _imported(project)
    optional = [extra for extra in _extras(project) if extra.name in imported]
    return Dependencies(
        requirements=(*_requirements(project), *optional),
        locks={
            path: _locked(path, project.texts[path])
            for path in project.paths(LOCK_FILES)
            if path in project.texts and not VENDORED_PATH.search(path)
        },
        imported=imported,
    )


_BUILDS = {
    "torch": "pytorch pytorch-cpu pytorch-gpu", "tensorflow": "tensorflow-cpu tensorflow-gpu tensorflow-macos "
    "tensorflow-intel", "imbalanced-learn": "imblearn", "scikit-learn": "sklearn scikit-learn-intelex",
    "beautifulsoup4": "bs4", "xgboost": "py-xgboost xgboost-cpu", "matplotlib": "matplotlib-base",
    "onnxruntime": "onnxruntime-gpu", "pillow": "pillow-simd", "mlflow": "mlflow-skinny", "ray": "ray-default",
    "dbt-core": "dbt-duckdb dbt-postgres dbt-bigquery dbt-snowflake dbt-redshift dbt-spark dbt-athena-community",
}  # fmt: skip
"""Distribution -> other names it is published under (conda, builds), and what brings it by necessity."""


def covers(names: frozenset[str], wanted: str) -> bool:
    """Whether a distribution is among the names; some come in several builds."""
    if wanted in names or not names.isdisjoint(_BUILDS.get(wanted, "").split()):
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
        if path.rpartition("/")[2] in {"setup.py", "conftest.py"}:  # what builds or tests is not what runs
            continue
        for name in third_party(module.imported, own):
            if name in DISTRIBUTIONS or name not in own:
                found.setdefault(distribution(name), path)
    return dict(sorted(found.items()))


def _requirements(project: ProjectFacts) -> Iterator[Requirement]:
    for path in project.paths(REQUIREMENT_FILES):
        if project.texts.get(path, "").startswith("dependencies:"):  # of Helm charts, not of packages
            continue
        if not VENDORED_PATH.search(path) and not re.search(r"(dev|test|docs?|lint)[^/]*\.(txt|lock)$", path):
            yield from _requirement_lines(path, project.texts.get(path, ""))
    yield from _setup(project)
    for path, document in project.parsed():
        name = path.rpartition("/")[2]
        if VENDORED_PATH.search(path):
            continue
        if name == "pyproject.toml":
            yield from _pyproject(project, path, mapping(document))
        elif re.match(r"[^/]*(environment|conda)[^/]*\.ya?ml$", name):
            yield from _conda(path, document)


def _extras(project: ProjectFacts) -> Iterator[Requirement]:
    """What is declared for parts of the project: extras and groups; those that the code imports are needed."""
    for path, document in project.parsed():
        if path.rpartition("/")[2] == "pyproject.toml" and not VENDORED_PATH.search(path):
            table = mapping(document)
            groups = [
                mapping(mapping(table.get("project")).get("optional-dependencies")),
                mapping(table.get("dependency-groups")),
            ]
            for entry in (entry for group in groups for entries in group.values() for entry in sequence(entries)):
                if isinstance(entry, str):
                    yield from _requirement(entry, path, project.at(path, re.escape(entry)).line)


def _setup(project: ProjectFacts) -> Iterator[Requirement]:
    """`install_requires` of setup.py (texts in the list, wherever it is assigned) and of setup.cfg."""
    for path in project.paths(r"(^|/)setup\.(py|cfg)$"):
        if VENDORED_PATH.search(path):
            continue
        text = project.texts.get(path, "")
        if path.endswith(".cfg"):
            block = re.search(r"^install_requires\s*=[ \t]*(.*(?:\n[ \t]+.*)*)", text, re.MULTILINE)
            yield from (
                found
                for row in (block[1] if block else "").split("\n")
                for found in _requirement(row.strip(), path, None)
            )
            continue
        module = project.modules.get(path)
        for node in module.nodes if module else ():
            named = isinstance(node, ast.keyword) and node.arg == "install_requires"
            if isinstance(node, ast.Assign):
                named = any(getattr(target, "id", "").lower().strip("_") in _INSTALLED for target in node.targets)
            if named and isinstance(node, ast.keyword | ast.Assign) and isinstance(node.value, ast.List | ast.Tuple):
                for part in node.value.elts:
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield from _requirement(part.value, path, part.lineno)


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
