"""R5.1, R5.2 and R5.4: whether drift would be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, inspected
from mlestar.checks.measured import measured_by_run
from mlestar.checks.registry import check
from mlestar.checks.trial import not_settled, tried, undeclared
from mlestar.core.code.drift import alerts_on, drift_modules, schedules, thresholds, working_modules
from mlestar.core.evidence import Level, Outcome, Verdict, slots
from mlestar.core.facts.project import is_own
from mlestar.core.project.deployment import is_deployed
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.trial import DetectorTrial

_REFERENCE = (
    r"(^|/)[^/]*(reference|baseline)[^/]*\.(csv|parquet|json|ya?ml|feather|"
    r"jsonl|npz)$|(^|/)([^/]*[_.-])?profiles?([_.-][^/]*)?\.(json|ya?ml|bin)$"
)
_NO_REFERENCE = re.compile(
    r"(^|/)(configs?|conf)/.*\.ya?ml$|(^|/)(recipes?|references|load_?tests?|benchmarks?)/|(^|/)profiles\.ya?ml$|"
    r"(load|idle|latency|bench|cpu|memory|requests?|secrets|user|launch|aws|spark|pylint|mypy|bandit|eslint|lint)"
    r"[^/]*(baseline|profile)|(baseline|profile)[^/]*(request|resource|latency|load|config|secret|model)",
    re.IGNORECASE,
)
"""Settings, benchmarks and the accepted findings of scanners are called profile and baseline too."""
_DATED = re.compile(r"20\d\d-?\d\d-?\d\d")


@check("R5.1")
def reference_profile_is_stored(facts: Facts) -> Iterator[Verdict]:
    """The data that drift is measured against is stored, with its hash and date.

    Why: Drift from what? Without the reference of this very model the answer moves with the question.
    How: A reference or baseline data set or profile in the project; a recorded hash (DVC, manifest, checksum list) or a
        date in its name or content. Own runs store one with a hash.
    Threshold: pass with a hash or date, partial without, fail for none.
    Source: Rules of ML 37.
    Fix: Save the training profile beside the model, with its SHA-256 and date.
    Limits: That it belongs to the model in production is not proved.
    """
    run = facts.run
    if run is not None and run.reference_profile_sha256:
        observed = f"reference profile {run.reference_profile_sha256[:12]} stored with the model"
        yield measured_by_run(run, Outcome.PASS, observed)
    project = facts.project
    if project is None or not project.files:
        return
    found = [path for path in project.paths(_REFERENCE) if _is_reference(project, path)]
    if not found:
        yield (
            inspected(Outcome.FAIL, "no reference data set or profile")
            if is_deployed(project)
            else absent("no reference data set or profile")
        )
        return
    hashed = {entry.path for entry in project.data_hashes}
    dated = [
        path for path in found if path in hashed or _DATED.search(path) or _DATED.search(project.texts.get(path, ""))
    ]
    outcome = Outcome.PASS if dated else Outcome.PARTIAL
    observed = f"{listed(dated or found)}, {'with a hash or date' if dated else 'without hash and date'}"
    yield inspected(outcome, observed, project.where((dated or found)[0]))


def _is_reference(project: ProjectFacts, path: str) -> bool:
    """Whether a file holds something and is neither a test's, nor settings, nor a record of a load test."""
    return project.files[path].size > 2 and is_own(path) and not _NO_REFERENCE.search(path)  # noqa: PLR2004 - more than {}


@check("R5.2")
def drift_job_runs(facts: Facts) -> Iterator[Verdict]:
    """A drift check exists, has a threshold, runs on a schedule and alerts somebody.

    Why: A drift module that nothing calls detects nothing.
    How: Own modules about drift, by name or by what they define or import; they must do something; a comparison with a
        threshold; a schedule (CI, CronJob, DAG, crontab) that reaches the module; an alert rule on drift, or a
        notification or failing exit in the module.
    Threshold: v = share of the four; an empty module, or one that looks at nothing it is given, is a fail.
    Source: ML Test Score, Monitoring 2 and 3.
    Fix: Fill the module, compare with a threshold, schedule it and let it alert.
    Limits: Static: what is configured, not what runs.
    """
    project = facts.project
    if project is None or not project.files:
        return
    modules = drift_modules(project)
    if not modules:
        yield (
            inspected(Outcome.FAIL, "no drift check in the code")
            if is_deployed(project)
            else absent("no drift check in the code")
        )
        return
    real = working_modules(project)
    if not real:
        observed = f"{modules[0].path} does nothing"
        yield inspected(
            Outcome.FAIL, observed, project.where(modules[0].path, 1), fix=f"implement {modules[0].path} or delete it"
        )
        return
    parts = {
        "a module that works": True,
        "a threshold": thresholds(real) is not None,
        "a schedule that reaches it": schedules(project, real),
        "an alert": alerts_on(project, real),
    }
    missing = [name for name, there in parts.items() if not there]
    observed = f"{real[0].path}: {4 - len(missing)} of 4" + (f"; missing: {', '.join(missing)}" if missing else "")
    line = thresholds(real)
    where = project.in_code(*line) if line else project.where(real[0].path)
    yield slots(
        4 - len(missing), 4, Level.INSPECTED, observed, where=where, fix=f"add {', '.join(missing)} to {real[0].path}"
    )


@check("R5.4")
def drift_detector_detects(facts: Facts) -> Iterator[Verdict]:
    """The project's own drift tests show that a shift is found and a resample is not.

    Why: A detector that never fires, or always, is decoration.
    How: Test functions that import the drift module and assert on a shifted and on an unshifted sample, by AST. With
        execute, the declared detector is called on halves of the reference rows, five times shifted by 0.6 standard
        deviations and five times as they are.
    Threshold: pass for both kinds of test (of calls: at least four of five right in each), partial for one, fail for
        none.
    Source: This project's own.
    Fix: Add a test with a shift of 0.6 standard deviations that must fire, and a resample that must not.
    Limits: Without execute static: the tests are read, not run. Every number is shifted at once.
    """
    project = facts.project
    if project is None:
        return
    if facts.trial is not None and facts.trial.detector is not None:
        yield _called(facts, facts.trial.detector)
    real = working_modules(project)
    if not real:
        if (missing := undeclared(facts, "R5.4")) is not None:
            yield missing
        return
    names = {module.dotted.rpartition(".")[2] for module in real}
    tests = [
        module
        for module in project.test_modules.values()
        if any(name in module.text for name in names)
        if any(
            target.rpartition(".")[2] in names or (target.split(".")[-2:-1] and target.split(".")[-2] in names)
            for target in module.imports.values()
        )
    ]
    text = "\n".join(module.text for module in tests)
    shifted = bool(re.search(r"def test\w*(shift|drift(ed|s)?_|detect|fires?|alarm|changed)", text, re.IGNORECASE))
    quiet = bool(
        re.search(
            (
                r"def test\w*(no_drift|same|silent|quiet|stable|identical|unchanged|"
                r"resample|without_drift|false_alarm|not_)"
            ),
            text,
            re.IGNORECASE,
        )
    )
    outcome = (Outcome.FAIL, Outcome.PARTIAL, Outcome.PASS)[shifted + quiet]
    kinds = (
        listed([name for name, there in (("a shift", shifted), ("no shift", quiet)) if there])
        or "neither a shift nor its absence"
    )
    where = project.where(tests[0].path) if tests else project.where(real[0].path)
    yield inspected(outcome, f"{counted(len(tests), 'test module')} of {real[0].path}, testing {kinds}", where)


def _called(facts: Facts, trial: DetectorTrial) -> Verdict:
    if trial.problem:
        return not_settled(facts, trial.function, trial.problem, trial.log)
    fires = trial.fired >= trial.of - 1
    quiet = trial.false_alarms <= 1
    observed = (
        f"{trial.function} on {trial.rows} against {trial.rows} rows: fired on {trial.fired} of {trial.of} shifts of "
        f"0.6 standard deviations and on {trial.false_alarms} of {trial.of} resamples"
    )
    return tried(facts, (Outcome.FAIL, Outcome.PARTIAL, Outcome.PASS)[fires + quiet], observed, n=2 * trial.rows)
