"""What of a project could be run, when an evaluation asks for it: found in its files, or declared by it.

[tool.mlestar.inputs]
train_command = "python -m pkg.train"   # else: dvc.yaml, a target `train` of the Makefile, MLproject, the README
predict = "pkg.serve:predict"           # a data frame in, one prediction a row out
detector = "pkg.drift:detect"           # (reference, current) data frames in, true or false out
load = "pkg.serve:load"                 # the path of a model file in, a model out: callable, or with a method predict
python = ".venv/bin/python"             # else: .venv or venv of the project, else the judge's own
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.claims.readme import code_blocks, readme_of
from mlestar.core.code.defined_tests import count_tests
from mlestar.core.project.commands import commands_of
from mlestar.core.project.declared_pipelines import trains
from mlestar.core.project.deployment import mapping, sequence
from mlestar.core.project.kept_models import newest_two
from mlestar.core.project.task_files import make_targets

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.project.kept_models import KeptModel

FUNCTION = re.compile(r"[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*(\.\w+)*")
SECTION = "[tool.mlestar.inputs] in pyproject.toml"
LINES = {
    "train_command": 'train_command = "python -m package.train"',
    "predict": 'predict = "package.module:function"',
    "detector": 'detector = "package.module:function"',
    "load": 'load = "package.module:function"',
}
FUNCTIONS = ("predict", "detector", "load")
_PYTHON = re.compile(r"python3?\s+(-m\s+)?[\w./-]+(\s+[\w./=-]+)*")


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """What there is to run; empty parts are not declared.

    Attributes:
        tests: Test functions that the source defines.
        train_command: For a shell, in `train_folder` (relative, empty for the root).
        train_source: The file that declares it.
        predict, detector, load: module:function.
        kept: The model file before the newest, and the newest; None when the project keeps fewer than two.
        predictions: The file of predictions that the project names as its own.
        python: The interpreter that the project names.
    """

    tests: int = 0
    train_command: str = ""
    train_folder: str = ""
    train_source: str = ""
    predict: str = ""
    detector: str = ""
    load: str = ""
    kept: tuple[KeptModel, KeptModel] | None = None
    predictions: str = ""
    python: str = ""

    @property
    def runs(self) -> dict[str, str]:
        """Check -> what executing would run to settle it. A check that is not here has nothing to run."""
        command = f"`{self.train_command}`"
        found = {
            "X5.1": "the tests" if self.tests else "",
            "X4.4": f"{command} twice" if self.train_command else "",
            "T5.2": f"{command}{' and the tests' * bool(self.tests)}" if self.train_command else "",
            "R2.4": f"`{self.predict}` on bad input" if self.predict else "",
            "R3.2": f"`{self.predict}` 220 times" if self.predict else "",
            "R5.4": f"`{self.detector}` on a shift and a resample" if self.detector else "",
            "R4.4": f"`{self.load}` on {self.kept[0].path} and {self.kept[1].path}" if self.load and self.kept else "",
        }
        return {check: text for check, text in found.items() if text}


def line_to_add(name: str) -> str:
    """The fix for something that is not declared: the very line."""
    return f"add {LINES[name]} to {SECTION}, then evaluate with execute"


def trial_plan(project: ProjectFacts, inputs: Mapping[str, Any]) -> TrialPlan:
    """Read what the project declares; `inputs` is its `[tool.mlestar.inputs]`."""
    text = {name: str(inputs.get(name, "")).strip() for name in (*LINES, "predictions", "python")}
    functions = {name: text[name] if FUNCTION.fullmatch(text[name]) else "" for name in FUNCTIONS}
    command, folder, source = (text["train_command"], "", "pyproject.toml")
    if not command:
        command, folder, source = next(_training(project), ("", "", ""))
    return TrialPlan(
        tests=count_tests(project).least,
        train_command=command,
        train_folder=folder,
        train_source=source,
        predictions=text["predictions"],
        python=text["python"],
        kept=newest_two(project),
        **functions,
    )


def undeclarable(inputs: Mapping[str, Any]) -> list[str]:
    """What is wrong with the functions that are named."""
    return [
        f'tool.mlestar.inputs.{name}: "{inputs[name]}" is not of the form "package.module:function"'
        for name in FUNCTIONS
        if name in inputs and not FUNCTION.fullmatch(str(inputs[name]))
    ]


def _training(project: ProjectFacts) -> Iterator[tuple[str, str, str]]:
    """(command, folder, file that declares it), the most explicit declaration first."""
    yield from _dvc(project)
    for path in project.paths(r"^(gnu)?makefile$"):
        if "train" in make_targets(project.texts.get(path, "")):
            yield "make train", "", path
    for path in project.paths(r"^MLproject$"):
        for command in re.findall(r"command:\s*[\"']?(.+?)[\"']?\s*$", project.texts.get(path, ""), re.MULTILINE):
            if "{" not in command and _starts_training(project, command):
                yield command, "", path
    readme = readme_of(project)
    for _, _, block in code_blocks(project.texts[readme]) if readme else ():
        for row in block.splitlines():
            command = re.sub(r"\s+#.*$", "", row.strip().removeprefix("$ "))
            if _PYTHON.fullmatch(command) and _starts_training(project, command):
                yield command, "", readme


def _starts_training(project: ProjectFacts, script: str) -> bool:
    return any(trains(project, command.words) for command in commands_of(script, ""))


def _dvc(project: ProjectFacts) -> Iterator[tuple[str, str, str]]:
    """The first stage that trains, after the stages whose outputs it reads."""
    for path, document in project.parsed():
        if path.rpartition("/")[2] != "dvc.yaml":
            continue
        stages = {str(name): mapping(stage) for name, stage in mapping(mapping(document).get("stages")).items()}
        scripts = {
            name: " && ".join(str(part) for part in sequence(stage.get("cmd")) or [stage.get("cmd") or ""])
            for name, stage in stages.items()
        }
        last = next((name for name, script in scripts.items() if _starts_training(project, script)), "")
        chain = _needed(stages, last) if last else []
        if chain and not any("${" in scripts[name] or stages[name].get("wdir") for name in chain):
            yield " && ".join(scripts[name] for name in chain), path.rpartition("/")[0], path


def _needed(stages: Mapping[str, Mapping[str, Any]], last: str) -> list[str]:
    """`last` and, before it, every stage that makes what it depends on."""
    order: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        seen.add(name)
        needs = {str(need) for need in sequence(stages[name].get("deps"))}
        for other, stage in stages.items():
            if other not in seen and needs & _outs(stage):
                visit(other)
        order.append(name)

    visit(last)
    return order


def _outs(stage: Mapping[str, Any]) -> set[str]:
    return {next(iter(out), "") if isinstance(out, dict) else str(out) for out in sequence(stage.get("outs"))}
