"""Tests that train a little, and whether a test run collects them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlestar.core.project.declared_pipelines import training_modules

if TYPE_CHECKING:
    from mlestar.core.evidence import Where
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule
    from mlestar.core.project.commands import Command

_STARTS_TRAINING = re.compile(r"train|fit|run|main|pipeline|build", re.IGNORECASE)
_TARGET = re.compile(r"(?=.*(/|\.py)|tests?$)\w[\w./:\[\]-]*$|\./")
_REPLACES = re.compile(r"monkeypatch\.setattr|\bpatch(\.object)?\(|\b(Magic|Async)?Mock\(")


def smoke_training(project: ProjectFacts, runs: Iterable[Command]) -> Where | None:
    """A test that one of the test runs collects and that calls a function of a training module, nothing replaced."""
    names = {module.dotted for module in training_modules(project) if not module.is_notebook}
    stems = {name.rpartition(".")[2] for name in names}
    known = list(runs)
    for path, module in project.test_modules.items():
        if not any(_collects(run, path) for run in known) or not any(stem in module.text for stem in stems):
            continue
        for full, line in module.calls:
            owner, _, function = full.lstrip(".").rpartition(".")
            of_training = owner and any(dotted == owner or dotted.endswith("." + owner) for dotted in names)
            if of_training and _STARTS_TRAINING.search(function) and not _is_replaced(module, line):
                return project.where(path, line)
    return None


def _collects(run: Command, path: str) -> bool:
    """Whether a test run that names folders or files names this one; without such names it takes everything."""
    named = [word.removeprefix("./").rstrip("/").partition("::")[0] for word in run.words[1:] if _TARGET.match(word)]
    return not named or any(f"/{path}/".find(f"/{name}/") >= 0 for name in named)


def _is_replaced(module: SourceModule, line: int) -> bool:
    """Whether the test around the line puts something else in the place of what is called."""
    return any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.lineno <= line <= (node.end_lineno or line)
        and _REPLACES.search(ast.unparse(node))
        for node in module.nodes
    )
