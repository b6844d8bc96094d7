"""T5: whether training runs without its author."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, inspected
from mlestar.checks.registry import check
from mlestar.checks.trial import lacking, not_settled, tried
from mlestar.core.claims.slots import DURATION
from mlestar.core.evidence import Level, Outcome, Verdict, Where, slots
from mlestar.core.project.ci import jobs, reached
from mlestar.core.project.commands import runs_tests
from mlestar.core.project.declared_pipelines import declared_pipelines, training_modules, trains
from mlestar.core.project.deployment import objects
from mlestar.core.project.report_consistency import unknown_commit
from mlestar.core.project.smoke_tests import smoke_training
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.reports import TrackedRun
    from mlestar.core.facts.trial import TestTrial, TrainingTrial

_MAX_AGE = re.compile(
    (
        r"(max(imum)?[_ -]?(model[_ -]?)?(age|staleness)|model[_ "
        r"-]ttl|freshness|staleness)[^\n]{0,30}?(\d+(?:\.\d+)?)\s*(?:(hours?|days?|weeks?|months?|years?|d|h|w)\b)?"
    ),
    re.IGNORECASE,
)
_AGE_WORD = re.compile(r"[Mm]ax|[Tt][Tt][Ll]|[Ff]resh|[Ss]tale")
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30.5, "y": 365}
_DAY_S = 86_400


@check("T5.1")
def pipeline_is_declared(facts: Facts) -> Iterator[Verdict]:
    """The training pipeline is declared as a graph whose scripts exist.

    Why: Steps that live in a head or a notebook's order are lost with them.
    How: dvc.yaml, MLproject, Snakefile, make targets that train, and Airflow, Prefect, Dagster, Kubeflow, Metaflow,
        ZenML, Kedro and Flyte code; it must parse, have no cycle, and every script it calls must be there.
    Threshold: pass when all scripts exist and there is no cycle, partial with missing scripts, fail for none.
    Source: Google Cloud MLOps level 1.
    Fix: Declare the steps in dvc.yaml or another pipeline file, and keep its paths true.
    Limits: Static: that the graph is sound, not that it runs.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    found = declared_pipelines(project)
    if not found:
        if training_modules(project):
            yield inspected(Outcome.FAIL, "training code, but no declared pipeline")
        else:
            yield absent("no training code and no declared pipeline")
        return
    best = min(found, key=lambda pipeline: (pipeline.cyclic, len(pipeline.missing), pipeline.path))
    where = project.where(best.path, best.line)
    if best.cyclic:
        yield inspected(Outcome.FAIL, f"the stages of {best.path} depend on each other in a circle", where)
    elif best.missing:
        yield inspected(Outcome.PARTIAL, f"{best.path} ({best.kind}) names {listed(best.missing)}, not there", where)
    else:
        yield inspected(
            Outcome.PASS, f"{best.path} ({best.kind}): {counted(best.steps, 'step')}, every script is there", where
        )


@check("T5.2")
def ci_trains_and_tests(facts: Facts) -> Iterator[Verdict]:
    """CI trains on a sample and runs the tests.

    Why: Unit tests pass while the pipeline between them is broken.
    How: CI jobs on push or pull request, followed through task files and scripts: a command that starts training (or a
        test that calls a training function), and a test run. With execute, the project's training command and its
        tests are run here.
    Threshold: pass for both, partial for tests only, fail for neither.
    Source: ML Test Score, Infrastructure 3.
    Fix: Add a job that trains on a small sample end to end.
    Limits: Without execute static: what CI would run; whether the last run was green is not seen.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    if facts.trial is not None and facts.trial.training is not None:
        yield _end_to_end(facts, facts.trial.training, facts.trial.tests)
    commands = [
        command for job in jobs(project) if job.on_change for command in reached(project, job) if not command.ignored
    ]
    tests = next((command for command in commands if runs_tests(command)), None)
    training = next((command for command in commands if trains(project, command.words)), None)
    smoke = smoke_training(project, [command for command in commands if runs_tests(command)])
    if tests is not None and (training is not None or smoke is not None):
        said = f"`{training.text[:60]}`" if training else f"{smoke.path}:{smoke.line}" if smoke else ""
        where = project.where(training.path, training.line) if training else smoke
        yield inspected(Outcome.PASS, f"CI runs tests and trains ({said})", where)
    elif tests is not None and training_modules(project):
        yield inspected(
            Outcome.PARTIAL, "CI runs tests, and nothing in it trains", project.where(tests.path, tests.line)
        )
    elif training is not None:
        yield inspected(Outcome.PARTIAL, "CI trains, and runs no tests", project.where(training.path, training.line))
    elif training_modules(project):
        yield inspected(Outcome.FAIL, "no CI job trains or tests")
    else:
        yield absent("no training code in the project")


def _end_to_end(facts: Facts, training: TrainingTrial, tests: TestTrial | None) -> Verdict:
    command = f"`{training.command}`"
    if not training.runs:
        return not_settled(facts, command, training.problem, training.log)
    trained = f"{command} runs end to end in {training.seconds:.0f} s"
    if tests is None:
        return tried(facts, Outcome.PARTIAL, f"{trained}, and there are no tests")
    if tests.problem or tests.unmet:
        return not_settled(facts, f"{trained}; the tests", tests.problem or lacking(tests), tests.log)
    if tests.failed:
        return tried(facts, Outcome.PARTIAL, f"{trained}, and {len(tests.failed)} of {tests.cases} tests fail")
    return tried(facts, Outcome.PASS, f"{trained}, and {counted(tests.cases, 'test')} pass", n=tests.cases)


@check("T5.3")
def retraining_has_a_trigger_and_an_age(facts: Facts) -> Iterator[Verdict]:
    """Retraining has a trigger, a maximum model age is set, and the model is younger.

    Why: Models go stale silently.
    How: A schedule (CI, CronJob, workflow library, crontab) whose commands train; a maximum age or freshness with a
        number in configuration or documents; the age of the newest model file, or of its recorded hash, at HEAD.
    Threshold: pass for a trigger and a fresh model, partial for one of the two, fail for none.
    Source: ML Test Score, Model 4 and Monitoring 4; Rules of ML 8.
    Fix: Schedule the training and write max_model_age_days.
    Limits: Ages count from the commit date of HEAD; a model in a remote registry is not seen. A day that never comes
        (31 February) is no schedule, and a script that calls nothing trains nothing.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    if not training_modules(project):
        yield absent("no training code in the project")
        return
    trigger = _trigger(project)
    limit, where = _maximum_age(project)
    age = _model_age(project)
    fresh = limit is not None and age is not None and age <= limit
    said = ["a schedule that trains" if trigger else "no schedule that trains"]
    said += [f"maximum age {limit:g} days" if limit is not None else "no maximum age"]
    said += [f"model {age:.0f} days old at HEAD" if age is not None else "model age unknown"]
    outcome = (Outcome.FAIL, Outcome.PARTIAL, Outcome.PASS)[bool(trigger) + fresh]
    if outcome is Outcome.FAIL and limit is not None and age is None:
        outcome = Outcome.PARTIAL
    yield inspected(outcome, "; ".join(said), trigger or where)


def _trigger(project: ProjectFacts) -> Where | None:
    for job in jobs(project):
        if "schedule" in job.triggers:
            for command in reached(project, job):
                if trains(project, command.words):
                    return project.where(command.path, command.line)
    for path, item in objects(project, "CronJob", "CronWorkflow", "ScheduledWorkflow"):
        if re.search(r"train", str(item), re.IGNORECASE):
            return project.at(path, r"schedule:")
    for path, module in project.own_modules.items():
        timed = re.search(
            r"schedule(_interval)?\s*=\s*(?!None|\w*(torch|profiler|optim|sched)\w*\.|\w*lr_|\w*_schedule\()|CronSchedule|IntervalSchedule|ScheduleDefinition\(",
            module.text,
        )
        if timed and re.search(r"train", module.text, re.IGNORECASE):
            return project.where(path, module.text.count("\n", 0, timed.start()) + 1)
    return None


def _maximum_age(project: ProjectFacts) -> tuple[float | None, Where]:
    for path, text in project.texts.items():
        if project.files[path].kind not in {"config", "document", "python"} or "changelog" in path.lower():
            continue
        match = _MAX_AGE.search(text) if _AGE_WORD.search(text) else None
        if match and (match[6] or "day" in match[0].lower() or re.search(DURATION, match[0])):
            unit = (match[6] or "d")[0].lower()
            return float(match[5]) * _DAYS[unit], project.where(path, text.count("\n", 0, match.start()) + 1)
    return None, Where()


def _model_age(project: ProjectFacts) -> float | None:
    git = project.git
    if git is None:
        return None
    places = [model.path for model in project.models] + [
        entry.recorded_in
        for entry in project.data_hashes
        if re.search(r"model|\.(pkl|joblib|onnx|pt|skops)$", entry.path)
    ]
    newest = max((git.changed[path] for path in places if path in git.changed), default=None)
    return (git.head_time - newest) / _DAY_S if newest is not None else None


@check("T5.4")
def runs_link_code_and_data(facts: Facts) -> Iterator[Verdict]:
    """Each training run links its code commit, data hash, parameters and metrics.

    Why: A model whose origin is unknown can be neither explained nor repeated.
    How: Runs recorded by MLflow, W&B, DVC or JSON logs; the best-linked run counts. A commit that is not in a history
        which is here as a whole links nothing. Own runs record all four.
    Threshold: v = share of the four.
    Source: Google Cloud MLOps level 1: metadata management.
    Fix: Log the git commit and the data hash with every run.
    Limits: A log of another tool is believed up to the level attested.
    """
    run = facts.run
    if run is not None:
        linked = {
            "commit": run.code_commit,
            "data hash": run.data_sha256,
            "parameters": run.params,
            "metrics": run.metrics,
        }
        missing = [name for name, value in linked.items() if not value]
        observed = f"run {run.name}: {4 - len(missing)} of 4" + (f"; missing: {', '.join(missing)}" if missing else "")
        yield slots(4 - len(missing), 4, Level.MEASURED, observed, where=Where(path=f"run://{run.run_id}"))
    project = facts.project
    if project is None or not project.files:
        return
    records = project.reports.runs
    if not records:
        yield absent("no recorded run (MLflow, W&B, DVC or a JSON log)")
        return
    commit = project.git.head if project.git else ""
    linked = {record.commit for record in records if record.commit and not unknown_commit(project, record.commit)}
    by_missing = [
        (
            [
                name
                for name, there in (
                    (_named_commit(project, record), record.commit in linked or (record.tool == "dvc" and commit)),
                    ("data hash", record.data_hash),
                    ("parameters", record.params),
                    ("metrics", record.metrics),
                )
                if not there
            ],
            record,
        )
        for record in records
    ]
    missing, best = min(by_missing, key=lambda pair: (len(pair[0]), pair[1].path))
    observed = f"{best.path} ({best.tool}): {4 - len(missing)} of 4" + (
        f"; missing: {', '.join(missing)}" if missing else ""
    )
    fix = f"log {', '.join(missing)}"
    yield slots(4 - len(missing), 4, Level.ATTESTED, observed, where=project.where(best.path), fix=fix)


def _named_commit(project: ProjectFacts, record: TrackedRun) -> str:
    strange = bool(record.commit) and unknown_commit(project, record.commit)
    return f"commit ({record.commit[:7]} is not in this history)" if strange else "commit"
