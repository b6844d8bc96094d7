"""Drift checks in a project's code: where they are, what they compare with, what starts them, whom they tell."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from mlestar.core.project.alert_rules import alert_rules
from mlestar.core.project.ci import jobs, reached
from mlestar.core.project.deployment import is_trivial, objects

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

_OF_CLOCKS = r"(?<!time_)(?<!clock_)(?<!config_)(?<!schema_)"
"""Clocks, configurations and schemas drift too; that is another subject."""
_NAME = re.compile(rf"{_OF_CLOCKS}drift|data_shift|covariate_shift|population_stability", re.IGNORECASE)
_DEFINES = re.compile(rf"def \w*({_OF_CLOCKS}drift|population_stability|_psi|psi_)\w*\(|def psi\(", re.IGNORECASE)
_OF_SERIES = re.compile(r"theta|random_walk|arima|_trend\b|naive", re.IGNORECASE)
"""The drift of a forecasting model is one of its parameters."""
_LIBRARIES = frozenset({"evidently", "nannyml", "alibi_detect", "frouros"})
_THRESHOLD = re.compile(r"thresh|limit|alpha|p_?val|crit|cutoff|max_psi|tolerance|significance", re.IGNORECASE)
_TIMED = re.compile(
    r"schedule(_interval)?\s*=|@daily|@hourly|\bDAG\(|cron(_expression)?\s*[=:]|IntervalSchedule|CronSchedule|"
    r"BackgroundScheduler|schedule\.every|beat_schedule|every\("
)
_TELLS = re.compile(
    r"slack|pagerduty|opsgenie|smtplib|send_?mail|sns|\.publish\(|requests\.post|httpx\.post|webhook|alert\w*\(|notify|"
    r"sys\.exit\((?!0?\))|raise SystemExit|raise \w*Drift|exit\(1\)|Gauge\(|push_to_gateway|\.set\(",
    re.IGNORECASE,
)


def drift_modules(project: ProjectFacts) -> list[SourceModule]:
    """Own modules about drift: by path, by a function's name or by a drift library; notebooks aside."""
    return project.derived("drift modules", _drift_modules)


def _drift_modules(project: ProjectFacts) -> list[SourceModule]:
    return [
        module
        for path, module in project.own_modules.items()
        if not module.is_notebook
        and not _OF_SERIES.search(path.rpartition("/")[2])
        and (_NAME.search(path.rpartition("/")[2]) or module.imported & _LIBRARIES or _DEFINES.search(module.text))
    ]


def working_modules(project: ProjectFacts) -> list[SourceModule]:
    """The drift modules that do something with what they are given."""
    return [module for module in drift_modules(project) if not is_trivial(module) and not _ignores_its_input(module)]


def _ignores_its_input(module: SourceModule) -> bool:
    """Whether functions take rows, and not one of them looks at any: a stub that always gives the same answer."""
    taking = [
        (node, names)
        for node in module.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (names := {argument.arg for argument in (*node.args.posonlyargs, *node.args.args)} - {"self", "cls"})
    ]
    return bool(taking) and not any(
        isinstance(part, ast.Name) and part.id in names
        for node, names in taking
        for statement in node.body
        for part in ast.walk(statement)
    )


def thresholds(modules: list[SourceModule]) -> tuple[SourceModule, int] | None:
    """The first comparison with a named threshold or a number, or a library's test suite."""
    for module in modules:
        for node in module.nodes:
            if isinstance(node, ast.Compare) and any(
                isinstance(op, (ast.Gt, ast.GtE, ast.Lt, ast.LtE)) for op in node.ops
            ):
                sides = [node.left, *node.comparators]
                if any(_is_threshold(side) for side in sides):
                    return module, node.lineno
            if isinstance(node, ast.keyword) and node.arg and _THRESHOLD.search(node.arg):
                return module, node.value.lineno
    return None


def _is_threshold(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and node.value > 0
    return bool(_THRESHOLD.search(ast.unparse(node)))


def schedules(project: ProjectFacts, modules: list[SourceModule]) -> bool:
    """Whether something that runs by the clock reaches one of the modules by its path or import path."""
    names = re.compile("|".join(re.escape(form) for module in modules for form in _forms(module)))
    for job in jobs(project):
        if "schedule" in job.triggers and any(names.search(command.text) for command in reached(project, job)):
            return True
    if any(names.search(str(item)) for _, item in objects(project, "CronJob", "CronWorkflow", "ScheduledWorkflow")):
        return True
    own = {module.path for module in modules}
    return any(
        names.search(text)
        for path, text in project.texts.items()
        if project.files[path].kind in {"python", "config", "script", "text"}
        and (path not in own or "import" in text)
        and (re.search(r"crontab|\.timer$", path) or _TIMED.search(text))
    )


def alerts_on(project: ProjectFacts, modules: list[SourceModule]) -> bool:
    """Whether an alert rule speaks of drift, or a module notifies or fails."""
    rules = any(
        re.search(r"drift|psi", f"{rule.name} {rule.expression}", re.IGNORECASE) for rule in alert_rules(project)
    )
    return rules or any(_TELLS.search(module.text) for module in modules)


def _forms(module: SourceModule) -> set[str]:
    stem = module.dotted.rpartition(".")[2]
    return {module.path, module.dotted.removeprefix("src."), *({stem} if len(stem) > 4 and _NAME.search(stem) else ())}  # noqa: PLR2004 - a telling name
