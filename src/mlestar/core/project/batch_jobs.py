"""Jobs that run by the clock or on demand and end: what starts them, what limits them, what happens when they fail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.code.import_graph import imported_modules, reachable
from mlestar.core.facts.project import is_own
from mlestar.core.project.ci import jobs, reached
from mlestar.core.project.commands import Command, commands_of, script_called
from mlestar.core.project.deployment import mapping, objects, sequence
from mlestar.core.project.workflow_code import declares_workflow, workflow_settings

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

_SCHEDULED_KINDS = ("CronJob", "CronWorkflow", "ScheduledWorkflow")
JOB_KINDS = (*_SCHEDULED_KINDS, "Job", "Workflow", "PipelineRun")
_NEVER_TWICE = frozenset({"Forbid", "Replace"})
_WORKS_ON_DATA = re.compile(
    r"\.(fit|train|partial_fit|predict|predict_proba|transform|to_csv|to_parquet|to_sql|to_gbq|saveAsTable)\(|\.backward\("
)
_PIPELINE_TOOLS = re.compile(r"(dvc\s+(repro|exp\s+run)|mlflow\s+run|snakemake|kedro\s+run|dbt\s+(run|build))\b")
_CRON_LINE = re.compile(
    r"^[ \t]*(?:@(?:hourly|daily|weekly|monthly)|(?:[\d*/,-]+[ \t]+){4}[\w*/,-]+)[ \t]+(\S.*)$", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class BatchJob:
    """One job.

    Attributes:
        kind: As Kubernetes names it; or GitHub schedule, systemd timer, crontab, airflow, prefect, ...
        retried: A failed run is tried again.
        exclusive: A run does not start while the one before still runs, or nothing starts it by the clock.
        bounded: A run that hangs is ended.
        scripts: Project files that its commands run, where they are named.
    """

    path: str
    kind: str
    name: str
    line: int | None
    retried: bool
    exclusive: bool
    bounded: bool
    scripts: tuple[str, ...] = ()


def batch_jobs(project: ProjectFacts) -> list[BatchJob]:
    """Every job that the project's own artefacts declare, by path."""
    return project.derived("batch jobs", _batch_jobs)


def job_modules(project: ProjectFacts) -> list[SourceModule]:
    """Own modules that the jobs run, with what those import; all own ones when no job names a script of the project."""
    named = {script for job in batch_jobs(project) for script in job.scripts if script in project.own_modules}
    found = {path for script in named for path in reachable(project, project.own_modules[script])}
    chosen = found or {path for path, module in project.own_modules.items() if not module.is_notebook}
    return [project.own_modules[path] for path in sorted(chosen & project.own_modules.keys())]


def _batch_jobs(project: ProjectFacts) -> list[BatchJob]:
    found = [*_kubernetes(project), *_github(project), *_timers(project), *_crontabs(project), *_workflows(project)]
    return sorted(found, key=lambda job: (job.path, job.line or 0, job.name))


def _kubernetes(project: ProjectFacts) -> Iterator[BatchJob]:
    for path, item in objects(project, *JOB_KINDS):
        kind, spec = str(item["kind"]), mapping(item.get("spec"))
        scheduled = kind in _SCHEDULED_KINDS
        inner = mapping(spec.get("workflowSpec" if kind == "CronWorkflow" else "jobTemplate")) if scheduled else spec
        inner = mapping(inner.get("spec", inner))
        templates = [mapping(template) for template in sequence(inner.get("templates"))]
        pod = mapping(mapping(inner.get("template")).get("spec"))
        parts = [inner, *templates, *map(mapping, sequence(mapping(inner.get("pipelineSpec")).get("tasks"))), pod]
        if kind in {"CronJob", "Job"}:
            retried = inner.get("backoffLimit") != 0 or pod.get("restartPolicy") == "OnFailure"
        else:
            retried = any(part.get("retryStrategy") is not None or part.get("retries") for part in parts)
        name = str(mapping(item.get("metadata")).get("name") or mapping(item.get("metadata")).get("generateName", ""))
        yield BatchJob(
            path=path,
            kind=kind,
            name=name,
            line=project.at(path, rf"^\s*(?:generateN|n)ame:\s*[\"']?{re.escape(name)}[\"']?\s*$").line,
            retried=retried,
            exclusive=not scheduled
            or str(spec.get("concurrencyPolicy")) in _NEVER_TWICE
            or spec.get("maxConcurrency") == 1,
            bounded=any(part.get(key) for part in parts for key in ("activeDeadlineSeconds", "timeout", "timeouts")),
            scripts=tuple(_scripts(project, _container_commands(path, [*sequence(pod.get("containers")), *templates]))),
        )


def _container_commands(path: str, holders: list[Any]) -> Iterator[Command]:
    for holder in holders:
        container = mapping(mapping(holder).get("container") or holder)
        words = [*sequence(container.get("command")), *sequence(container.get("args"))]
        yield from commands_of(" ".join(str(word) for word in words if str(word) not in {"-c", "-lc"}), path)
        if words and str(words[-1]).count(" "):
            yield from commands_of(str(words[-1]), path)


def _scripts(project: ProjectFacts, commands: Iterable[Command]) -> Iterator[str]:
    """The own modules that the commands run; a path in the image may have folders before the project's."""
    for command in commands:
        called = script_called(command)
        for candidate in (called, f"src/{called}", called.removesuffix(".py") + "/__main__.py", called.lstrip("/")):
            if candidate in project.own_modules:
                yield candidate
                break
        else:
            ending = [path for path in project.own_modules if called.endswith(".py") and called.endswith(f"/{path}")]
            yield from sorted(ending, key=len)[-1:]


def _github(project: ProjectFacts) -> Iterator[BatchJob]:
    for job in jobs(project):
        if job.service != "github" or not job.schedules:
            continue
        commands = reached(project, job)
        scripts = tuple(dict.fromkeys(_scripts(project, commands)))
        if not any(_WORKS_ON_DATA.search(project.own_modules[script].text) for script in scripts) and not any(
            _PIPELINE_TOOLS.match(command.text) for command in commands
        ):
            continue
        document = next((mapping(d) for d in project.manifests.get(job.path, ()) if "jobs" in mapping(d)), {})
        own = mapping(mapping(document.get("jobs")).get(job.name))
        steps = [mapping(step) for step in sequence(own.get("steps"))]
        running = [step for step in steps if "run" in step]
        yield BatchJob(
            path=job.path,
            kind="GitHub schedule",
            name=job.name,
            line=project.at(job.path, rf"^\s+{re.escape(job.name)}\s*:").line,
            retried=any("retry" in use for use in job.uses)
            or any(re.search(r"\bretry\b|--retries", str(step["run"])) for step in running),
            exclusive=bool(own.get("concurrency") or document.get("concurrency")),
            bounded="timeout-minutes" in own or (bool(running) and all("timeout-minutes" in step for step in running)),
            scripts=scripts,
        )


def _timers(project: ProjectFacts) -> Iterator[BatchJob]:
    for path in project.paths(r"\.timer$"):
        unit = re.search(r"^Unit\s*=\s*(\S+)", project.texts.get(path, ""), re.MULTILINE)
        folder, slash, name = path.rpartition("/")
        service = f"{folder}{slash}{unit[1] if unit else name.removesuffix('.timer') + '.service'}"
        text = project.texts.get(service, "")
        if not is_own(path) or not text:
            continue
        starts = [
            command
            for line in re.findall(r"^ExecStart\s*=\s*(.+)$", text, re.MULTILINE)
            for command in commands_of(line, service)
        ]
        yield BatchJob(
            path=service,
            kind="systemd timer",
            name=name,
            line=project.at(service, r"^ExecStart").line,
            retried=bool(re.search(r"^Restart\s*=\s*(on-failure|on-abnormal|on-abort|always)", text, re.MULTILINE)),
            exclusive=True,
            bounded=bool(
                re.search(r"^(RuntimeMaxSec|TimeoutStartSec|TimeoutSec)\s*=\s*(?!infinity|0\s*$)\S", text, re.MULTILINE)
            ),
            scripts=tuple(_scripts(project, starts)),
        )


def _crontabs(project: ProjectFacts) -> Iterator[BatchJob]:
    for path in project.paths(r"(^|/)(crontab|cron\.d/[^/]+|[^/]+\.cron)(\.txt)?$"):
        text = project.texts.get(path, "")
        for match in _CRON_LINE.finditer(text) if is_own(path) else ():
            yield BatchJob(
                path=path,
                kind="crontab",
                name=match[1][:40],
                line=text.count("\n", 0, match.start(1)) + 1,
                retried=bool(re.search(r"\bretry\b|\buntil\b", match[1])),
                exclusive="flock" in match[1],
                bounded=bool(re.search(r"\btimeout\b", match[1])),
                scripts=tuple(_scripts(project, commands_of(match[1], path))),
            )


def _workflows(project: ProjectFacts) -> Iterator[BatchJob]:
    for path, module in project.own_modules.items():
        library = declares_workflow(module)
        if library is None:
            continue
        near = [project.own_modules[imported] for imported in sorted(imported_modules(project, module))]
        settings = workflow_settings(module, near)
        yield BatchJob(
            path=path,
            kind=library.name,
            name=path.rpartition("/")[2],
            line=library.line,
            retried=settings["retries"],
            exclusive=settings["exclusive"],
            bounded=settings["bounded"],
            scripts=(path, *_scripts(project, _operator_commands(module))),
        )


def _operator_commands(module: SourceModule) -> Iterator[Command]:
    for match in re.finditer(r"bash_command\s*=\s*f?[\"'](.+?)[\"']\s*[,)\n]", module.text):
        yield from commands_of(match[1], module.path)
