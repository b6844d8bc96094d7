"""What names and forms of expressions say of the rows they hold."""

from __future__ import annotations

import ast
import re

from mlestar.core.code.library_names import dotted, last_name

_TRAIN_NAME = re.compile(r"(^|_)(train|tr|fit)(_|$|\d)|train", re.IGNORECASE)
_TEST_NAME = re.compile(
    r"(^|_)(test|te|val|valid|validation|holdout|eval|oot)(_|$|\d)|test|valid|holdout", re.IGNORECASE
)
_OF_EARLIER_ROWS = frozenset({"shift", "diff", "pct_change", "cumcount", "ffill"})
SIDE_KEYS = {
    **dict.fromkeys(("train", "training", "train_df"), "train"),
    **dict.fromkeys(("test", "testing", "test_df", "val", "valid", "validation", "dev", "eval", "holdout"), "test"),
}
"""Keys under which dictionaries and data set libraries hold the sides of a split; no column of a frame is called so."""
_HELD_OUT = re.compile(r"(^|_)(x|y)?_?(test|holdout|hold_out|oot)(_|$|\d)", re.IGNORECASE)
_SPLITTER = re.compile(
    r"(^|_)(s?kf|folds?|cv|splitter|splits?|gss|sss|tscv|loo|logo)(_|$|\d)|kfold|shuffle_?split", re.IGNORECASE
)


def names_a_splitter(name: str) -> bool:
    """Whether a variable is called like an object that splits rows: kf, cv, splitter."""
    return bool(_SPLITTER.search(name.rpartition(".")[2]))


def names_test_rows(target: ast.expr) -> bool:
    """Whether a tuple that a split is assigned to names test rows, beyond a validation fold of the training rows."""
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    return any(_HELD_OUT.search(dotted(part)) for part in parts)


def receiver_of(function: ast.Attribute) -> str:
    """The object whose method it is, by name; one without a name is told by its line."""
    return dotted(function.value) if isinstance(function.value, (ast.Name, ast.Attribute)) else f"@{function.lineno}"


def is_group_statistic(source: ast.expr) -> bool:
    """`df.groupby(k)[c].transform("mean")`; the value of an earlier row of the group is no statistic of it."""
    called = {last_name(node.func) for node in ast.walk(source) if isinstance(node, ast.Call)}
    return "groupby" in called and not called & _OF_EARLIER_ROWS


def side_by_name(name: str) -> str:
    """`train` or `test`, as a variable's name says; empty where it says neither or both."""
    last = name.rpartition(".")[2]
    if _TEST_NAME.search(last):
        return "" if _TRAIN_NAME.search(last) else "test"
    return "train" if _TRAIN_NAME.search(last) else ""


def takes_rows(source: ast.expr) -> bool:
    """`X[:800]`, `df.iloc[n:]`, `df[df.year < 2020]`, `df.sample(frac=.8)`: rows, not columns."""
    if isinstance(source, ast.Call):
        return (
            isinstance(source.func, ast.Attribute)
            and source.func.attr in {"sample", "head", "tail", "query", "copy"}
            and (source.func.attr != "copy" or takes_rows(source.func.value))
        )
    if isinstance(source, ast.Subscript):
        index = source.slice.elts[0] if isinstance(source.slice, ast.Tuple) and source.slice.elts else source.slice
        full = isinstance(index, ast.Slice) and index.lower is None and index.upper is None
        return (isinstance(index, ast.Slice) and not full) or isinstance(
            index, (ast.Compare, ast.UnaryOp, ast.BoolOp, ast.BinOp)
        )
    return False
