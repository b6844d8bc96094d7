"""Workflows written in Python: what their code says about retries, overlap and time limits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.code.library_names import dotted

if TYPE_CHECKING:
    from mlestar.core.facts.source import SourceModule

SCHEDULERS = frozenset({"airflow", "prefect", "dagster", "kfp", "flytekit", "metaflow", "luigi"})
_DECLARES = re.compile(r"(^|\.)(DAG|dag|flow|pipeline|job|asset|workflow|FlowSpec|Task|component|schedule)$")
_SETTINGS = {
    "retries": re.compile(r"^(retries|retry_policy|retry_limit|retry_count|num_retries|op_retry_policy)$"),
    "exclusive": re.compile(
        r"^(max_active_runs|max_active_tis_per_dag|max_concurrency|concurrency_limit|depends_on_past)$"
    ),
    "bounded": re.compile(
        r"^(execution_timeout|dagrun_timeout|timeout_seconds|timeout|worker_timeout|dagster/max_runtime)$"
    ),
}
_OF_DEFAULTS = re.compile(r"arg|default", re.IGNORECASE)
_METHODS = {"set_retry": "retries", "set_timeout": "bounded"}
_DECORATORS = {"retry": "retries", "timeout": "bounded"}


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """Which library a module declares a workflow with, and the first line that does."""

    name: str
    line: int


def declares_workflow(module: SourceModule) -> Workflow | None:
    """The workflow that a module declares; None when it only imports such a library, or none."""
    libraries = module.imported & SCHEDULERS
    if not libraries or module.tree is None:
        return None
    declared = [
        (getattr(node, "lineno", 1), full.partition(".")[0])
        for node in module.nodes
        for full in _origins(node, module)
        if full.partition(".")[0] in libraries and _DECLARES.search(full)
    ]
    return Workflow(name=min(declared)[1], line=min(declared)[0]) if declared else None


def workflow_settings(module: SourceModule, near: Iterable[SourceModule]) -> dict[str, bool]:
    """Which of retries, exclusive and bounded the workflow's own calls set, or the defaults that it imports."""
    imported = (other.tree for other in near if other.path != module.path and other.tree is not None)
    said = [*_settings_of(module), *(setting for tree in imported for setting in _defaults(tree))]
    return {name: any(_is_on(name, value) for key, value in said if key == name) for name in _SETTINGS}


def _origins(node: ast.AST, module: SourceModule) -> Iterator[str]:
    """Full names of what a call, a decorator or a base class refers to."""
    if isinstance(node, ast.Call):
        yield _full(node.func, module)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from (_full(decorator, module) for decorator in node.decorator_list)
    elif isinstance(node, ast.ClassDef):
        yield from (_full(base, module) for base in node.bases)


def _full(expression: ast.expr, module: SourceModule) -> str:
    head, _, tail = dotted(expression).partition(".")
    known = module.imports.get(head, "")
    return f"{known}.{tail}" if known and tail else known


def _settings_of(module: SourceModule) -> Iterator[tuple[str, ast.expr]]:
    for node in module.nodes:
        if isinstance(node, ast.Call):
            full = _full(node.func, module)
            if full.partition(".")[0] in SCHEDULERS or _last(node.func) in {
                "with_options",
                "options",
                "serve",
                "deploy",
            }:
                yield from _named((keyword.arg or "", keyword.value) for keyword in node.keywords)
            if _last(node.func) in _METHODS:
                yield _METHODS[_last(node.func)], node.func
            elif full.partition(".")[0] in SCHEDULERS and _last(node.func) in _DECORATORS:
                yield _DECORATORS[_last(node.func)], node.func
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from (
                (_DECORATORS[_last(decorator)], decorator)
                for decorator in node.decorator_list
                if _last(decorator) in _DECORATORS and _full(decorator, module).partition(".")[0] in SCHEDULERS
            )
            if isinstance(node, ast.ClassDef):
                yield from _named(_class_values(node))
    if module.tree is not None:
        yield from _defaults(module.tree)


def _class_values(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for part in node.body:
        if isinstance(part, ast.Assign):
            yield from ((target.id, part.value) for target in part.targets if isinstance(target, ast.Name))


def _defaults(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Settings in objects named as arguments or defaults (`default_args`), or handed on as such or as tags."""
    for node in ast.walk(tree):
        given: ast.expr | None = None
        if isinstance(node, ast.Assign):
            named = any(_OF_DEFAULTS.search(getattr(target, "id", "")) for target in node.targets)
            given = node.value if named else None
        elif isinstance(node, ast.keyword):
            given = node.value if node.arg in {"default_args", "tags", "op_tags"} else None
        if isinstance(given, ast.Dict):
            keys = [str(key.value) if isinstance(key, ast.Constant) else "" for key in given.keys]
            yield from _named(zip(keys, given.values, strict=True))
        elif isinstance(given, ast.Call) and _last(given.func) == "dict":
            yield from _named((keyword.arg or "", keyword.value) for keyword in given.keywords)


def _named(pairs: Iterable[tuple[str, ast.expr]]) -> Iterator[tuple[str, ast.expr]]:
    for key, value in pairs:
        yield from ((name, value) for name, pattern in _SETTINGS.items() if pattern.match(key))


def _is_on(name: str, value: ast.expr) -> bool:
    """Whether the value switches the setting on; one that is only known at run time counts."""
    if not isinstance(value, ast.Constant):
        return True
    given = value.value
    return given is True or given == 1 if name == "exclusive" else bool(given)


def _last(expression: ast.expr) -> str:
    if isinstance(expression, ast.Call):
        return _last(expression.func)
    return expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")
