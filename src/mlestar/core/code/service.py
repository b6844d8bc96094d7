"""What the serving code does with a request: what it logs, how it checks, how it fails."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.code.import_graph import imported_modules
from mlestar.core.code.library_names import last_name
from mlestar.core.project.deployment import serving_modules

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

_PREDICTS = frozenset({"predict", "predict_proba", "decision_function", "infer", "run", "generate", "forward", "score"})
_LOGGERS = re.compile(
    r"(^|\.)(log|logger|logging|_logger|structlog|audit\w*)\.(debug|info|warning|error|log|bind|msg)$"
)
_SINKS = re.compile(
    r"\.(send|produce|publish|put_record|insert|insert_one|execute|write|writerow|log_prediction|add_event)$|log_prediction|log_request"
)
_MODELS = frozenset({"BaseModel", "Schema", "DataFrameModel"})
_FINITE = frozenset({"isfinite", "isnan", "isnull", "isna", "notnull", "notna"})
_PARTS = {
    "prediction": r"pred|score|prob|label|result|output|answer",
    "input": r"input|features?|payload|request\b|\brow|body|data|sample|instance|record",
    "model version": r"version|model_id|model_name|model_sha|git_sha",
    "request id": r"request_id|req_id|trace|correlation|uuid|x-request-id|prediction_id",
}


@dataclass(frozen=True, kw_only=True)
class Logged:
    """One place in serving code that logs, and which parts of a prediction it keeps."""

    module: SourceModule
    line: int
    parts: frozenset[str]


def prediction_logs(project: ProjectFacts) -> list[Logged]:
    """Logging calls in functions (of modules that serve, or that they import) that also predict.

    A function predicts when it calls a model, or a function of its module that does.
    """
    found: list[Logged] = []
    for module in _near_serving(project):
        calls_of = {
            function: [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            for function in _functions(module)
        }
        helpers = {function.name for function, calls in calls_of.items() if any(map(_calls_a_model, calls))}
        for calls in calls_of.values():
            if not any(_calls_a_model(call) or _name(call) in helpers for call in calls):
                continue
            for call in calls:
                name = _name(call)
                if _LOGGERS.search(name) or _SINKS.search(name):
                    text = " ".join(ast.unparse(part) for part in (*call.args, *(word.value for word in call.keywords)))
                    text += " ".join(str(word.arg) for word in call.keywords)
                    parts = frozenset(
                        part for part, pattern in _PARTS.items() if re.search(pattern, text, re.IGNORECASE)
                    )
                    found.append(Logged(module=module, line=call.lineno, parts=parts))
    return found


def input_checks(project: ProjectFacts) -> dict[str, tuple[str, int]]:
    """Which of three protections the serving code has, with the place: typed input, finite values, typed errors."""
    found: dict[str, tuple[str, int]] = {}
    for module in _near_serving(project):
        for node in module.nodes:
            name = _protection(node)
            if name:
                found.setdefault(name, (module.path, getattr(node, "lineno", 1)))
    return found


def _protection(node: ast.AST) -> str:
    if isinstance(node, ast.ClassDef):
        return "typed input" if any(last_name(base) in _MODELS for base in node.bases) else ""
    if isinstance(node, ast.Call):
        return "finite values" if last_name(node.func) in _FINITE else ""
    if isinstance(node, ast.keyword):
        return "finite values" if node.arg == "allow_inf_nan" else ""
    if isinstance(node, ast.Raise):
        return "typed errors" if node.exc is not None and _is_http_error(node.exc) else ""
    answers = isinstance(node, ast.ExceptHandler) and any(
        isinstance(part, (ast.Return, ast.Raise)) for part in ast.walk(node)
    )
    return "typed errors" if answers else ""


def _is_http_error(node: ast.expr) -> bool:
    name = last_name(node.func) if isinstance(node, ast.Call) else last_name(node)
    return name in {
        "HTTPException",
        "BadRequest",
        "ValidationError",
        "RequestValidationError",
        "abort",
        "InvalidArgument",
    }


def _near_serving(project: ProjectFacts) -> list[SourceModule]:
    """Serving modules and the project's own modules that they import."""
    serving = serving_modules(project)
    near = {path for module in serving for path in imported_modules(project, module)}
    own = {module.path for module in serving}
    return [*serving, *(project.modules[path] for path in sorted(near - own))]


def _functions(module: SourceModule) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in module.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _calls_a_model(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in _PREDICTS


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func) if isinstance(call.func, (ast.Name, ast.Attribute)) else ""
