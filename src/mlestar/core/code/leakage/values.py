"""The values of the leak analysis: where data come from, what was fitted on them, what leaked."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One fitted step: where, which call, and whether it learned from the target or resampled rows."""

    path: str
    line: int
    call: str
    supervised: bool


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a value comes from. `sides` is a subset of {train, test}; empty = all rows."""

    roots: frozenset[str] = frozenset()
    fits: frozenset[Fit] = frozenset()
    sides: frozenset[str] = frozenset()

    def with_fits(self, fits: Iterable[Fit]) -> Origin:
        """The same data after further fitted steps."""
        return Origin(roots=self.roots, fits=self.fits | frozenset(fits), sides=self.sides)

    def on(self, side: str) -> Origin:
        """One side of a split of it."""
        return Origin(roots=self.roots, fits=self.fits, sides=frozenset({side}) if side else frozenset())


def union(origins: Iterable[Origin | None]) -> Origin | None:
    """Everything that a value made of several stems from; sides only if each part is on one."""
    known = [origin for origin in origins if origin is not None and origin.roots]
    if not known:
        return None
    sides = (
        frozenset[str]() if any(not origin.sides for origin in known) else frozenset().union(*(o.sides for o in known))
    )
    return Origin(
        roots=frozenset().union(*(origin.roots for origin in known)),
        fits=frozenset().union(*(origin.fits for origin in known)),
        sides=sides,
    )


class Folds(list[Origin | None]):
    """What a cross-validator's `split` gives: pairs of (train, test), each fold one; the list holds such a pair."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A fit that saw rows which a later split holds out. `inner`: only a validation split inside the training rows."""

    fit: Fit
    split_path: str
    split_line: int
    kind: str
    inner: bool = False


@dataclass(kw_only=True)
class Summary:
    """What calling a function does to its arguments, by the roots `param:<name>`."""

    parameters: tuple[str, ...] = ()
    returns: list[Origin | None] = field(default_factory=list)
    returns_tuple: bool = False
    fits: list[tuple[Fit, Origin]] = field(default_factory=list)
    splits: list[tuple[Origin, int, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class Findings:
    """What one analysis saw."""

    leaks: dict[tuple[str, int, bool], Leak] = field(default_factory=dict)
    fits: set[Fit] = field(default_factory=set)
    splits: set[tuple[str, int]] = field(default_factory=set)

    def add(self, leak: Leak) -> None:
        """Keep the first leak of each fit."""
        self.leaks.setdefault((leak.fit.path, leak.fit.line, leak.inner), leak)


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement at any depth, without descending into expressions: those are most of a tree."""
    pending = [*body]
    while pending:
        node = pending.pop()
        yield node
        for part in ("body", "orelse", "finalbody"):
            pending += getattr(node, part, ())
        for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            pending += handler.body


def functions_of(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module: `name`, methods as `Class.name`, nested ones under their own name."""
    found: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    for node in statements(tree.body):
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    found.setdefault(f"{node.name}.{method.name}", method)
    methods = set(map(id, found.values()))
    for node in statements(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and id(node) not in methods:
            found.setdefault(node.name, node)
    return found


def module_names(tree: ast.Module | None) -> dict[str, str]:
    """Name in the module -> what it imports: a module's path, or `module:name`; "" for its own definitions."""
    found: dict[str, str] = {}
    for node in statements(tree.body) if tree else ():
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module or ''}:{alias.name}"
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.setdefault(node.name, "")
    return found


Value = Origin | list[Origin | None] | None
"""What an expression is: one origin, or one an element of a tuple or list."""


def single(value: Value) -> Origin | None:
    """The origin of the whole."""
    return union(value) if isinstance(value, list) else value
