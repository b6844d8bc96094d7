"""What a task runner's target stands for: make, just, tox, nox, poe, hatch, npm, mise, task, or a script."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlestar.core.project.commands import Command, commands_of, script_called

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

_MAKE_TARGET = re.compile(r"^([A-Za-z0-9_.%/-]+(?:[ \t]+[A-Za-z0-9_.%/-]+)*)[ \t]*::?(?!=)[ \t]*([^=\n]*)$")
_MOST_HOPS = 3


def expand(project: ProjectFacts, command: Command, hops: int = _MOST_HOPS) -> list[Command]:
    """The command and what it leads to, through at most `hops` task files or scripts."""
    found = [command]
    frontier = [command]
    seen = {command.words}
    for _ in range(hops):
        frontier = [
            Command(words=inner.words, path=inner.path, line=inner.line, ignored=inner.ignored or outer.ignored)
            for outer in frontier
            for inner in _one_hop(project, outer)
            if inner.words not in seen
        ]
        seen |= {inner.words for inner in frontier}
        found += frontier
        if not frontier:
            break
    return found


def make_targets(text: str) -> dict[str, tuple[int, list[str], list[tuple[int, str]]]]:
    """Target -> (line, prerequisites, recipe lines with their numbers)."""
    targets: dict[str, tuple[int, list[str], list[tuple[int, str]]]] = {}
    current: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = _MAKE_TARGET.match(line)
        if line.startswith("\t"):
            for name in current:
                targets[name][2].append((number, line.strip()))
        elif match and not line.startswith((".PHONY", " ")):
            current = match[1].split()
            for name in current:
                targets.setdefault(name, (number, match[2].split(), []))
    return targets


def _one_hop(project: ProjectFacts, command: Command) -> Iterator[Command]:
    words = command.words
    program = words[0].rpartition("/")[2]
    arguments = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    if program in {"make", "gmake"}:
        yield from _make(project, arguments)
    elif program == "just":
        yield from _just(project, arguments)
    elif program in {"tox", "nox"} or words[1:3] in (("-m", "tox"), ("-m", "nox")):
        yield from _tox(project) if "tox" in (program, *words[1:3]) else _nox(project)
    elif program in {"poe", "hatch", "pdm", "npm", "yarn", "pnpm", "mise", "task", "invoke", "inv"}:
        wanted = {word.rpartition(":")[2] for word in arguments}
        yield from (found for name, found in _named_tasks(project) if name in wanted)
    elif hatched := [found for name, found in _hatch_scripts(project) if name == words[0].rpartition(":")[2]]:
        yield from hatched  # `hatch run` is taken off as a wrapper: what is left is `environment:script`
    else:
        path = _script(project, script_called(command))
        text = project.texts.get(path)
        if text is not None and not path.endswith(".py"):
            yield from commands_of(text, path, 1)
        elif text is not None:
            yield from _python_calls(path, text)


def _script(project: ProjectFacts, called: str) -> str:
    """The script as a path of the project: from the root, from src, or the only one that a working folder leads to."""
    for path in (called, f"src/{called}"):
        if path in project.texts:
            return path
    found = [path for path in project.texts if called and path.endswith(f"/{called}")]
    return found[0] if len(found) == 1 else called


def _make(project: ProjectFacts, wanted: list[str]) -> Iterator[Command]:
    for path in project.paths(r"(^|/)(gnu)?makefile$"):
        targets = make_targets(project.texts.get(path, ""))
        names = wanted or list(targets)[:1]
        pending, done = list(names), set[str]()
        while pending:
            name = pending.pop(0)
            if name in done or name not in targets:
                continue
            done.add(name)
            pending += targets[name][1]
            for number, line in targets[name][2]:
                text = line.replace("$(MAKE)", "make")
                yield from commands_of(text.lstrip("@-+ "), path, number, ignored=line.lstrip("@+ ").startswith("-"))


def _just(project: ProjectFacts, wanted: list[str]) -> Iterator[Command]:
    for path in project.paths(r"(^|/)\.?justfile$"):
        recipe = ""
        for number, line in enumerate(project.texts.get(path, "").splitlines(), start=1):
            if line[:1].isalpha() and ":" in line and ":=" not in line:
                recipe = line.split(":")[0].split()[0]
            elif line.startswith((" ", "\t")) and recipe in wanted:
                yield from commands_of(line.strip().lstrip("@-"), path, number)


def _tox(project: ProjectFacts) -> Iterator[Command]:
    for path in project.paths(r"(^|/)(tox\.ini|setup\.cfg)$"):
        inside = False
        for number, line in enumerate(project.texts.get(path, "").splitlines(), start=1):
            if re.match(r"^\S", line):
                inside = bool(re.match(r"^commands\s*=", line))
                line = line.partition("=")[2] if inside else ""  # noqa: PLW2901 - the rest of the key's own line
            if inside and line.strip():
                yield from commands_of(line.strip().lstrip("-"), path, number)
    tox: Any = _table(project, "pyproject.toml", "tool", "tox")
    if tox:
        legacy = tox.get("legacy_tox_ini")
        yield from commands_of(legacy if isinstance(legacy, str) else "", "pyproject.toml")
        for words in _lists_of_words(tox):
            yield Command(words=tuple(words), path="pyproject.toml")


def _nox(project: ProjectFacts) -> Iterator[Command]:
    module = project.modules.get("noxfile.py")
    for node in module.nodes if module else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run":
            words = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            if words:
                yield Command(words=tuple(words), path="noxfile.py", line=node.lineno)


def _named_tasks(project: ProjectFacts) -> Iterator[tuple[str, Command]]:
    sources = (
        ("pyproject.toml", _table(project, "pyproject.toml", "tool", "poe", "tasks")),
        ("pyproject.toml", _table(project, "pyproject.toml", "tool", "pdm", "scripts")),
        ("package.json", _table(project, "package.json", "scripts")),
        ("mise.toml", _table(project, "mise.toml", "tasks")),
        (".mise.toml", _table(project, ".mise.toml", "tasks")),
        ("Taskfile.yml", _table(project, "Taskfile.yml", "tasks")),
    )
    for path, tasks in sources:
        for name, value in tasks.items():
            yield from ((name, command) for command in _task_commands(value, path))
    yield from _hatch_scripts(project)


def _hatch_scripts(project: ProjectFacts) -> Iterator[tuple[str, Command]]:
    for environment in _table(project, "pyproject.toml", "tool", "hatch", "envs").values():
        scripts = environment.get("scripts") if isinstance(environment, dict) else None
        for name, value in (scripts if isinstance(scripts, dict) else {}).items():
            yield from ((name, command) for command in _task_commands(value, "pyproject.toml"))


def _task_commands(value: Any, path: str) -> Iterator[Command]:
    if isinstance(value, str):
        yield from commands_of(value, path)
    elif isinstance(value, list):
        for part in value:
            yield from _task_commands(part, path)
    elif isinstance(value, dict):
        for key in ("cmd", "cmds", "run", "shell", "sequence", "commands"):
            if key in value:
                yield from _task_commands(value[key], path)


def _python_calls(path: str, text: str) -> Iterator[Command]:
    """A script in Python that starts programs: `subprocess.run(["pytest", ...])`, `pytest.main()`."""
    for found in _calls_in(text):
        yield Command(words=found[1], path=path, line=found[0])


@lru_cache(maxsize=64)
def _calls_in(text: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found: list[tuple[int, tuple[str, ...]]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "main" and isinstance(node.func.value, ast.Name) and node.func.value.id == "pytest":
            found.append((node.lineno, ("pytest",)))
        elif node.func.attr in {"run", "check_call", "call", "check_output", "system", "Popen"} and node.args:
            words = _literal_words(node.args[0])
            if words:
                found.append((node.lineno, words))
    return tuple(found)


def _literal_words(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return next((command.words for command in commands_of(node.value, "")), ())
    if isinstance(node, ast.List):
        words = [
            part.value
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
            else "python"
            if position == 0
            else ""
            for position, part in enumerate(node.elts)
        ]
        return tuple(word for word in words if word)
    return ()


def _table(project: ProjectFacts, path: str, *keys: str) -> dict[str, Any]:
    documents = project.manifests.get(path, ())
    value: Any = documents[0] if documents else {}
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _lists_of_words(value: Any) -> Iterator[list[str]]:
    """Lists that begin with a text, without what tox puts in their place later (`{ replace = "posargs" }`)."""
    if isinstance(value, list) and value and isinstance(value[0], str):
        yield [part for part in value if isinstance(part, str)]
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _lists_of_words(part)
