"""What a call does to the data it is given: the heart of the leak analysis."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from mlestar.core.code.leakage.forms import receiver_of
from mlestar.core.code.leakage.steps import Step, step_of
from mlestar.core.code.leakage.values import Fit, Folds, Leak, Origin, Summary, single, union
from mlestar.core.code.library_names import (
    LABEL_ENCODERS,
    SCALING_FUNCTIONS,
    SEARCHES,
    SPLIT_FUNCTIONS,
    STATELESS,
    dotted,
    last_name,
)

if TYPE_CHECKING:
    from mlestar.core.code.leakage.scope import Scope
    from mlestar.core.code.leakage.values import Value

_LABEL_NAME = re.compile(r"^(y|y_.*|.*_y|target|targets|labels?|.*_labels?|classes|outcome)$", re.IGNORECASE)
_FITTING = frozenset({"fit", "fit_transform", "fit_resample", "fit_sample", "fit_on_texts", "adapt", "partial_fit"})
_RESAMPLING = frozenset({"fit_resample", "fit_sample"})
_STATISTICS = frozenset({"mean", "median", "mode"})
_OVER_FOLDS = frozenset({"next", "iter", "list", "tuple", "enumerate"})


def follow_call(scope: Scope, node: ast.Call) -> Value:  # noqa: PLR0911 - one answer a kind of call
    """The origin of the call's result, after its effect on the scope."""
    name = last_name(node.func)
    data = scope.split_data(node)
    if data is not None:
        scope.split(data, node.lineno, name)
        if name in SPLIT_FUNCTIONS:
            return _sides(scope, node, data)
    folds = _folds(scope, node, data)
    if folds is not None:
        return folds
    if isinstance(node.func, ast.Attribute):
        if name in _FITTING and node.args:
            return _fit(scope, node, node.func)
        if name == "transform" and node.args:
            return _transform(scope, node, node.func)
    if name in SCALING_FUNCTIONS and node.args and _is_imported(scope, node.func):
        fit = Fit(path=scope.path, line=node.lineno, call=dotted(node.func), supervised=False)
        return scope.log_fit(fit, single(scope.value(node.args[0])), "")
    summary = _own_function(scope, node.func)
    if summary is not None:
        return _apply(scope, node, summary)
    found = union(single(scope.value(part)) for part in _parts(node))
    if name == "fillna" and found is not None and _fills_with_statistic(node):
        fit = Fit(path=scope.path, line=node.lineno, call="fillna with a statistic", supervised=False)
        return _filled(scope, node, fit, found)
    return found


def _filled(scope: Scope, node: ast.Call, fit: Fit, found: Origin) -> Origin | None:
    """`test.fillna(train.median())`: the step learned from what the statistic is of, not from what it fills."""
    learned = union(single(scope.value(part)) for part in node.args) or found
    filled = single(scope.value(node.func.value)) if isinstance(node.func, ast.Attribute) else None
    result = scope.log_fit(fit, learned, "")
    return filled.with_fits([fit]) if filled is not None else result


def _folds(scope: Scope, node: ast.Call, data: Origin | None) -> list[Origin | None] | None:
    """The folds that a cross-validator's `split` gives, through `list` and the like; with `next` one pair of them."""
    name = last_name(node.func)
    if name == "split" and data is not None:
        return Folds([data.on("train"), data.on("test")])
    if not isinstance(node.func, ast.Name) or name not in _OVER_FOLDS or not node.args:
        return None
    given = scope.value(node.args[0])
    if not isinstance(given, Folds):
        return None
    return list(given) if name == "next" else given


def _parts(node: ast.Call) -> list[ast.expr]:
    receiver = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    return [*receiver, *node.args, *(word.value for word in node.keywords)]


def _sides(scope: Scope, node: ast.Call, data: Origin) -> list[Origin | None]:
    """`train_test_split(X, y)` gives train and test of each array in turn."""
    sides: list[Origin | None] = []
    for part in node.args or [node]:
        origin = single(scope.value(part)) if part is not node else data
        sides += [(origin or data).on("train"), (origin or data).on("test")]
    return sides


def _fit(scope: Scope, node: ast.Call, function: ast.Attribute) -> Value:
    step = step_of(function.value, scope.steps)
    given = [single(scope.value(part)) for part in (*node.args, *(word.value for word in node.keywords))]
    data = given[0] or union(given)
    receiver = receiver_of(function)
    if not _preprocesses(function.attr, step) or _is_label(scope, node.args[0], step):
        return [data, *given[1:2]] if function.attr in _RESAMPLING else data
    supervised = function.attr in _RESAMPLING or (step is not None and step.supervised)
    label = f"{step.name}.{function.attr}" if step else f"{dotted(function.value) or 'step'}.{function.attr}"
    fit = Fit(path=scope.path, line=node.lineno, call=label, supervised=supervised)
    fitted = scope.log_fit(fit, data, receiver)
    if function.attr in _RESAMPLING:
        return [fitted, (given[1] if len(given) > 1 and given[1] else fitted or Origin()).with_fits([fit])]
    return fitted


def _preprocesses(method: str, step: Step | None) -> bool:
    """Whether this is a preprocessing fit: of a known transformer, or by a method that only those have."""
    if step is not None and (step.name in STATELESS or step.name in SEARCHES):
        return False
    if method in {"fit", "partial_fit", "adapt"}:
        return step is not None and step.transforms
    return True


def _is_label(scope: Scope, argument: ast.expr, step: Step | None) -> bool:
    """Encoding the label column learns nothing about features."""
    if step is None or step.name not in LABEL_ENCODERS:
        return False
    if isinstance(argument, ast.Call):
        inner = argument.func.value if isinstance(argument.func, ast.Attribute) else argument
        return inner is not argument and _is_label(scope, inner, step)
    if isinstance(argument, ast.Subscript):
        if isinstance(argument.slice, ast.Constant):
            return argument.slice.value in scope.targets or bool(_LABEL_NAME.match(str(argument.slice.value)))
        name = dotted(argument.slice) if isinstance(argument.slice, (ast.Name, ast.Attribute)) else ""
        return bool(_LABEL_NAME.match(name.rpartition(".")[2].lower().removesuffix("_col").removesuffix("_column")))
    return bool(_LABEL_NAME.match(dotted(argument).rpartition(".")[2]))


def _transform(scope: Scope, node: ast.Call, function: ast.Attribute) -> Value:
    data = single(scope.value(node.args[0]))
    if data is None:
        return None
    applied: list[Fit] = []
    for fit, seen in scope.fitted.get(receiver_of(function), []):
        if seen.sides or not seen.roots & data.roots:
            continue
        applied.append(fit)
        if data.sides:  # fitted on all rows, after they had been split
            scope.index.findings.add(
                Leak(fit=fit, split_path=scope.path, split_line=node.lineno, kind="transform of split rows")
            )
    return data.with_fits(applied)


def _apply(scope: Scope, node: ast.Call, summary: Summary) -> Value:
    """Carry a function's effects over from its parameters to the arguments."""
    bound: dict[str, Origin | None] = {}
    for parameter, argument in zip(summary.parameters, node.args, strict=False):
        bound[f"param:{parameter}"] = single(scope.value(argument))
    for word in node.keywords:
        if word.arg:
            bound[f"param:{word.arg}"] = single(scope.value(word.value))

    for data, line, kind in summary.splits:
        if any(root in bound for root in data.roots):
            given = union(bound.get(root) for root in sorted(data.roots))
            if given is not None:
                scope.split(given, node.lineno, f"{last_name(node.func)} ({kind} at its line {line})")
    for fit, data in summary.fits:
        given = _carried(scope, node, bound, data)
        if given is not None and any(root in bound for root in data.roots):
            scope.summary.fits.append((fit, given))
            scope.fitted.setdefault(f"@{node.lineno}", []).append((fit, given))
    returned = [_carried(scope, node, bound, origin) for origin in summary.returns]
    return returned if summary.returns_tuple else (returned[0] if returned else None)


def _carried(scope: Scope, node: ast.Call, bound: dict[str, Origin | None], origin: Origin | None) -> Origin | None:
    """An origin inside the function as one of the caller's."""
    if origin is None:
        return None
    given = union(bound.get(root) for root in sorted(origin.roots))
    if given is None:
        return Origin(roots=frozenset({f"{scope.path}:{node.lineno}:call"}), fits=origin.fits, sides=origin.sides)
    return Origin(roots=given.roots, fits=given.fits | origin.fits, sides=origin.sides or given.sides)


def _own_function(scope: Scope, function: ast.expr) -> Summary | None:
    """The summary of a function of this project that a call means."""
    name = dotted(function)
    if name.startswith("self.") and scope.owner:
        return scope.index.summary(scope.path, f"{scope.owner}.{name.removeprefix('self.')}")
    head, _, rest = name.partition(".")
    step = scope.steps.get(head)
    imported = scope.aliases.get(step.name if step and rest else head)
    if imported is None:
        return None
    wanted = f"{step.name}.{rest}" if step and rest else ""
    if not imported:
        return scope.index.summary(scope.path, wanted or name)
    module, _, member = imported.partition(":")
    path = scope.index.module_named(module.lstrip(".")) if member else scope.index.module_named(imported)
    if path is None and member:
        path = scope.index.module_named(member) if not module else scope.index.module_named(f"{module}.{member}")
        wanted = wanted or rest
    return scope.index.summary(path, wanted or (member if member and not rest else rest)) if path else None


def _is_imported(scope: Scope, function: ast.expr) -> bool:
    imported = scope.aliases.get(dotted(function).partition(".")[0], "")
    return imported.startswith(("sklearn", "scipy"))


def _fills_with_statistic(node: ast.Call) -> bool:
    return any(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in _STATISTICS
        for argument in node.args[:1]
        for part in ast.walk(argument)
    )
