"""R4: whether the way back is open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlestar.checks.inspected import absent, attested, inspected
from mlestar.checks.measured import measured_by_run
from mlestar.checks.registry import check
from mlestar.checks.trial import not_settled, tried, undeclared
from mlestar.core.claims.documents import RUNBOOK, statements_in
from mlestar.core.claims.slots import DATE, is_concrete
from mlestar.core.evidence import Level, Outcome, Verdict, slots
from mlestar.core.project.deployment import Workload, mapping, model_workloads, place
from mlestar.core.project.kept_models import newest_two
from mlestar.core.project.model_versions import model_versions
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.claims.text import Statement
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.trial import PreviousTrial

_DAY_S = 86_400
_COMMAND = re.compile(
    r"\b(kubectl\s+(rollout\s+undo|set\s+image|apply|argo)|helm\s+rollback|argocd\s+app\s+rollback|git\s+(revert|checkout|reset)|"
    r"docker\s+(service|compose|run|tag|stack)|mlflow\s+\w+|dvc\s+checkout|aws\s+\w+|gcloud\s+\w+|az\s+\w+|make\s+[\w-]*roll\w*|"
    r"\./[\w./-]*roll\w*[\w./-]*|bash\s+[\w./-]+|python3?\s+(-m\s+)?[\w./-]+|terraform\s+apply|systemctl\s+\w+)[^\n`]*",
)
_OWNER = re.compile(
    r"@[\w-]+|\b[\w.+-]+@[\w-]+\.\w+|\b(?:owner|on-?call|responsible|contact|team)\b\W{1,6}\w[\w .-]{2,}", re.IGNORECASE
)
_DRILL = re.compile(
    rf"(drill\w*|rehears\w*|exercis\w*|tested|last (run|rollback))[^\n]{{0,60}}?({DATE})", re.IGNORECASE
)
_ISO = re.compile(r"(20\d\d)[-/](\d{1,2})(?:[-/](\d{1,2}))?")


@check("R4.1")
def two_versions_are_kept(facts: Facts) -> Iterator[Verdict]:
    """At least two immutable, hashed versions of the model are kept.

    Why: Rolling back needs something to roll back to, and proof that it is the same thing.
    How: Registry entries (MLflow's file registry, JSON exports), versioned model files with their hashes, and git
        tags of releases over a tracked model hash; own runs count their registered versions.
    Threshold: pass for two with a hash each, partial for two without, fail for one.
    Source: ML Test Score, Infrastructure 7.
    Fix: Register each trained model under a new version with its SHA-256, and keep the one before.
    Limits: A registry on a server is seen only by an export. Its hashes are held against the files here: another one is
        a fail, and without the files the export is believed up to the level attested.
    """
    if facts.run is not None and facts.run.versions:
        run = facts.run
        enough = run.versions >= facts.limit("R4.1", "versions") and bool(run.model_sha256)
        observed = f"{counted(run.versions, 'version')} registered, this one {run.model_sha256[:12]}"
        yield measured_by_run(run, Outcome.PASS if enough else Outcome.FAIL, observed)
    project = facts.project
    if project is None or not project.files:
        return
    versions = model_versions(project)
    if not versions:
        yield absent("no model file, registry entry or tagged release in the project")
        return
    hashed = {version.hash for version in versions if version.hash}
    needed = facts.limit("R4.1", "versions")
    outcome = Outcome.PASS if len(hashed) >= needed else Outcome.PARTIAL if len(versions) >= needed else Outcome.FAIL
    changed = next((version for version in versions if version.file), None)
    if changed is not None:
        observed = f"{changed.path} records {changed.hash[:12]} for {changed.file}, which has {changed.actual[:12]}"
        yield inspected(Outcome.FAIL, observed, project.where(changed.path), n=len(versions))
        return
    named = listed([version.name for version in versions])
    observed = f"{counted(len(versions), 'version')} ({named}), {len(hashed)} with a hash of its own"
    seen = len({version.hash for version in versions if version.hash and version.here}) >= needed
    told = inspected if seen or outcome is not Outcome.PASS else attested
    yield told(outcome, observed, project.where(versions[0].path), n=len(versions))


@check("R4.2")
def deployments_can_be_rolled_back(facts: Facts) -> Iterator[Verdict]:
    """Deployments pin their image, keep their history and roll out step by step.

    Why: `:latest` has no previous version, and a deleted history cannot be undone.
    How: Every container's image by digest or by a tag that is not latest; revisionHistoryLimit not 0 (default 10); a
        RollingUpdate, canary or default strategy rather than Recreate.
    Threshold: pass for all three, partial for pinned images only, fail for an unpinned image.
    Source: kube-linter latest-tag; ML Test Score, Infrastructure 6.
    Fix: Pin the image by digest, leave revisionHistoryLimit at its default, use RollingUpdate or a canary.
    Limits: Tags can be moved; only a digest is immutable.
    """
    project = facts.project
    if project is None:
        return
    found = [workload for workload in model_workloads(project) if any("image" in c for c in workload.containers)]
    if not found:
        yield absent("no deployment with an image in the project")
        return
    for workload in found:
        loose = [
            str(container["image"])
            for container in workload.containers
            if "image" in container and not _is_pinned(container) and not _is_filled_in_later(container)
        ]
        if loose:
            observed = f"{workload.kind} {workload.name} runs {listed(loose)}"
            yield inspected(Outcome.FAIL, observed, place(project, workload, "image"), fix=f"pin {loose[0]} by digest")
            return
    problems = [text for workload in found for text in _no_way_back(workload)]
    yield inspected(
        Outcome.PARTIAL if problems else Outcome.PASS,
        f"images pinned in {counted(len(found), 'workload')}" + (f"; {listed(problems)}" if problems else ""),
        place(project, found[0], "image"),
        n=len(found),
    )


def _is_filled_in_later(container: dict[str, Any]) -> bool:
    """Whether the tag, or all of the image, is a variable: what will run is not known here."""
    return bool(re.search(r"\$\{?\w+\}?$|\$\(\w+\)$|\}\}$", str(container["image"])))


def _is_pinned(container: dict[str, Any]) -> bool:
    image = str(container["image"])
    if "@sha256:" in image:
        return True
    tag = image.rpartition("/")[2].partition(":")[2]
    return bool(tag) and tag.lower() not in {
        "latest",
        "main",
        "master",
        "dev",
        "stable",
        "prod",
        "production",
        "nightly",
    }


def _no_way_back(workload: Workload) -> list[str]:
    problems: list[str] = []
    if workload.spec.get("revisionHistoryLimit") == 0:
        problems.append(f"{workload.name} keeps no history")
    if mapping(workload.spec.get("strategy")).get("type") == "Recreate":
        problems.append(f"{workload.name} is recreated all at once")
    if workload.kind == "ComposeService" and not mapping(workload.spec.get("deploy")).get("rollback_config"):
        problems.append(f"{workload.name} has no rollback_config")
    return problems


@check("R4.3")
def rollback_is_written_and_drilled(facts: Facts) -> Iterator[Verdict]:
    """A runbook has the exact rollback command, its owner, and a drill within the last 180 days.

    Why: A procedure that was never tried fails at the worst moment.
    How: Runbooks and rollback sections: a command that can be pasted, a name or address, a drill date counted back from
        the date of HEAD.
    Threshold: v = share of the three.
    Source: NIST AI RMF MANAGE 2.4; the 180 days are this project's own.
    Fix: Write the command, name its owner, drill it and note the date.
    Limits: That a drill is noted, not that it happened.
    """
    project = facts.project
    if project is None or not project.files:
        return
    statements = [
        s
        for s in statements_in(project, RUNBOOK, r"readme|deploy")
        if re.search(r"roll.?back|revert|runbook", f"{s.key} {s.path}", re.IGNORECASE)
    ]
    if not statements:
        yield absent("no runbook and no rollback section")
        return
    text = "\n".join(statement.text for statement in statements)
    head = project.git.head_time if project.git else None
    limit = facts.limit("R4.3", "drill_days")
    noted = [match[0] for match in _DRILL.finditer(text)] + [s.text for s in statements if re.search(r"\bdrill", s.key)]
    drilled = [age for note in noted if (age := _age_days(note, head)) is not None]
    parts = {
        "an exact command": any(is_concrete(match[0]) for match in _COMMAND.finditer(text)),
        "an owner": any(is_concrete(match[0]) for match in _OWNER.finditer(text)) or _names_owner(statements),
        f"a drill in the last {limit:.0f} days": any(0 <= age <= limit for age in drilled),
    }
    missing = [name for name, there in parts.items() if not there]
    observed = f"{3 - len(missing)} of 3" + (f"; missing: {', '.join(missing)}" if missing else "")
    observed += f"; last drill {min(drilled):.0f} days before HEAD" if drilled and missing else ""
    where = project.where(statements[0].path, statements[0].line)
    yield slots(3 - len(missing), 3, Level.DOCUMENTED, observed, where=where, fix=f"add {', '.join(missing)}")


def _names_owner(statements: list[Statement]) -> bool:
    return any(re.search(r"owner|contact|on call", s.key) and is_concrete(s.text) for s in statements)


def _age_days(text: str, head_time: int | None) -> float | None:
    match = _ISO.search(text)
    if match is None or head_time is None:
        return None
    try:
        day = datetime(int(match[1]), int(match[2]), int(match[3] or 1), tzinfo=UTC)
    except ValueError:
        return None
    return (head_time - day.timestamp()) / _DAY_S


@check("R4.4")
def previous_version_still_works(facts: Facts) -> Iterator[Verdict]:
    """The version before this one still loads and predicts today's input.

    Why: A rollback to a model that no longer loads is a second outage.
    How: With execute and a declared `load` function (the path of a model file in, a model out), the newest two model
        files of the registry or of a versioned name are loaded here and predict the same rows; a registered hash must
        be the file's. A pipeline run loads its previous registered version by its hash and predicts the packaged
        fixture.
    Threshold: pass when it loads and predicts in the form of the newest, partial in another form, fail when it does not
        load or predict.
    Source: ML Test Score, Infrastructure 7.
    Fix: Keep the input schema compatible, or keep the environment of the old version.
    Limits: Known only from the second version on; the project's own loading is trusted to read the file given.
    """
    run = facts.run
    if run is not None and run.previous_version_loads is not None:
        outcome = Outcome.PASS if run.previous_version_loads else Outcome.FAIL
        said = "loads and predicts" if run.previous_version_loads else "does not load or predict"
        yield measured_by_run(run, outcome, f"the previous of {counted(run.versions, 'version')} {said} the fixture")
    if facts.trial is not None and facts.trial.previous is not None:
        yield _loaded_here(facts, facts.trial.previous)
    elif facts.project is not None and newest_two(facts.project) is not None:
        missing = undeclared(facts, "R4.4")
        if missing is not None:
            yield missing


def _loaded_here(facts: Facts, trial: PreviousTrial) -> Verdict:
    if trial.problem:
        return not_settled(facts, f"`{trial.function}`", trial.problem, trial.log)
    name = f"{trial.path} (SHA-256 {trial.sha256[:12]})"
    if trial.wrong:
        return tried(facts, Outcome.FAIL, f"{name} {trial.wrong}", fix=f"make `{trial.function}` load {trial.path}")
    predicts = f"{name} loads and predicts {counted(trial.rows, 'row')}"
    if trial.differs:
        return tried(facts, Outcome.PARTIAL, f"{predicts}, but gives {trial.differs}", n=trial.rows)
    return tried(facts, Outcome.PASS, f"{predicts} in the form of the newest", n=trial.rows)
