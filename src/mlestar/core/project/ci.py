"""Continuous-integration jobs of the usual services, as triggers and commands."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.project.commands import Command, commands_of
from mlestar.core.project.task_files import expand

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

_SERVICES = {
    "github": r"^\.github/workflows/[^/]+\.ya?ml$",
    "gitlab": r"^\.gitlab-ci\.ya?ml$",
    "circleci": r"^\.circleci/config\.ya?ml$",
    "azure": r"^([^/]+/)?[\w.-]*azure-pipelines[^/]*\.ya?ml$|^\.?(azure-?)?(pipelines|devops)/[^/]+\.ya?ml$",
    "travis": r"^\.travis\.ya?ml$",
    "bitbucket": r"^bitbucket-pipelines\.ya?ml$",
    "drone": r"^\.(drone|woodpecker)(/[^/]+)?\.ya?ml$",
    "codebuild": r"^(buildspec|cloudbuild)[^/]*\.ya?ml$",
    "buildkite": r"^\.buildkite/[^/]+\.ya?ml$",
}
_TEST_ACTIONS = {"r-lib/actions/check-r-package": "R CMD check", "julia-actions/julia-runtest": "julia Pkg.test()"}
"""Actions that run a package's tests -> the command that they stand for."""
_SCRIPT_KEYS = frozenset({"run", "script", "bash", "command", "commands", "before_script", "cmd", "inlineScript"})


_CRON_FIELDS = 5
_LONGEST = {month: monthrange(2024, month)[1] for month in range(1, 13)}  # a leap year


@dataclass(frozen=True, kw_only=True)
class Job:
    """One CI job.

    Attributes:
        triggers: Of push, pull_request, schedule, manual, other.
        schedules: Cron expressions.
        commands: As written; `uses` names actions (GitHub) with their version.
    """

    path: str
    service: str
    name: str
    triggers: frozenset[str]
    commands: tuple[Command, ...]
    schedules: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()

    @property
    def on_change(self) -> bool:
        """Whether a push or a pull request starts it."""
        return bool(self.triggers & {"push", "pull_request"})


def jobs(project: ProjectFacts) -> list[Job]:
    """Every job of every service that the project configures."""
    return project.derived("CI jobs", _jobs)


def _jobs(project: ProjectFacts) -> list[Job]:
    found: list[Job] = []
    for service, pattern in _SERVICES.items():
        for path in project.paths(pattern):
            for document in project.manifests.get(path, ()):
                if isinstance(document, dict):
                    found += (
                        _github(project, path, document)
                        if service == "github"
                        else [_generic(project, path, service, document)]
                    )
    for path in project.paths(r"^jenkinsfile[^/]*$"):
        text = project.texts.get(path, "")
        commands = tuple(
            command
            for match in re.finditer(r"\b(?:sh|bat)\s*\(?\s*('''|\"\"\"|'|\")(.*?)\1", text, re.DOTALL)
            for command in commands_of(match[2], path, text.count("\n", 0, match.start()) + 1)
        )
        found.append(
            Job(path=path, service="jenkins", name="pipeline", triggers=frozenset({"push"}), commands=commands)
        )
    for path in project.paths(r"^\.?ci/(run|test|build|ci)(\.sh)?$"):
        commands = tuple(commands_of(project.texts.get(path, ""), path, 1))
        found.append(Job(path=path, service="script", name=path, triggers=frozenset({"other"}), commands=commands))
    return found


def reached(project: ProjectFacts, job: Job) -> list[Command]:
    """The job's commands and what they lead to through task files and scripts."""
    return [found for command in job.commands for found in expand(project, command)]


def ever_fires(cron: str) -> bool:
    """Whether a cron line names a day that comes: 31 February never does. What is not understood is taken to fire."""
    fields = cron.split()
    if len(fields) != _CRON_FIELDS or fields[4] != "*" or not (fields[2].isdecimal() and fields[3].isdecimal()):
        return True
    return int(fields[2]) <= _LONGEST.get(int(fields[3]), 0)


def _github(project: ProjectFacts, path: str, document: dict[Any, Any]) -> list[Job]:
    on = document.get("on", document.get(True))  # YAML 1.1 reads the key `on` as true
    triggers = frozenset(
        _trigger(name) for name in ([on] if isinstance(on, str) else on or ()) if isinstance(name, str)
    )
    entries = on.get("schedule") if isinstance(on, dict) else None
    written = [str(entry["cron"]) for entry in entries or () if isinstance(entry, dict) and "cron" in entry]
    schedules = tuple(filter(ever_fires, written))
    if written and not schedules:
        triggers -= {"schedule"}
    found: list[Job] = []
    for name, job in _mapping(document.get("jobs")).items():
        if not isinstance(job, dict) or job.get("if") is False or str(job.get("if")).strip("${} ") == "false":
            continue
        steps = list(_steps(project, job))
        forgiven = job.get("continue-on-error") is True
        commands = tuple(
            command
            for step in steps
            for script, written in [_script_of(step)]
            for command in commands_of(
                script,
                path,
                _line_of(project, path, written),
                ignored=forgiven or step.get("continue-on-error") is True,
            )
        )
        uses = tuple(str(step["uses"]) for step in [*steps, job] if "uses" in step)
        found.append(
            Job(
                path=path,
                service="github",
                name=str(name),
                triggers=triggers,
                commands=commands,
                schedules=schedules,
                uses=uses,
            )
        )
    return found


def _script_of(step: dict[Any, Any]) -> tuple[str, str]:
    """What a step runs, and the text that stands for it in the file."""
    if isinstance(step.get("run"), str):
        return step["run"], step["run"]
    uses = str(step.get("uses", ""))
    return _TEST_ACTIONS.get(uses.partition("@")[0], ""), uses


def _steps(project: ProjectFacts, job: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    """Steps of a job, with those of local composite actions and reusable workflows in their place."""
    sources = [step for step in job.get("steps") or () if isinstance(step, dict)]
    for step in [*sources, {"uses": job.get("uses")}]:
        uses = step.get("uses")
        if step.get("if") is False:
            continue
        if isinstance(uses, str) and uses.startswith("./"):
            yield from _local_steps(project, uses.removeprefix("./"))
        elif uses is not None or "run" in step:
            yield step


def _local_steps(project: ProjectFacts, target: str) -> Iterator[dict[str, Any]]:
    for path in (target, f"{target}/action.yml", f"{target}/action.yaml"):
        for document in project.manifests.get(path, ()):
            holders = [_mapping(document).get("runs"), *_mapping(_mapping(document).get("jobs")).values()]
            for holder in holders:
                yield from (step for step in _mapping(holder).get("steps") or () if isinstance(step, dict))


def _generic(project: ProjectFacts, path: str, service: str, document: dict[Any, Any]) -> Job:
    text = project.texts.get(path, "")
    triggers = {"push"}
    if service == "azure" and document.get("trigger") == "none" and document.get("pr") == "none":
        triggers = {"manual"}
    schedules = [*filter(ever_fires, re.findall(r"cron:\s*[\"']?([^\"'\n]+)", text))]
    if schedules or re.search(r"\bschedules?\b", text):
        triggers.add("schedule")
    commands = tuple(
        command
        for script in _scripts(document)
        for command in commands_of(script, path, _line_of(project, path, script))
    )
    return Job(
        path=path,
        service=service,
        name=service,
        triggers=frozenset(triggers),
        commands=commands,
        schedules=tuple(schedules),
    )


def _scripts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key in _SCRIPT_KEYS and isinstance(part, (str, list)):
                yield from (line for line in ([part] if isinstance(part, str) else part) if isinstance(line, str))
                if isinstance(part, list):
                    yield from (line for entry in part if isinstance(entry, dict) for line in _scripts(entry))
            else:
                yield from _scripts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _scripts(part)


def _line_of(project: ProjectFacts, path: str, script: str) -> int | None:
    text = project.texts.get(path, "")
    first = next((line.strip() for line in script.splitlines() if line.strip()), "")
    position = text.find(first) if first else -1
    return text.count("\n", 0, position) + 1 if position >= 0 else None


def _trigger(name: str) -> str:
    if name in {"push", "schedule"}:
        return name
    if name in {"pull_request", "pull_request_target", "merge_group"}:
        return "pull_request"
    return "manual" if name == "workflow_dispatch" else "other"


def _mapping(value: Any) -> dict[str, Any]:
    return {str(key): part for key, part in value.items()} if isinstance(value, dict) else {}
