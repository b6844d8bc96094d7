"""Finds what is fitted before the data are split: an abstract run over the source, never over the data.

Each variable is followed as an `Origin`: which data it stems from, which fitted steps already touched it and which
side of a split it is on. A split of data that a step was fitted on, before, with all rows, is a leak. Calls of the
project's own functions are followed through a summary of each, across modules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlestar.core.leakage_calls import follow_call
from mlestar.core.leakage_scope import FunctionNode, Scope
from mlestar.core.leakage_values import Findings, Summary, functions_of, module_names

if TYPE_CHECKING:
    from mlestar.core.source_facts import SourceModule

_DEEPEST_CALLS = 6
_RELEVANT = re.compile(
    r"\.fit\w*\(|\.adapt\(|train_test_split|cross_val|random_split|\w(Fold|Split)\b|SearchCV|validation_split|[Tt]rain\w*\s*="
)


@dataclass(kw_only=True)
class Index:
    """The project's functions, found by import path, and the summaries made so far."""

    modules: Mapping[str, SourceModule]
    findings: Findings
    functions: dict[str, dict[str, FunctionNode]] = field(default_factory=dict)
    summaries: dict[tuple[str, str], Summary | None] = field(default_factory=dict)
    named: dict[str, str | None] = field(default_factory=dict)
    aliases: dict[str, Mapping[str, str]] = field(default_factory=dict)
    depth: int = 0

    def of(self, path: str) -> dict[str, FunctionNode]:
        """The functions of one module."""
        if path not in self.functions:
            tree = self.modules[path].tree
            self.functions[path] = functions_of(tree) if tree else {}
        return self.functions[path]

    def module_named(self, name: str) -> str | None:
        """The project file that an import path means: by equality, then by its last parts."""
        if name not in self.named:
            ends = [p for p, m in self.modules.items() if m.dotted == name or m.dotted.endswith("." + name)]
            self.named[name] = min(ends, key=len) if name and ends else None
        return self.named[name]

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
    """Analyse every module's top level, then whatever functions it did not call."""
    index = Index(modules=modules, findings=Findings())
    for path, module in modules.items():
        if not _RELEVANT.search(module.text):
            continue
        try:
            if module.tree is not None:
                Scope(index, path, module.tree, "", follow_call).run()
            for name in index.of(path):
                index.summary(path, name)
        except RecursionError:  # nesting that no reader could follow either
            continue
    return index.findings
