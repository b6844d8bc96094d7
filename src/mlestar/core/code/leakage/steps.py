"""Which step an expression builds: a scaler, a selector, a pipeline of them, an estimator, a splitter."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlestar.core.code.leakage.values import statements
from mlestar.core.code.library_names import COMPOSERS, STATELESS, SUPERVISED, TARGET_FREE, last_name

_SPLITTER_CLASS = re.compile(
    r"(KFold|ShuffleSplit|TimeSeriesSplit|LeaveOneOut|LeavePOut|LeaveOneGroupOut|PredefinedSplit)$"
)
_TARGET_NAME = re.compile(r"^(y|y_.*|target|targets|labels?|outcome)$", re.IGNORECASE)
_CLASS_NAME = re.compile(r"^[A-Z]\w*[a-z]\w*$|^(PCA|NMF|RFE|RFECV|SMOTE|ADASYN|SMOTEENN|SMOTENC|SMOTEN|SVMSMOTE|UMAP)$")


@dataclass(frozen=True, kw_only=True)
class Step:
    """A built object. `transforms`: it is a preprocessing step and no estimator stands at its end."""

    name: str
    transforms: bool = False
    supervised: bool = False
    splitter: bool = False


def step_of(node: ast.expr, known: Mapping[str, Step | None]) -> Step | None:  # noqa: PLR0911 - one answer a kind of step
    """The step that a constructor call builds or a variable holds; None when it is none that is known.

    A composed step (`Pipeline`, `ColumnTransformer`) is supervised when any part is, and an estimator when any part
    is a class that is not a known transformer.
    """
    if isinstance(node, (ast.Name, ast.Attribute)):
        return known.get(_plain(node))
    if not isinstance(node, ast.Call):
        return None
    name = last_name(node.func)
    if name in {"fit", "set_output", "set_params"} and isinstance(node.func, ast.Attribute):
        return step_of(node.func.value, known)
    if name in COMPOSERS:
        parts = [
            step
            for child in ast.walk(node)
            if child is not node and isinstance(child, (ast.Call, ast.Name))
            for step in [step_of(child, known)]
            if step is not None
        ]
        return Step(
            name=name,
            transforms=bool(parts) and all(part.transforms or part.name in STATELESS for part in parts),
            supervised=any(part.supervised for part in parts),
        )
    if name in SUPERVISED:
        return Step(name=name, transforms=True, supervised=True)
    if name in TARGET_FREE:
        return Step(name=name, transforms=True)
    if _SPLITTER_CLASS.search(name):
        return Step(name=name, splitter=True)
    return Step(name=name) if _CLASS_NAME.match(name) else None


def target_columns(body: Sequence[ast.stmt]) -> frozenset[object]:
    """Column names that the code takes for the target: `y = df["churn"]`, `df.pop("churn")`, `TARGET = "churn"`."""
    found: set[object] = set()
    for node in statements(body):
        if not isinstance(node, ast.Assign):
            continue
        names = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        if any(_TARGET_NAME.match(name) for name in names) and not isinstance(node.value, ast.Tuple):
            for part in ast.walk(node.value):
                if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
                    found.add(part.slice.value)
                elif (
                    isinstance(part, ast.Call)
                    and last_name(part.func) == "pop"
                    and part.args
                    and isinstance(part.args[0], ast.Constant)
                ):
                    found.add(part.args[0].value)
                elif isinstance(part, ast.Constant) and part is node.value and isinstance(part.value, str):
                    found.add(part.value)
    return frozenset(found)


def _plain(node: ast.Name | ast.Attribute) -> str:
    parts: list[str] = []
    current: ast.expr = node
    while isinstance(current, ast.Attribute):
        parts.append(current.attr)
        current = current.value
    return ".".join([*([current.id] if isinstance(current, ast.Name) else [""]), *reversed(parts)])
