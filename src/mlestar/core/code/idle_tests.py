"""Tests that cannot fail: always skipped, or without a call and without a comparison of anything that varies."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from mlestar.core.code.library_names import last_name

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

_TEST = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+test", re.MULTILINE)
_SURELY_TESTS = re.compile(
    r"\bassert\s*\(?\s*(?!\(|True\b|False\b|None\b|not\b|[\d\"'])\w|\braises\(|\bassert[A-Z_]\w*\(|\bself\.assert"
)
_SKIP = re.compile(r"\bskip(?!if\b)", re.IGNORECASE)
_SAYS_NOTHING = frozenset({"print", "skip", "xfail", "exit"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def only_idle_tests(module: SourceModule) -> bool:
    """Whether a module defines tests, and every one of them is idle. Without a syntax tree nothing is idle."""
    if not _TEST.search(module.text) or (_SURELY_TESTS.search(module.text) and not _SKIP.search(module.text)):
        return False
    if module.tree is None:
        return False
    all_skipped = any(_marks_skip(node) for node in module.tree.body)
    found = list(_tests(module.tree, skipped=all_skipped))
    return bool(found) and all(skipped or _is_idle(function) for function, skipped in found)


def idle_suite(project: ProjectFacts) -> SourceModule | None:
    """The first test module, when no test of the project can fail; None when one can, or there are none."""
    modules = [
        module
        for path, module in project.test_modules.items()
        if _TEST.search(module.text) and not path.endswith("conftest.py")  # which holds fixtures, not tests
    ]
    return modules[0] if modules and all(only_idle_tests(module) for module in modules) else None


def _tests(
    tree: ast.Module | ast.ClassDef, *, skipped: bool
) -> list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    found: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool]] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found += _tests(node, skipped=skipped or any(map(_is_skip, node.decorator_list)))
        elif isinstance(node, _FUNCTIONS) and node.name.startswith("test"):
            found.append((node, skipped or any(map(_is_skip, node.decorator_list))))
    return found


def _marks_skip(node: ast.stmt) -> bool:
    """`pytestmark = pytest.mark.skip`, or a call of `pytest.skip` for the whole module."""
    if isinstance(node, ast.Assign):
        return any(getattr(target, "id", "") == "pytestmark" for target in node.targets) and _is_skip(node.value)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and last_name(node.value.func) == "skip"


def _is_skip(decorator: ast.expr) -> bool:
    if isinstance(decorator, ast.List | ast.Tuple):
        return any(map(_is_skip, decorator.elts))
    return last_name(decorator.func if isinstance(decorator, ast.Call) else decorator) == "skip"


def _is_idle(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    first = next((node for node in function.body if not _is_text(node)), None)
    if first is not None and _marks_skip(first):
        return True
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and last_name(node.func) not in _SAYS_NOTHING:
                return False
            if isinstance(node, ast.Assert) and any(isinstance(part, ast.Name) for part in ast.walk(node.test)):
                return False
    return True


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
