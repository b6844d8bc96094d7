"""Training pipelines that a project declares: DVC, MLproject, Snakemake, make, and workflow libraries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.project.commands import commands_of, script_called
from mlestar.core.project.deployment import calls_into, mapping, sequence
from mlestar.core.project.task_files import expand, make_targets

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

WORKFLOW_LIBRARIES = frozenset(
    {
        "airflow",
        "prefect",
        "dagster",
        "kfp",
        "metaflow",
        "zenml",
        "luigi",
        "kedro",
        "flytekit",
        "ploomber",
        "clearml",
        "azureml",
        "sagemaker",
    }
)
_TRAINS = re.compile(
    r"\.(fit|train|fit_generator|partial_fit)\(|\.backward\(|\b(lgb|xgb|lightgbm|xgboost)\.(train|cv)\("
)
_MAKE_NAMES = re.compile(r"train|pipeline|model|repro", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One declared pipeline: its steps, the scripts it names that do not exist, and whether it runs in circles."""

    path: str
    kind: str
    steps: int
    line: int | None = None
    missing: tuple[str, ...] = ()
    cyclic: bool = False


def declared_pipelines(project: ProjectFacts) -> list[Declared]:
    """Every declaration found, DVC first."""
    return [*_dvc(project), *_mlproject(project), *_snakemake(project), *_libraries(project), *_make(project)]


def training_modules(project: ProjectFacts) -> list[SourceModule]:
    """Own modules and notebooks that fit something."""
    return project.derived(
        "training modules",
        lambda whole: [module for module in whole.own_modules.values() if _TRAINS.search(module.text)],
    )


def trains(project: ProjectFacts, words: tuple[str, ...]) -> bool:
    """Whether a command starts training: a pipeline tool, or a script that fits or is named for it.

    A script that only defines functions, and calls none, starts nothing.
    """
    text = " ".join(words)
    if re.match(r"(dvc\s+(repro|exp\s+run)|mlflow\s+run|snakemake|kedro\s+run|zenml|metaflow)\b", text):
        return True
    script = script_called(next(commands_of(text, ""), _NOTHING)) if words else ""
    if not script:
        return bool(re.search(r"\bpapermill\b|nbconvert\s+.*--execute", text))
    module = (
        project.modules.get(script)
        or project.modules.get("src/" + script)
        or project.modules.get(script.removesuffix(".py") + "/__main__.py")
    )
    if module is not None and module.does_nothing:
        return False
    return (module is not None and bool(_TRAINS.search(module.text))) or bool(
        re.search(r"(^|/|_)train(ing)?(_|\.|$)", script)
    )


_NOTHING = next(commands_of("true", ""))


def _scripts_missing(project: ProjectFacts, script: str) -> list[str]:
    missing: list[str] = []
    for command in commands_of(script, ""):
        if "-m" in command.words or "${" in command.text or "{" in command.text:
            continue
        called = script_called(command)
        if called.endswith((".py", ".sh", ".R", ".ipynb")) and called not in project.files:
            missing.append(called)
    return missing


def _dvc(project: ProjectFacts) -> Iterator[Declared]:
    for path, document in project.parsed():
        if path.rpartition("/")[2] != "dvc.yaml":
            continue
        stages = {
            name: mapping(mapping(stage).get("do", stage))
            for name, stage in mapping(mapping(document).get("stages")).items()
        }
        if not stages:
            continue
        folder = path.rpartition("/")[0]
        missing = [
            script
            for stage in stages.values()
            for command in sequence(stage.get("cmd")) or [stage.get("cmd")]
            for script in _scripts_missing(project, str(command or ""))
            if f"{folder}/{script}".lstrip("/") not in project.files
        ]
        edges = {
            name: {
                other
                for other, maker in stages.items()
                if {_path(out) for key in ("outs", "metrics", "plots") for out in sequence(maker.get(key))}
                & {_path(dep) for dep in sequence(stage.get("deps"))}
            }
            for name, stage in stages.items()
        }
        yield Declared(
            path=path, kind="DVC", steps=len(stages), line=project.at(path, r"^stages:").line, missing=tuple(missing),
            cyclic=_has_cycle(edges),
        )  # fmt: skip


def _path(entry: object) -> str:
    return next(iter(entry), "") if isinstance(entry, dict) else str(entry)


def _has_cycle(edges: dict[str, set[str]]) -> bool:
    done: set[str] = set()
    while ready := [name for name in edges if name not in done and edges[name] <= done]:
        done |= set(ready)
    return len(done) < len(edges)


def _mlproject(project: ProjectFacts) -> Iterator[Declared]:
    for path in project.paths(r"(^|/)MLproject$"):
        commands = re.findall(r"command:\s*[\"']?(.+?)[\"']?\s*$", project.texts.get(path, ""), re.MULTILINE)
        if commands:
            missing = [
                script for command in commands for script in _scripts_missing(project, re.sub(r"\{\w+\}", "x", command))
            ]
            yield Declared(path=path, kind="MLproject", steps=len(commands), missing=tuple(missing))


def _snakemake(project: ProjectFacts) -> Iterator[Declared]:
    for path in project.paths(r"(^|/)snakefile$|\.smk$"):
        text = project.texts.get(path, "")
        rules = re.findall(r"^rule\s+\w+", text, re.MULTILINE)
        scripts = re.findall(r"script:\s*[\"']([^\"']+)[\"']", text)
        folder = path.rpartition("/")[0]
        missing = tuple(script for script in scripts if f"{folder}/{script}".lstrip("/") not in project.files)
        if rules:
            yield Declared(path=path, kind="Snakemake", steps=len(rules), missing=missing)


def _libraries(project: ProjectFacts) -> Iterator[Declared]:
    for path, module in project.own_modules.items():
        if not module.imported & WORKFLOW_LIBRARIES:
            continue
        line = calls_into(module, WORKFLOW_LIBRARIES) or _decorated(module)
        if line is None:
            continue
        steps = len(
            re.findall(
                r"Operator\(|\w+Step\(|@(\w+\.)?(task|step|op|asset|multi_asset|component)\b|dsl\.ContainerOp|\bnode\(|luigi\.Task",
                module.text,
            )
        )
        if steps:
            missing = [
                script
                for match in re.finditer(r"bash_command\s*=\s*[\"'](.+?)[\"']", module.text)
                for script in _scripts_missing(project, match[1])
            ]
            name = min(module.imported & WORKFLOW_LIBRARIES)
            yield Declared(path=path, kind=name, steps=steps, line=line, missing=tuple(missing))


def _decorated(module: SourceModule) -> int | None:
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef) and any(
            re.search(r"flow|pipeline|dag|job|task|step|asset", ast.unparse(d)) for d in node.decorator_list
        ):
            return node.lineno
    return None


def _make(project: ProjectFacts) -> Iterator[Declared]:
    for path in project.paths(r"^(gnu)?makefile$"):
        for name, (line, needs, recipe) in make_targets(project.texts.get(path, "")).items():
            commands = [command for _, row in recipe for command in commands_of(row.lstrip("@-+ "), path)]
            if not _MAKE_NAMES.search(name) or not (commands or needs):
                continue
            reached = [inner for command in commands_of(f"make {name}", path) for inner in expand(project, command)]
            if any(trains(project, command.words) for command in reached):
                missing = [script for command in reached for script in _scripts_missing(project, command.text)]
                yield Declared(path=path, kind="make", steps=len(reached) - 1, line=line, missing=tuple(missing))
