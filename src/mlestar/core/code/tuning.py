"""Hyperparameter searches in the code: method, trials, and whether the test data has a say."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.code.leakage.values import functions_of
from mlestar.core.code.library_names import last_name

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

_TEST_NAME = re.compile(r"(^|_)(test|holdout|oot)(_|$|\d)", re.IGNORECASE)
_SPACES = frozenset({"param_grid", "param_distributions", "search_spaces"})
_DEFAULT_DRAWS = 10  # scikit-learn's n_iter of RandomizedSearchCV
Functions = Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]
_WORDS = ("optimize", "SearchCV", "fmin", "best", "max_score", "min_loss", "top_")
_LIKELY = re.compile(
    r"\.optimize\(|\w+SearchCV\(|\bfmin\(|^[ \t]+if\b[^\n]*(best|max_score|min_loss|top_)", re.MULTILINE
)
_MOST_MODULES = 200
_LOOP_CHOICE = re.compile(r"best|max_score|min_loss|top_", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Search:
    """One search. `trials` is None when it is not a literal; `test_line` is where test data reaches the choice."""

    module: SourceModule
    line: int
    method: str
    trials: int | None = None
    exhaustive: bool = False
    space: bool = False
    metric: bool = False
    test_line: int | None = None


def searches(project: ProjectFacts) -> list[Search]:
    """Every search of own modules: optuna, SearchCV classes, hyperopt, loops that keep the best."""
    return project.derived("searches", _searches)


def _searches(project: ProjectFacts) -> list[Search]:
    likely = [
        module
        for module in project.own_modules.values()
        if any(word in module.text for word in _WORDS) and _LIKELY.search(module.text)
    ]
    return [
        found
        for module in likely[:_MOST_MODULES]
        if module.tree is not None
        for found in _in_module(module, module.tree)
    ]


def _in_module(module: SourceModule, tree: ast.Module) -> Iterator[Search]:
    functions = functions_of(tree)
    constants = _constants(tree)
    for node in module.nodes:
        if isinstance(node, ast.Call):
            found = _of_call(module, node, functions, constants)
            if found is not None:
                yield found
        elif isinstance(node, ast.For) and (line := _chosen_on_test(node)) is not None:
            yield Search(
                module=module, line=node.lineno, method="a loop that keeps the best", space=True, test_line=line
            )


def _of_call(module: SourceModule, node: ast.Call, functions: Functions, constants: Mapping[str, int]) -> Search | None:
    name = last_name(node.func)
    words = {word.arg: word.value for word in node.keywords if word.arg}
    if name == "optimize" and node.args and isinstance(node.func, ast.Attribute):
        return Search(
            module=module,
            line=node.lineno,
            method="optuna",
            trials=_integer(words.get("n_trials") or (node.args[1] if len(node.args) > 1 else None), constants),
            space="suggest_" in module.text,
            metric="create_study" in module.text,
            test_line=_test_line(_function(node.args[0], functions)),
        )
    if name.endswith("SearchCV"):
        is_grid = name in {"GridSearchCV", "HalvingGridSearchCV"}
        grid = words.get("param_grid") or (node.args[1] if is_grid and len(node.args) > 1 else None)
        exhaustive = is_grid and _candidates(grid, module) != 1
        trials = words.get("n_iter")
        return Search(
            module=module,
            line=node.lineno,
            method=name,
            exhaustive=exhaustive,
            trials=int(not exhaustive) or None
            if is_grid
            else _integer(trials, constants)
            if trials
            else _DEFAULT_DRAWS,
            space=len(node.args) > 1 or bool(_SPACES & set(words)),
            metric="scoring" in words,
            test_line=_fitted_on_test(module, node),
        )
    if name == "fmin" and "space" in words:
        return Search(
            module=module,
            line=node.lineno,
            method="hyperopt",
            trials=_integer(words.get("max_evals"), constants),
            space=True,
            metric=True,
            test_line=_test_line(_function(node.args[0], functions) if node.args else None),
        )
    return None


def _candidates(grid: ast.expr | None, module: SourceModule) -> int | None:
    """Combinations of a literal grid, also of one with a name; None when its values are worked out at run time."""
    if isinstance(grid, ast.Name):
        given = [
            node.value
            for node in module.nodes
            if isinstance(node, ast.Assign) and any(last_name(target) == grid.id for target in node.targets)
        ]
        grid = given[0] if len(given) == 1 else None
    if not isinstance(grid, ast.Dict):
        return None
    sizes = [len(values.elts) if isinstance(values, ast.List | ast.Tuple) else None for values in grid.values]
    return None if None in sizes else math.prod(size or 0 for size in sizes)


def _function(node: ast.expr, functions: Functions) -> ast.AST | None:
    return node if isinstance(node, ast.Lambda) else functions.get(last_name(node))


def _chosen_on_test(loop: ast.For) -> int | None:
    """A loop over settings that fits, scores on test data and keeps the best."""
    calls = [node for node in ast.walk(loop) if isinstance(node, ast.Call)]
    if not any(isinstance(call.func, ast.Attribute) and call.func.attr == "fit" for call in calls):
        return None
    keeps = any(isinstance(node, ast.If) and _LOOP_CHOICE.search(ast.unparse(node.test)) for node in ast.walk(loop))
    return _test_line(loop) if keeps else None


def _test_line(node: ast.AST | None) -> int | None:
    """The first line that uses a variable named for test data."""
    names = (
        (part for part in ast.walk(node) if isinstance(part, ast.Name) and _TEST_NAME.search(part.id)) if node else ()
    )
    return min((name.lineno for name in names), default=None)


def _fitted_on_test(module: SourceModule, search: ast.Call) -> int | None:
    names = {
        last_name(target)
        for node in module.nodes
        if isinstance(node, ast.Assign) and node.value is search
        for target in node.targets
    }
    for node in module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fit":
            direct = node.func.value is search
            if (direct or last_name(node.func.value) in names) and node.args and _test_line(node.args[0]):
                return node.lineno
    return None


def _constants(tree: ast.Module) -> dict[str, int]:
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, int)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _integer(node: ast.expr | None, constants: Mapping[str, int]) -> int | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    return constants.get(node.id) if isinstance(node, ast.Name) else None
