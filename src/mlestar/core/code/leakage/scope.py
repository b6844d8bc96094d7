"""The abstract run over one scope: statements in order, each variable's origin followed."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mlestar.core.code.leakage.forms import (
    SIDE_KEYS,
    is_group_statistic,
    names_a_splitter,
    names_test_rows,
    receiver_of,
    side_by_name,
    takes_rows,
)
from mlestar.core.code.leakage.steps import Step, step_of, target_columns
from mlestar.core.code.leakage.values import Fit, Folds, Leak, Origin, Summary, Value, single, union
from mlestar.core.code.library_names import (
    CV_FUNCTIONS,
    SEARCHES,
    SPLIT_FUNCTIONS,
    dotted,
    last_name,
)

if TYPE_CHECKING:
    from mlestar.core.code.leakage.project import Project

_BUILT_IN = frozenset(dir(builtins))
_STATISTICS = frozenset({"mean", "median", "min", "max", "std", "mode", "quantile"})

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
FollowCall = Callable[["Scope", ast.Call], Value]


class Scope:
    """One function body or module top level."""

    def __init__(
        self, index: Project, path: str, node: ast.Module | FunctionNode, name: str, follow: FollowCall
    ) -> None:
        """Bind the parameters to origins of their own."""
        self.index = index
        self.follow = follow
        self.path = path
        self.node = node
        self.owner = name.rpartition(".")[0]
        self.env: dict[str, Origin | None] = {}
        self.tuples: dict[str, list[Origin | None]] = {}
        self.steps: dict[str, Step | None] = {}
        self.fitted: dict[str, list[tuple[Fit, Origin]]] = {}
        self.aliases = index.names_in(path)
        self.holds_out = False
        self.summary = Summary()
        if not isinstance(node, ast.Module):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            names = [argument.arg for argument in arguments]
            self.summary.parameters = tuple(names[1:] if names[:1] in (["self"], ["cls"]) else names)
            for parameter in self.summary.parameters:
                self.env[parameter] = Origin(roots=frozenset({f"param:{parameter}"})).on(side_by_name(parameter))

    @cached_property
    def targets(self) -> frozenset[object]:
        """Column names that this scope takes for the target."""
        return target_columns(self.node.body)

    def run(self) -> Summary:
        """Go through the body in order."""
        self.block(self.node.body)
        return self.summary

    def block(self, statements: Sequence[ast.stmt]) -> None:
        """Branches and loop bodies are run once, one after the other."""
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 - one branch a kind of statement
        """Follow one statement."""
        if isinstance(node, ast.Assign):
            self.holds_out = any(map(names_test_rows, node.targets))
            value = self.value(node.value)
            self.holds_out = False
            for target in node.targets:
                self.assign(target, value, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, self.value(node.value), node.value)
        elif isinstance(node, ast.AugAssign):
            self.assign(
                node.target, union([single(self.value(node.target)), single(self.value(node.value))]), node.value
            )
        elif isinstance(node, ast.Return) and node.value is not None:
            self.returned(self.value(node.value))
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self.loop(node)
            self.block(node.orelse)
        elif isinstance(node, (ast.If, ast.While)):
            self.value(node.test)
            self.block(node.body)
            self.block(node.orelse)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                value = self.value(item.context_expr)
                if item.optional_vars is not None:
                    self.assign(item.optional_vars, value, item.context_expr)
            self.block(node.body)
        elif isinstance(node, ast.Try):
            self.block(node.body)
            for handler in node.handlers:
                self.block(handler.body)
            self.block([*node.orelse, *node.finalbody])
        elif isinstance(node, ast.Expr):
            self.value(node.value)

    def returned(self, value: Value) -> None:
        """Join this return with the function's others."""
        parts = value if isinstance(value, list) else [value]
        known = self.summary.returns
        if known and len(known) == len(parts):
            self.summary.returns = [union(pair) for pair in zip(known, parts, strict=True)]
        else:
            self.summary.returns = parts if not known else [union([*known, *parts])]
        self.summary.returns_tuple = isinstance(value, list)

    def loop(self, node: ast.For | ast.AsyncFor) -> None:
        """`for train, test in folds.split(X)` names the sides; any other loop variable stems from its iterable."""
        value = self.value(node.iter)
        names = [part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)]
        folds = [self.split_data(call) for call in ast.walk(node.iter) if isinstance(call, ast.Call)]
        data = next((found for found in folds if found is not None), None)
        for position, name in enumerate(reversed(names)):
            if data is not None and position < 2:  # noqa: PLR2004 - a fold is a pair
                self.env[name] = data.on("test" if position == 0 else "train")
            elif isinstance(value, Folds) and position < len(value):
                self.env[name] = value[-1 - position]
            else:
                self.env[name] = single(value)
        self.block(node.body)

    def assign(self, target: ast.expr, value: Value, source: ast.expr) -> None:
        """Bind a name, an attribute, a tuple or a column."""
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = value if isinstance(value, list) and len(value) == len(target.elts) else None
            if isinstance(value, Folds) and parts is None:  # a splitter of the project's own, with more than two sides
                whole = union(part and part.on("") for part in value)
                parts = [whole and whole.on(side_by_name(dotted(part))) for part in target.elts]
            for position, part in enumerate(target.elts):
                inner = (
                    source.elts[position] if isinstance(source, ast.Tuple) and position < len(source.elts) else source
                )
                self.assign(part, parts[position] if parts else single(value), inner)
            return
        if isinstance(target, ast.Starred):
            self.assign(target.value, value, source)
            return
        if isinstance(target, ast.Subscript):
            self.assign_column(target, single(value), source)
            return
        name = dotted(target)
        step = step_of(source, self.steps) if isinstance(source, (ast.Call, ast.Name)) else None
        self.steps[name] = step
        self.fitted.pop(name, None)
        self.copy_fits(name, source)
        origin = single(value)
        if isinstance(value, list):
            self.tuples[name] = value
        if origin is None and isinstance(source, ast.Call) and step is None:
            origin = Origin(roots=frozenset({f"{self.path}:{source.lineno}:{name}"}))
        if origin is not None and not origin.sides and takes_rows(source) and side_by_name(name):
            self.split(origin, source.lineno, "row selection")
            origin = origin.on(side_by_name(name))
        self.env[name] = origin

    def copy_fits(self, name: str, source: ast.expr) -> None:
        """`scaler = StandardScaler().fit(X)` binds a fitted step."""
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute) and source.func.attr == "fit":
            self.fitted[name] = self.fitted.get(receiver_of(source.func), [])
            self.steps[name] = step_of(source.func.value, self.steps)

    def assign_column(self, target: ast.Subscript, value: Origin | None, source: ast.expr) -> None:
        """A column written into a frame brings its fitted steps along."""
        base = dotted(
            target.value.value
            if isinstance(target.value, ast.Attribute) and target.value.attr in {"loc", "iloc", "at"}
            else target.value
        )
        known = self.env.get(base)
        if self.encodes_target(source):
            fit = Fit(path=self.path, line=source.lineno, call="mean of the target by group", supervised=True)
            value = self.log_fit(fit, known or value, "")
        if value is not None:
            self.env[base] = (known or Origin(roots=value.roots)).with_fits(value.fits)

    def encodes_target(self, source: ast.expr) -> bool:
        """A group-wise statistic of the target, written into a feature."""
        return is_group_statistic(source) and any(
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and node.slice.value in self.targets
            for node in ast.walk(source)
        )

    def value(self, node: ast.expr) -> Value:  # noqa: C901, PLR0911 - one branch a kind of expression
        """The origin of an expression; calls have their effect on the way."""
        if isinstance(node, ast.Name):
            if node.id in self.tuples:
                return self.tuples[node.id]
            if node.id not in self.env and node.id not in self.aliases and node.id not in _BUILT_IN:
                self.env[node.id] = Origin(roots=frozenset({f"{self.path}:global:{node.id}"})).on(side_by_name(node.id))
            return self.env.get(node.id)
        if isinstance(node, ast.Attribute):
            name = dotted(node)
            if name in self.env:
                return self.env[name]
            if name.startswith("self."):
                self.env[name] = Origin(roots=frozenset({f"{self.path}:{self.owner}:{name}"})).on(side_by_name(name))
                return self.env[name] if name.count(".") == 1 else self.value(node.value)
            return self.value(node.value)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Subscript):
            return self.subscript(node)
        if isinstance(node, ast.Tuple):
            return [single(self.value(part)) for part in node.elts]
        if isinstance(node, (ast.Lambda, ast.Constant)):
            return None
        found = union(single(self.value(child)) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and found and self.centres(node):
            return self.log_fit(
                Fit(path=self.path, line=node.lineno, call="scaling by hand", supervised=False), found, ""
            )
        return found

    def centres(self, node: ast.BinOp) -> bool:
        """`X - X.mean()`: a statistic of all rows taken off each."""
        left = dotted(node.left) or dotted(getattr(node.left, "value", node.left))
        return any(
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr in _STATISTICS
            and left
            and (dotted(part.func.value) or dotted(getattr(part.func.value, "value", part.func.value))) == left
            for part in ast.walk(node.right)
        )

    def subscript(self, node: ast.Subscript) -> Value:
        """Columns keep the side; rows picked by an index or mask of one side are on it, and so is `data["test"]`."""
        base, picked = self.value(node.value), single(self.value(node.slice))
        if isinstance(base, Folds):
            return list(base)
        if isinstance(base, list):
            position = node.slice.value if isinstance(node.slice, ast.Constant) else None
            return base[position] if isinstance(position, int) and -len(base) <= position < len(base) else single(base)
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if base is not None and isinstance(key, str) and key in SIDE_KEYS:
            if not base.sides:
                self.split(base, node.lineno, "row selection")
            return base.on(SIDE_KEYS[key])
        if base is not None and picked is not None and picked.sides and not base.sides:
            return Origin(roots=base.roots, fits=base.fits, sides=picked.sides)
        return base

    def call(self, node: ast.Call) -> Value:
        """Splits, fits, transforms, the project's own functions; anything else passes its arguments on."""
        return self.follow(self, node)

    def split_data(self, node: ast.Call) -> Origin | None:
        """The data that a call splits, or None when it is no split."""
        name = last_name(node.func)
        if name in SPLIT_FUNCTIONS:
            return union(single(self.value(part)) for part in node.args)
        if name in CV_FUNCTIONS:
            given = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "X")]
            return union(single(self.value(part)) for part in given)
        if not isinstance(node.func, ast.Attribute):
            return None
        step = step_of(node.func.value, self.steps)
        if name == "split" and node.args and (names_a_splitter(receiver_of(node.func)) or (step and step.splitter)):
            return single(self.value(node.args[0]))
        held_out = any(word.arg == "validation_split" for word in node.keywords)
        if name == "fit" and node.args and (held_out or (step and step.name in SEARCHES)):
            return single(self.value(node.args[0]))
        return None

    def split(self, data: Origin, line: int, kind: str) -> None:
        """Every fit that saw all of these rows before now is a leak."""
        self.index.findings.splits.add((self.path, line))
        self.summary.splits.append((data, line, kind))
        seen = [(fit, data) for fit in data.fits]
        seen += [pair for pairs in self.fitted.values() for pair in pairs if pair[1].roots & data.roots]
        for fit, origin in seen:
            inner = "train" in data.sides and not self.holds_out
            if inner and not fit.supervised:
                continue  # the held-out rows stay unseen; a validation fold differs a little
            if origin.sides <= data.sides or not origin.sides:
                self.index.findings.add(Leak(fit=fit, split_path=self.path, split_line=line, kind=kind, inner=inner))

    def log_fit(self, fit: Fit, data: Origin | None, receiver: str) -> Origin | None:
        """Remember a fit on these data; the result carries it unless only training rows were seen."""
        self.index.findings.fits.add(fit)
        if data is None:
            return None
        self.summary.fits.append((fit, data))
        if "test" in data.sides:
            self.index.findings.add(
                Leak(fit=fit, split_path=self.path, split_line=fit.line, kind="fit on held-out rows", inner=False)
            )
        self.fitted.setdefault(receiver or f"@{fit.line}", []).append((fit, data))
        return data.with_fits([fit])
