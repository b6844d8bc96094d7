"""Finds what is fitted before the data are split: an abstract run over the source, never over the data.

Each variable is followed as an `Origin`: which data it stems from, which fitted steps already touched it and which
side of a split it is on. A split of data that a step was fitted on, before, with all rows, is a leak. Calls of the
project's own functions are followed through a summary of each, across modules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mlestar.core.code.leakage.calls import follow_call
from mlestar.core.code.leakage.scope import FunctionNode, Scope
from mlestar.core.code.leakage.values import Findings, Summary, functions_of, module_names

if TYPE_CHECKING:
    from mlestar.core.facts.source import SourceModule

_DEEPEST_CALLS = 6
_MOST_CHARACTERS = 1_000_000
"""Source that is followed at most (ours): beyond it, modules that both split and fit come first."""
_FITS = re.compile(
    r"\.(fit|fit_transform|fit_resample|fit_sample|fit_on_texts|"
    r"partial_fit|adapt)\(|fillna\(|_scale\(|zscore\("
)
_SPLITS = re.compile(
    r"\b(train_test_split|random_split|cross_val_\w+|cross_validate|learning_curve)\(|\w(Fold|Split)\(|SearchCV\(|"
    r"validation_split|\b\w*[Tt]rain\w*(, *\w+)* = "
)
_FROM = re.compile(r"^[ \t]*from[ \t]+[\w.]+[ \t]+import[ \t]+\(?([\w \t,\n]+)", re.MULTILINE)


@dataclass(kw_only=True)
class Index:
    """The project's functions, found by import path, and the summaries made so far."""

    modules: Mapping[str, SourceModule]
    findings: Findings
    functions: dict[str, dict[str, FunctionNode]] = field(default_factory=dict)
    summaries: dict[tuple[str, str], Summary | None] = field(default_factory=dict)
    named: dict[str, str | None] = field(default_factory=dict)
    aliases: dict[str, Mapping[str, str]] = field(default_factory=dict)
    steps: set[str] = field(default_factory=set)
    lines: dict[str, list[str]] = field(default_factory=dict)
    depth: int = 0

    def has_step(self, path: str, name: str) -> bool:
        """Whether a function's own source fits or splits something."""
        text = self.source(path, name)
        return bool(_FITS.search(text) or _SPLITS.search(text))

    def is_relevant(self, path: str, name: str) -> bool:
        """Whether a function has a step, or names a function that has."""
        return self.has_step(path, name) or bool(_names(self.source(path, name)) & self.steps)

    def source(self, path: str, name: str) -> str:
        """The lines of one function."""
        node = self.of(path)[name]
        lines = self.lines.setdefault(path, self.modules[path].text.split("\n"))
        return "\n".join(lines[node.lineno - 1 : node.end_lineno])

    def of(self, path: str) -> dict[str, FunctionNode]:
        """The functions of one module."""
        if path not in self.functions:
            tree = self.modules[path].tree
            self.functions[path] = functions_of(tree) if tree else {}
        return self.functions[path]

    def module_named(self, name: str) -> str | None:
        """The project file that an import path means: by equality, then by its last parts."""
        if name not in self.named:
            last = name.rpartition(".")[2]
            ends = [path for path, full in self.by_last_part.get(last, ()) if f".{full}".endswith(f".{name}")]
            self.named[name] = min(ends, key=len) if name and ends else None
        return self.named[name]

    @cached_property
    def by_last_part(self) -> dict[str, list[tuple[str, str]]]:
        """Last part of an import path -> (path, import path) of every module that ends with it."""
        found: dict[str, list[tuple[str, str]]] = {}
        for path, module in self.modules.items():
            dotted = module.dotted
            found.setdefault(dotted.rpartition(".")[2], []).append((path, dotted))
        return found

    def names_in(self, path: str) -> Mapping[str, str]:
        """What the names of a module mean: `module:name` of an import, "" for its own functions and classes."""
        if path not in self.aliases:
            self.aliases[path] = module_names(self.modules[path].tree)
        return self.aliases[path]

    def summary(self, path: str, name: str) -> Summary | None:
        """What the function does; None while it is being worked out (recursion) or when there is none."""
        key = (path, name)
        if key not in self.summaries:
            self.summaries[key] = None
            function = self.of(path).get(name)
            if function is not None and self.depth < _DEEPEST_CALLS:
                self.depth += 1
                self.summaries[key] = Scope(self, path, function, name, follow_call).run()
                self.depth -= 1
        return self.summaries[key]


def find_leaks(modules: Mapping[str, SourceModule]) -> Findings:
    """Analyse the modules with data steps, and those that import their functions: top level, then every function."""
    index = Index(modules=modules, findings=Findings())
    for path in _chosen(index):
        tree = modules[path].tree
        try:
            if tree is not None:
                Scope(index, path, tree, "", follow_call).run()
            for name in index.of(path):
                if index.is_relevant(path, name):
                    index.summary(path, name)
        except RecursionError:  # nesting that no reader could follow either
            continue
    return index.findings


def _chosen(index: Index) -> list[str]:
    """Paths to follow: both kinds of step first, then one kind, then callers; within the limit, in path order."""
    ranked: list[tuple[int, str]] = []
    for path, module in index.modules.items():
        kinds = bool(_FITS.search(module.text)) + bool(_SPLITS.search(module.text))
        if kinds:
            ranked.append((2 - kinds, path))
    steps, left = _within(index, [path for _, path in sorted(ranked)], _MOST_CHARACTERS)
    for path in steps:
        index.steps |= {name.rpartition(".")[2] for name in index.of(path) if index.has_step(path, name)}
    followed = set(steps)
    callers = [
        path
        for path, module in index.modules.items()
        if path not in followed and any(_names(match[1]) & index.steps for match in _FROM.finditer(module.text))
    ]
    return sorted([*steps, *_within(index, callers, left)[0]])


def _within(index: Index, paths: list[str], left: int) -> tuple[list[str], int]:
    chosen: list[str] = []
    for path in paths:
        if len(index.modules[path].text) <= left:
            left -= len(index.modules[path].text)
            chosen.append(path)
    return chosen, left


def _names(imported: str) -> set[str]:
    return set(re.findall(r"\w+", imported))
