"""Runs a project's own code, when an evaluation asks for it: tests, training, its functions, its last model.

Everything runs enclosed (`enclosure`) in a temporary copy (`trial_folder`). What goes wrong is part of the answer.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.facts.trial import DetectorTrial, PredictTrial, PreviousTrial, TestTrial, TrainingTrial, TrialFacts
from mlestar.evidence.bounded import read_bytes
from mlestar.execution.enclosure import Allowance, Ended, supported
from mlestar.execution.trial_folder import TooLarge, TrialFolder, interpreter_of
from mlestar.execution.trial_tests import run_tests
from mlestar.execution.trial_training import run_training

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import DataFacts, Table
    from mlestar.core.project.kept_models import KeptModel
    from mlestar.core.project.trial_plan import TrialPlan

PROBE = Path(__file__).with_name("probe.py")
PROBE_ROWS, DETECTOR_ROWS, FIXTURE_ROWS = 300, 4_000, 50
MOST_RESTARTS = 8
_ANSWERS_BYTES = 1 << 20
_CRASHED = "the process"
Say = Callable[[str], None]


def run_trial(
    project: Path,
    plan: TrialPlan,
    facts: Facts,
    *,
    dimensions: Iterable[str],
    say: Say,
    allowance: Allowance | None = None,
) -> TrialFacts:
    """Run what `plan` has for these dimensions (letters) of the project in the folder `project`.

    Args:
        project: Only read.
        plan: What there is to run.
        facts: What was read; rows to predict on come from its test or training table.
        dimensions: T: tests, training. R: predict, detector, previous model. X: tests, training twice.
        say: Told what is run.
        allowance: For each single command.
    """
    asked = set(dimensions)
    if not supported():
        return _everywhere(plan, asked, "this system cannot enclose a process (POSIX only)")
    with tempfile.TemporaryDirectory(prefix="mlestar-trial-") as base:
        place = TrialFolder(
            project=project,
            base=Path(base),
            python=interpreter_of(project, plan.python),
            allowance=allowance or Allowance(),
        )
        try:
            place.renew()
            return _Trial(place=place, plan=plan, facts=facts, say=say).run(asked)
        except (TooLarge, OSError) as error:
            return _everywhere(plan, asked, f"the project could not be copied: {error}")


def _everywhere(plan: TrialPlan, asked: set[str], problem: str) -> TrialFacts:
    code, serving = bool(asked & {"T", "X"}), "R" in asked
    return TrialFacts(
        tests=TestTrial(command="python -m pytest", problem=problem) if plan.tests and code else None,
        training=TrainingTrial(command=plan.train_command, problem=problem) if plan.train_command and code else None,
        predict=PredictTrial(function=plan.predict, problem=problem) if plan.predict and serving else None,
        detector=DetectorTrial(function=plan.detector, problem=problem) if plan.detector and serving else None,
        previous=PreviousTrial(function=plan.load, problem=problem) if plan.load and plan.kept and serving else None,
    )


@dataclass(frozen=True, kw_only=True)
class _Trial:
    place: TrialFolder
    plan: TrialPlan
    facts: Facts
    say: Say

    def run(self, asked: set[str]) -> TrialFacts:
        plan, parts = self.plan, dict[str, Any]()
        look = self.place.run([self.place.python, "-c", "pass"])
        if look.how == "broken":
            return _everywhere(plan, asked, "the enclosure could not be set up")
        if plan.predict and "R" in asked:
            self.say(f"calling {plan.predict}")
            parts["predict"] = self._predict()
        if plan.detector and "R" in asked:
            self.say(f"calling {plan.detector}")
            parts["detector"] = self._detector()
        if plan.load and plan.kept and "R" in asked:
            self.say(f"loading {plan.kept[0].path}")
            parts["previous"] = self._previous(*plan.kept)
        if plan.tests and asked & {"T", "X"}:
            self.say("running the tests")
            self.place.renew()
            own = self.facts.project.own_modules if self.facts.project else {}
            parts["tests"] = run_tests(self.place, [path for path in own if path.endswith(".py")])
        if plan.train_command and asked & {"T", "X"}:
            self.say(f"running {plan.train_command}")
            target = self.facts.data.target if self.facts.data else ""
            parts["training"] = run_training(self.place, plan, target=target, times=2 if "X" in asked else 1)
        others = "other files read-only" if look.read_only else "other files protected by permissions only"
        return TrialFacts(enclosure=f"no network ({look.network}), {others}", **parts)

    def _predict(self) -> PredictTrial:
        function, table = self.plan.predict, _rows(self.facts.data, ("test", "train"))
        if table is None:
            return PredictTrial(function=function, problem="there are no rows to predict on: name test or train")
        self._sample(table, PROBE_ROWS)
        limits = {name: round(self.facts.limit("R3.2", name)) for name in ("warm_up", "calls")}
        lines, ended = self._probe("latency", function, **limits)
        timed = next((line for line in lines if "p95_ms" in line), None)
        answers, problem, ended = self._answers(function, ended)
        return PredictTrial(
            function=function,
            answers=answers,
            crashes=tuple(kind for kind, (_, said) in answers.items() if said.startswith(_CRASHED)),
            latency_p95_ms=float(timed["p95_ms"]) if timed else None,
            calls=int(timed["calls"]) if timed else 0,
            problem=problem,
            log=ended.tail if problem or timed is None else "",
        )

    def _answers(self, function: str, ended: Ended) -> tuple[dict[str, tuple[bool, str]], str, Ended]:
        """Try each kind of bad input; one that kills the process is unsafe, and the others are tried in a new one."""
        answers: dict[str, tuple[bool, str]] = {}
        kinds: list[str] = []
        for _ in range(MOST_RESTARTS):
            lines, ended = self._probe("robustness", function, kinds=[kind for kind in kinds if kind not in answers])
            first = next((line for line in lines if "kinds" in line), None)
            if first is None:
                return answers, ended.problem or "gave no answer", ended
            if first["plain"]:
                return {}, f"with five good rows it {first['plain']}", ended
            kinds = [str(kind) for kind in first["kinds"]]
            answers |= {line["kind"]: (bool(line["safe"]), str(line["said"])[:120]) for line in lines if "kind" in line}
            trying = next((str(line["trying"]) for line in reversed(lines) if "trying" in line), "")
            if trying and trying not in answers:
                answers[trying] = (False, f"{_CRASHED} {ended.problem or 'ended'}")
            if len(answers) >= len(kinds):
                break
        return answers, "", ended

    def _detector(self) -> DetectorTrial:
        function, table = self.plan.detector, _rows(self.facts.data, ("reference", "train", "test"))
        if table is None:
            return DetectorTrial(function=function, problem="there are no rows to try it on: name reference or train")
        self._sample(table, DETECTOR_ROWS)
        lines, ended = self._probe("detector", function)
        said = lines[-1] if lines else {"problem": ended.problem or "gave no answer"}
        if "problem" in said:
            return DetectorTrial(function=function, problem=str(said["problem"]), log=ended.tail)
        return DetectorTrial(
            function=function,
            rows=int(said["rows"]),
            of=int(said["of"]),
            fired=int(said["fired"]),
            false_alarms=int(said["false_alarms"]),
        )

    def _previous(self, before: KeptModel, newest: KeptModel) -> PreviousTrial:
        function = self.plan.load
        known = PreviousTrial(function=function, path=before.path, sha256=before.sha256)
        if before.recorded and before.sha256 and before.recorded != before.sha256:
            return replace(known, wrong=f"is not the file of version {before.version} that was registered")
        table = _rows(self.facts.data, ("test", "train"))
        if table is None:
            return replace(known, problem="there are no rows to predict on: name test or train")
        self._sample(table, FIXTURE_ROWS)
        lines, ended = self._probe("previous", function, models=[newest.path, before.path])
        said: dict[str, Any] = {key: value for line in lines for key, value in line.items()}
        if "newest" not in said or said["newest"]:
            what = f"the newest model, {newest.path}: {said.get('newest') or ended.problem or 'gave no answer'}"
            return replace(known, problem=what, log=ended.tail)
        wrong = said.get("before", f"the process {ended.problem or 'ended'}")
        return replace(known, rows=int(said["rows"]), wrong=str(wrong), differs=str(said.get("differs", "")))

    def _sample(self, table: Table, most: int) -> None:
        frame = table.frame.head(most)
        dropped = [name for name in (self.facts.data.target if self.facts.data else "",) if name in frame.columns]
        frame.drop(columns=dropped).to_csv(self.place.own / "sample.csv", index=False)

    def _probe(self, task: str, function: str, **more: Any) -> tuple[list[Mapping[str, Any]], Ended]:
        own, answers = self.place.own, self.place.written / "answers.jsonl"
        request = {
            "task": task,
            "function": function,
            "sample": str(own / "sample.csv"),
            "answers": str(answers),
            **more,
        }
        (own / "request.json").write_text(json.dumps(request), encoding="utf-8")
        shutil.copyfile(PROBE, own / "probe.py")
        answers.unlink(missing_ok=True)
        ended = self.place.run([self.place.python, str(own / "probe.py"), str(own / "request.json")])
        lines: list[Mapping[str, Any]] = []
        with suppress(OSError, ValueError):
            for line in read_bytes(answers, _ANSWERS_BYTES).decode("utf-8", "replace").splitlines():
                value = json.loads(line)
                lines += [value] if isinstance(value, dict) else []
        return lines, ended


def _rows(data: DataFacts | None, names: Iterable[str]) -> Table | None:
    tables = (getattr(data, name) for name in names) if data is not None else iter(())
    return next((table for table in tables if table is not None), None)
