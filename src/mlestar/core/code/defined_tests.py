"""How many test cases the source defines."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.code.library_names import last_name

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

_TEST = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+test\w*\(", re.MULTILINE)
TESTS_ELSEWHERE = (
    r"(^|/)(tests?|spec)/([^/]+/)*[^/]*test[^/]*\.(r|jl|scala|java|kt|go|rs|cc|cpp)$|\.(test|spec)\.[jt]sx?$"
)
"""Tests that are not Python's: they are there, and are not counted."""


@dataclass(frozen=True, kw_only=True)
class TestCount:
    """`least` cases are certain; `most` is None when parameters are worked out at run time."""

    __test__ = False

    least: int
    most: int | None


def count_tests(project: ProjectFacts) -> TestCount:
    """Count test functions and methods, literal parameter lists multiplied in."""
    total = 0
    certain = True
    for path, module in project.test_modules.items():
        if path.endswith("conftest.py"):  # fixtures are called by tests
            continue
        if "parametrize" not in module.text:
            total += len(_TEST.findall(module.text))
            certain &= "pytest_generate_tests" not in module.text and "params=" not in module.text
            continue
        for node in module.nodes:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or not node.name.startswith("test"):
                continue
            cases = 1
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and last_name(decorator.func) == "parametrize":
                    values = decorator.args[1] if len(decorator.args) > 1 else None
                    if isinstance(values, (ast.List, ast.Tuple, ast.Set)):
                        cases *= len(values.elts)
                    else:
                        certain = False
            total += cases
        certain &= "pytest_generate_tests" not in module.text and "params=" not in module.text
    return TestCount(least=total, most=total if certain else None)
