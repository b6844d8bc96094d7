"""X4: whether the same code and data give the same model again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, graded, inspected
from mlestar.checks.measured import measured_by_run
from mlestar.checks.registry import check
from mlestar.checks.trial import not_settled, tried, undeclared
from mlestar.core.code.randomness import random_sources
from mlestar.core.evidence import Level, Outcome, Verdict
from mlestar.core.facts.project import is_own
from mlestar.core.project.dependencies import covers, dependencies
from mlestar.core.wording import counted, listed, percent

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.trial import TrainingTrial
    from mlestar.core.project.dependencies import Dependencies

_RECORDS = re.compile(
    r"(^|/)(logs?|results|outputs?)/|(^|/)(mlflow|optuna|airflow|prefect)[^/]*\.(db|sqlite3?)$", re.IGNORECASE
)
"""What runs leave behind: no data that a model is made of."""


@check("X4.1")
def dependencies_are_locked(facts: Facts) -> Iterator[Verdict]:
    """Every imported package is pinned to one version in a lock file.

    Why: An unpinned library changes its defaults under the model, and no result can be reproduced.
    How: Lock files (uv, poetry, pdm, pipenv, pixi, conda-lock, PEP 751) or requirements with `==`; the packages that
        own code imports, by AST, must be among them.
    Threshold: pass for a lock file (or all `==`) that covers every import, partial for a lock that misses some or at
        least 90% pinned, fail below.
    Source: OpenSSF Scorecard Pinned-Dependencies; ML Code Completeness checklist.
    Fix: Commit uv.lock (uv lock) or a compiled requirements.txt with hashes (pip-compile --generate-hashes).
    Limits: Import names are mapped to distributions by a table; an unusual one may be reported as missing.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    found = dependencies(project)
    if found.locks:
        yield _by_lock(project, found)
        return
    if not found.requirements:
        if found.imported:
            yield inspected(
                Outcome.FAIL, f"no lock file and no declared dependencies for {listed(list(found.imported))}"
            )
        else:
            yield absent("no third-party import and no declared dependency")
        return
    loose = [requirement for requirement in found.requirements if not requirement.exact]
    names = frozenset(requirement.name for requirement in found.requirements)
    missing = [name for name in found.imported if not covers(names, name)]
    pinned = len(found.requirements) - len(loose)
    share = pinned / (len(found.requirements) + len(missing))
    if not loose and not missing:
        hashed = all(requirement.hashed for requirement in found.requirements)
        observed = (
            f"all {counted(pinned, 'requirement')} pinned with =={' and hashes' if hashed else ', without hashes'}"
        )
        yield inspected(Outcome.PASS, observed, project.where(found.requirements[0].path), n=pinned)
        return
    first = loose[0] if loose else found.requirements[0]
    problems = ([f"not pinned: {listed([r.name for r in loose])}"] if loose else []) + (
        [f"imported but not declared: {listed([f'{name} ({found.imported[name]})' for name in missing])}"]
        if missing
        else []
    )
    yield inspected(
        graded(share, 1.1, facts.limit("X4.1", "partial")),
        f"no lock file; {percent(share)} of the needed packages pinned with ==; {'; '.join(problems)}",
        project.where(first.path, first.line),
        n=len(found.requirements),
    )


def _by_lock(project: ProjectFacts, found: Dependencies) -> Verdict:
    path = next(iter(found.locks))
    names = frozenset().union(*found.locks.values())
    if not names:
        return inspected(Outcome.FAIL, f"{path} locks nothing", project.where(path))
    missing = [name for name in found.imported if not covers(names, name)]
    if missing:
        listing = listed([f"{name} ({found.imported[name]})" for name in missing])
        return inspected(
            Outcome.PARTIAL, f"{path} lacks imported packages: {listing}", project.where(path), n=len(names)
        )
    observed = f"{path} locks {counted(len(names), 'package')}, every one of {len(found.imported)} imported among them"
    return inspected(Outcome.PASS, observed, project.where(path), n=len(names))


@check("X4.2")
def randomness_is_seeded(facts: Facts) -> Iterator[Verdict]:
    """Every library that draws random numbers is seeded.

    Why: Without a seed, a better score may be a luckier draw.
    How: Libraries that own code uses for randomness (random, NumPy, PyTorch, TensorFlow, scikit-learn and pandas
        sampling), by AST; a global seed, a seeded generator, or `random_state` in the call, also through `**params`.
    Threshold: pass when all are seeded, partial when some are, fail when none is.
    Source: NeurIPS reproducibility checklist.
    Fix: Pass random_state to the calls named and seed the global generators once at the start.
    Limits: A seed set by a framework's configuration file or on the command line is not seen.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    sources = random_sources(project)
    if not sources:
        yield absent("no use of a random number library in the project's own code")
        return
    loose = [source for source in sources if source.unseeded]
    if not loose:
        names = listed([f"{source.library} ({source.draws})" for source in sources])
        yield inspected(Outcome.PASS, f"seeded: {names}", n=sum(source.draws for source in sources))
        return
    path, line, name = loose[0].unseeded[0]
    partly = len(loose) < len(sources) or any(len(source.unseeded) < source.draws for source in loose)
    details = listed(
        [f"{source.library}: {len(source.unseeded)} of {counted(source.draws, 'draw')}" for source in loose]
    )
    yield inspected(
        Outcome.PARTIAL if partly else Outcome.FAIL,
        f"unseeded {details}; first {name}",
        project.in_code(project.modules[path], line),
        n=sum(source.draws for source in sources),
        fix=f"seed {name} at {path}:{line}",
    )


@check("X4.3")
def data_versions_match(facts: Facts) -> Iterator[Verdict]:
    """The recorded hash of each data file equals the file.

    Why: A model whose training data changed silently cannot be explained, let alone repeated.
    How: Hashes in dvc.lock, .dvc files, checksum lists and JSON or YAML manifests; the files are hashed again here.
    Threshold: pass when every present file matches, partial when hashes are recorded but no file is there to compare,
        fail on a difference or when data files have no recorded hash.
    Source: Rules of ML 31; DVC.
    Fix: Track the data with DVC (dvc add) or commit a SHA256SUMS file, and update it with the data.
    Limits: DVC folders are recorded by a listing that is not recomputed; files above 256 MiB are not hashed.
    """
    project = facts.project
    if project is None:
        return
    recorded = project.data_hashes
    if not recorded:
        data = [
            file
            for file in project.files.values()
            if file.kind == "data" and is_own(file.path) and not _RECORDS.search(file.path)
        ]
        if data:
            where = project.where(data[0].path)
            yield inspected(Outcome.FAIL, f"no recorded hash for {counted(len(data), 'data file')}", where, n=len(data))
        else:
            yield absent("no data file and no recorded data hash in the project")
        return
    compared = [entry for entry in recorded if entry.actual]
    wrong = next((entry for entry in compared if entry.actual != entry.recorded), None)
    first = wrong or recorded[0]
    if wrong is not None:
        outcome, observed = (
            Outcome.FAIL,
            f"{wrong.path} has {wrong.algorithm} {wrong.actual[:12]}, not {wrong.recorded[:12]}",
        )
    elif compared:
        outcome = Outcome.PASS
        observed = f"{len(compared)} of {counted(len(recorded), 'recorded file')} present, each equal to its hash"
    else:
        outcome, observed = (
            Outcome.PARTIAL,
            f"hashes of {counted(len(recorded), 'file')} recorded, none of the files is here",
        )
    yield Verdict(
        outcome=outcome,
        level=Level.MEASURED if compared else Level.INSPECTED,
        observed=observed,
        where=project.where(first.recorded_in, first.line),
        n=len(compared),
    )


@check("X4.4")
def training_repeats(facts: Facts) -> Iterator[Verdict]:
    """Training twice with the same seed gives the same predictions.

    Why: A result that its own authors cannot repeat is not a result.
    How: A pipeline run trains a second time with the same seed and compares the hashes of the held-out predictions.
        With execute, the project's training command runs twice in fresh copies, and the predictions (else the
        models) that it wrote are compared.
    Threshold: pass when the hashes are equal; partial when they differ and the metric moves by at most one bootstrap
        standard error; fail beyond.
    Source: ML Test Score, Infrastructure 1.
    Fix: Fix the seeds, the thread count and the row order; name the nondeterministic operation in the model card.
    Limits: Same machine, same libraries; equality across machines is not shown.
    """
    run = facts.run
    if run is not None and run.prediction_sha256 and run.repeat_sha256:
        same = run.prediction_sha256 == run.repeat_sha256
        detail = f"prediction hashes {run.prediction_sha256[:12]} and {run.repeat_sha256[:12]}"
        yield measured_by_run(run, Outcome.PASS if same else Outcome.FAIL, f"two trainings with one seed, {detail}")
    elif (missing := undeclared(facts, "X4.4")) is not None:
        yield missing
    if facts.trial is not None and facts.trial.training is not None:
        yield _repeated(facts, facts.trial.training)


def _repeated(facts: Facts, trial: TrainingTrial) -> Verdict:
    command = f"`{trial.command}`"
    if trial.problem:
        return not_settled(facts, command, trial.problem, trial.log)
    files = listed(list(trial.compared))
    if trial.equal:
        return tried(facts, Outcome.PASS, f"{command} twice: {files} equal byte by byte")
    if trial.equal is None:
        fix = "let the training write its predictions, and name them: predictions = in [tool.mlestar.inputs]"
        return tried(facts, Outcome.INCONCLUSIVE, f"{command} wrote no predictions and no model file twice", fix=fix)
    if trial.change is None or trial.standard_error is None:
        fix = "let the training write its predictions, and name them: predictions = in [tool.mlestar.inputs]"
        return tried(facts, Outcome.INCONCLUSIVE, f"{command} twice: {files} differ, and hold no metric", fix=fix)
    within = abs(trial.change) <= trial.standard_error
    observed = (
        f"{command} twice: {files} differ; {trial.metric} moved by {trial.change:+.4f}, "
        f"{'within' if within else 'beyond'} its standard error of {trial.standard_error:.4f}"
    )
    return tried(facts, Outcome.PARTIAL if within else Outcome.FAIL, observed)
