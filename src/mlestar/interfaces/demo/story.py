"""The demo, step by step. Each step checks what it shows: the demo succeeds only if every step did what it says."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
from mcp import Client, StdioServerParameters

from mlestar.errors import WorkFailed
from mlestar.interfaces.demo.project import TARGET, build, copy_example, leak_target
from mlestar.interfaces.demo.screen import Screen
from mlestar.interfaces.mcp.sentences import place
from mlestar.interfaces.terminal.progress import live_bar
from mlestar.interfaces.terminal.scorecard import print_scorecard

WORKSPACE = "demo"
GOAL = "Goal: rank masses so that malignant ones are read first; recall of at least 0.92 on held-out masses."
CONSTRAINT = "Constraint: one prediction within 100 ms at the 95th percentile, on two CPU cores."
STEPS = [
    "Check the data for leaks, duplicates and a clean split",
    "Train and compare with a dummy and a simple model",
    "Judge the project in all five dimensions",
    "Fix what blocks production",
]
PIPELINE: dict[str, Any] = {
    "data": {"source": "sklearn:breast_cancer", "test": 0.25, "split": "stratified", "seed": 0},
    "training": {"algorithm": "auto", "timeBudgetS": 20, "tuning": {"trials": 0}},
    "evaluation": {"metrics": ["roc_auc", "f1", "accuracy"]},
    "deployment": {"environment": "staging"},
}
FINISHED = frozenset({"succeeded", "failed", "cancelled"})


class StepFailed(Exception):
    """A step did not do what it says; the rest cannot go on without it."""


@dataclass(kw_only=True)
class Story:
    """One telling of the demo."""

    client: Client
    folder: Path
    screen: Screen
    problems: list[str] = field(default_factory=list)

    async def call(self, tool: str, *, bar: str = "", **arguments: Any) -> dict[str, Any]:
        """Call a tool through the client, with a live bar when it is long work."""
        with ExitStack() as shown:
            listener = None
            if bar:
                listener = shown.enter_context(live_bar(bar, console=self.screen.console))
            result = await self.client.call_tool(
                tool, {**arguments, "workspace": WORKSPACE}, progress_callback=listener, read_timeout_seconds=120
            )
        text = getattr(result.content[0], "text", "")
        if result.is_error or result.structured_content is None:
            raise StepFailed(f"{tool}: {text}")
        return result.structured_content

    def require(self, holds: object, otherwise: str) -> None:
        """Record a problem unless `holds`."""
        if not holds:
            self.problems.append(otherwise)
            self.screen.wrong(otherwise)

    async def remember_and_plan(self) -> None:
        """Step 1: put a goal and a constraint into the Scoping window, then plan with them."""
        self.screen.step(1, "Remember the goal, then plan with it (context7_update, sequential_think)")
        for key, text in (("goal", GOAL), ("constraint", CONSTRAINT)):
            receipt = await self.call("context7_update", window=1, content=text, priority=5, key=key)
            use = next(window for window in receipt["windows"] if window["window"] == 1)
            self.screen.say(f"window 1 holds {use['used']} of {use['cap']} tokens: {text}")
        plan = await self.call("sequential_think", problem="Is this model ready for production?", steps=STEPS)
        for step in plan["steps"]:
            self.screen.say(f"step {step['step']}")
            for line in str(step["brief"]).splitlines():
                self.screen.say(f"    {line}")
            quoted = GOAL in step["brief"] and CONSTRAINT in step["brief"]
            self.require(quoted, f"the brief of step {step['step']} does not quote the goal and the constraint")

    async def run_the_pipeline(self) -> None:
        """Step 2: train for real, in a worker process, with progress."""
        self.screen.step(2, "Run all five stages on real data (run_pipeline)")
        run = await self.call("run_pipeline", bar="run_pipeline", name="screening", config=PIPELINE, wait_s=20)
        while run["status"] not in FINISHED:
            run = await self.call("get_run", bar="get_run", run_id=run["runId"], wait_s=20)
        stages = ", ".join(f"{stage['name']} {stage['status']} {stage['durationS']:.1f} s" for stage in run["stages"])
        self.screen.say(f"run {run['runId']}: {stages}")
        if run["status"] != "succeeded":
            raise StepFailed(f"the run ended as {run['status']}: {run['error']}")
        self.screen.metrics(run)
        model, dummy = run["metrics"]["roc_auc"], run["baselines"]["dummy"]["roc_auc"]
        self.require(model["low"] > dummy["high"], "the model is not better than the dummy")
        self.require("simple" in run["baselines"], "no simple model stands beside the model")

    async def judge_the_project(self, project: Path) -> dict[str, Any]:
        """Steps 3 and 4: judge the example project with its files and the run's evidence; show the scorecard."""
        self.screen.step(3, f"Judge the example project (evaluate_dimension all, {project.name})")
        judged = await self.evaluate(project)
        for finding in judged["findings"][:5]:
            self.screen.say(_line(finding))
        self.require(judged["findings"], "the judge found nothing in a project with real weaknesses")
        self.screen.step(4, "The scorecard (get_score)")
        card = await self.call("get_score")
        print_scorecard(self.screen.console, card)
        self.require(len(card["nextActions"]) == 3, "there are not three next actions")  # noqa: PLR2004 - the contract
        nowhere = [action["check"] for action in card["nextActions"] if not place(action["where"])]
        self.require(not nowhere, f"next actions without a place: {', '.join(nowhere)}")
        self.require(not card["blockers"], "the clean project is blocked")
        return card

    async def catch_a_leak(self, project: Path, before: dict[str, Any]) -> None:
        """Step 5: put one defect into the copy and see it caught."""
        column = leak_target(project)
        self.screen.step(5, f"Put one defect in: {column}, a copy of the target with 3% noise")
        judged = await self.evaluate(project)
        after = await self.call("get_score")
        blockers = {blocker["check"]: blocker for blocker in after["blockers"]}
        named = [f for f in judged["findings"] if f["check"] == "T2.1" and column in str(f)]
        for finding in named:
            self.screen.say(_line(finding))
        fell = after["score"]["overall"] < before["score"]["overall"]
        self.screen.say(f"overall {before['score']['overall']} -> {after['score']['overall']}")
        for alert in after["alerts"]:
            self.screen.say(f"alert: {alert['message']}")
        self.require(named, f"no finding names {column}")
        self.require("T2.1" in blockers, "the leak does not block production")
        self.require(fell, "the score did not fall")
        self.require(
            any(alert.get("about") == "training" for alert in after["alerts"]),
            "no alert fired for the training dimension",
        )

    async def evaluate(self, project: Path) -> dict[str, Any]:
        """Judge the project with everything it has."""
        return await self.call(
            "evaluate_dimension",
            bar="evaluate_dimension",
            dimension="all",
            project=str(project),
            train=str(project / "data" / "train.csv"),
            test=str(project / "data" / "test.csv"),
            target=TARGET,
            predictions=str(project / "predictions.csv"),
        )

    async def tell(self) -> None:
        """All steps in order; the first that cannot go on ends the story."""
        await self.remember_and_plan()
        await self.run_the_pipeline()
        project = await anyio.to_thread.run_sync(copy_example, self.folder)
        self.screen.say(f"built the example project: {await anyio.to_thread.run_sync(build, project)}")
        card = await self.judge_the_project(project)
        await self.catch_a_leak(project, card)


async def run_demo(keep: Path | None) -> int:
    """Tell the story; the exit code is 0 only if every step did what it says."""
    screen, started = Screen(), time.monotonic()
    with ExitStack() as stack:
        chosen = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlestar-demo-")))
        folder = chosen.resolve()  # the server reads a relative path from its roots, not from where it was started
        folder.mkdir(parents=True, exist_ok=True)
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "mlestar", "serve", "--root", str(folder), "--data-dir", str(folder / "state")],
        )
        async with Client(server) as client:
            screen.say(f"connected to a mlestar server over stdio, protocol {client.protocol_version}")
            story = Story(client=client, folder=folder, screen=screen)
            try:
                await story.tell()
            except (StepFailed, WorkFailed) as stopped:
                story.problems.append(str(stopped))
    screen.verdict(story.problems, time.monotonic() - started)
    return 1 if story.problems else 0


def _line(finding: dict[str, Any]) -> str:
    at = place(finding["where"]) or "the project"
    return f"{finding['check']} {finding['outcome']} at {at}: {finding['observed']}"
