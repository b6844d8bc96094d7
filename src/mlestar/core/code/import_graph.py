"""Which of the project's own modules import which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlestar.core.code.idle_tests import only_idle_tests

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule


def reachable(project: ProjectFacts, start: SourceModule) -> set[str]:
    """Paths of own modules that the module imports, directly or through others; itself included."""
    found = {start.path}
    pending = [start]
    while pending:
        for path in imported_modules(project, pending.pop()):
            if path not in found:
                found.add(path)
                pending.append(project.modules[path])
    return found


def tested_modules(project: ProjectFacts) -> set[str]:
    """Paths of own modules that tests import, directly or through one other module; tests that cannot fail aside."""
    tests = [module for module in project.test_modules.values() if not only_idle_tests(module)]
    direct = {path for module in tests for path in imported_modules(project, module)}
    return direct | {path for first in direct for path in imported_modules(project, project.modules[first])}


def imported_modules(project: ProjectFacts, module: SourceModule) -> frozenset[str]:
    """Paths of own modules that the module imports itself; worked out once for each."""
    known = project.derived("imported modules", _no_module_yet)
    if module.path not in known:
        known[module.path] = frozenset(_targets(module, project.derived("modules by name", _by_name)))
    return known[module.path]


def _no_module_yet(_project: ProjectFacts) -> dict[str, frozenset[str]]:
    return {}


def _by_name(project: ProjectFacts) -> dict[str, str]:
    """Import path -> file; `src.` and other leading folders may be left out, the shortest file wins."""
    index: dict[str, str] = {}
    for path in sorted(project.own_modules, key=lambda path: (path.count("/"), path)):
        parts = project.own_modules[path].dotted.split(".")
        for start in range(len(parts)):
            index.setdefault(".".join(parts[start:]), path)
    return index


def _targets(module: SourceModule, index: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    package = module.dotted.split(".") if module.path.endswith("__init__.py") else module.dotted.split(".")[:-1]
    for target in module.import_targets:
        dots = len(target) - len(target.lstrip("."))
        name = target.lstrip(".")
        if dots:
            base = package[: len(package) - (dots - 1)] if dots > 1 else package
            name = ".".join([*base, name]) if name else ".".join(base)
        for candidate in (name, name.rpartition(".")[0]):
            if candidate in index and index[candidate] != module.path:
                found.add(index[candidate])
                break
    return found
