"""Python source as text and syntax tree, of a module or of a notebook's code cells."""

from __future__ import annotations

import ast
import gc
import re
import warnings
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mlestar.core.code.imports import called_names, import_targets, imported_names, imports

_NEVER = re.compile(r"\b(if|while)\s+\(?(False|0|None)\b")


def parsed(text: str) -> ast.Module | None:
    """The syntax tree, or None when this is not Python that the parser accepts. What can never run is not in it.

    A tree is thousands of objects without a cycle among them; looking for cycles while it grows takes four times as
    long as growing it, so the collector rests meanwhile.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a foreign file's invalid escapes are not our warnings
            tree = ast.parse(text)
            return _without_never_run(tree) if _NEVER.search(text) else tree
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    finally:
        if collecting:
            gc.enable()


def _without_never_run(tree: ast.Module) -> ast.Module:
    """The tree with `if False:` and the like replaced by their other branch."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block:
                kept = [part for one in block for part in _runnable(one)]
                setattr(node, field, kept or [ast.copy_location(ast.Pass(), block[0])])
    return tree


def _runnable(node: ast.stmt) -> list[ast.stmt]:
    if isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant) and not node.test.value:
        return [part for one in node.orelse for part in _runnable(one)]
    return [node]


@dataclass(frozen=True, kw_only=True)
class SourceModule:
    """One `.py` file, or the code cells of one notebook joined in order.

    Attributes:
        path: Relative to the project, with forward slashes.
        text: The source; in a notebook, line magics are commented out so that line numbers stay.
        sha256: Of the file's bytes.
        cell_starts: (n_cells,) first line of each code cell in `text`, ascending; empty for a module.
    """

    path: str
    text: str
    sha256: str = ""
    cell_starts: tuple[int, ...] = ()

    @property
    def is_notebook(self) -> bool:
        """Whether the code came out of a notebook."""
        return self.path.endswith(".ipynb")

    @cached_property
    def dotted(self) -> str:
        """Import path from the project's root: `src/a/b.py` is `src.a.b`, a package's `__init__` is the package."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree, parsed on first use; None when this is not Python that the parser accepts."""
        return parsed(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree, parents first: a dozen checks look through them, so the tree is walked once."""
        return tuple(ast.walk(self.tree)) if self.tree else ()

    @cached_property
    def does_nothing(self) -> bool:
        """Whether running it as a script would only define functions and classes: nothing is called at its top."""
        if self.tree is None or self.is_notebook:
            return False
        defines = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        top = [node for node in self.tree.body if not isinstance(node, defines)]
        return len(top) < len(self.tree.body) and not any(
            isinstance(part, ast.Call) for node in top for part in ast.walk(node)
        )

    @cached_property
    def imports(self) -> Mapping[str, str]:
        """Local name -> full dotted name of what it was imported from."""
        return imports(self.nodes)

    @cached_property
    def imported(self) -> frozenset[str]:
        """Top-level names of the absolute imports."""
        return imported_names(self.text)

    @cached_property
    def import_targets(self) -> frozenset[str]:
        """Full dotted names of what is imported, read line by line: for these alone nothing is parsed."""
        return import_targets(self.text)

    @cached_property
    def calls(self) -> tuple[tuple[str, int], ...]:
        """(full name, line) of each call of something imported."""
        return called_names(self.nodes)

    def place(self, line: int) -> tuple[int, str]:
        """A line of `text` as (line in its cell, "cell k"); (line, "") in a module."""
        if not self.cell_starts:
            return line, ""
        index = max(0, bisect_right(self.cell_starts, line) - 1)
        return line - self.cell_starts[index] + 1, f"cell {index + 1}"
