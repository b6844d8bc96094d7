"""S4, stakeholder alignment: who answers for it, who approved it, who may stop it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent
from mlestar.checks.registry import check
from mlestar.checks.stated import stated
from mlestar.core.claims.documents import CARD, PLAN, PROBLEM, README, RUNBOOK
from mlestar.core.claims.slots import DATE, Slot, is_concrete, slot_verdict
from mlestar.core.claims.text import under
from mlestar.core.evidence import Level, Outcome, Verdict
from mlestar.core.facts.git import YEAR_S
from mlestar.core.facts.project import is_own
from mlestar.core.project.declared_pipelines import training_modules

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.git import GitFacts
    from mlestar.core.facts.project import ProjectFacts

OWNER_FILE = r"(^|/)(codeowners|maintainers?(\.\w+)?|owners(\.\w+)?)$"
OWNER_KEYS = r"\b(owners?|accountable|responsible|maintainers?|product owner|model owner|contacts?|stakeholders?)\b"
HANDLE = r"(?<![\w.])@[\w-]+(?:/[\w-]+)?|[\w.+-]+@[\w-]+\.[\w.]+"
NAME = r"\b[A-Z][a-zà-ÿ'-]+ (?:[A-Z]\. )?[A-Z][a-zà-ÿ'-]+\b"
NOT_NAMES = re.compile(
    r"\b(?:Data|Machine|Model|Product|Team|The|Project|Marketing|Head|Lead|Chief|Senior|Technical|Documentation|"
    r"Grafana|Alerting|Alerts?|Script|Python|Engineer\w*|Service|Platform|Science|Learning|Manager|System|Source|"
    r"Apache|Google|Amazon|Azure|Docker|Open|Maintainers?|Owners?|Support|Review\w*|Officer|Code|Cloud|Risk|Business)\b"
)
_OF_A_MODEL = re.compile(r"model|\.(pkl|joblib|onnx|pt|skops|safetensors|h5|keras)$", re.IGNORECASE)
_TRAINS = re.compile(r"(^|[/_])train(ing)?(_\w+)?\.(py|ipynb|r|jl)$", re.IGNORECASE)
APPROVAL = r"approv|sign.?off|decision|adr"
_DAY_S = 86_400
ACCEPTED = r"\b(?:status|state)\W{1,6}(?:accepted|approved)|\b(?:approved|accepted|signed off) (?:by|on)\b"
MAY = (
    r"(?:may|can|must|will|is allowed to|has the authority to|decides? to)\b[^.\n]{0,40}"
    r"\b(?:stop|override|disable|switch off|roll back|shut)|"
    r"(?:stops|overrides|disables|switches off|rolls back|shuts)\b"
)
STOP_SLOTS = (
    Slot(
        name="who",
        keys=r"\b(stop owner|kill switch owner|override owner|may stop|can stop|(human )?oversight|escalation)\b",
        text=rf"(?:{HANDLE}|(?-i:{NAME})|\bon-?call\b|\b[a-z]+ (?:lead|owner|manager|officer)\b)"
        rf"[^.\n]{{0,60}}\b(?:{MAY})",
    ),
    Slot(
        name="procedure",
        keys=r"\b(kill switch|override|stop procedure|shutdown|disable|human oversight|fallback procedure)\b",
        text=r"`(?:\$ )?(?:make|just|task|kubectl|helm|docker\S*|\./\S+|python\S*|uv run|poetry run|bash|sh|curl|"
        r"aws|gcloud|az|terraform|mlflow|dvc|git|systemctl|[\w-]+ctl)\s[^`\n]*"
        r"(?:disable|stop|scale|roll-?back|undo|revert|kill|--replicas|off\b|false)[^`\n]*`",
    ),
)


@check("S4.1")
def owners_are_accountable(facts: Facts) -> Iterable[Verdict]:
    """At least two named people answer for the system, and they work on it.

    Why: With one owner, or owners who left, nobody decides when it fails.
    How: Owners are read from CODEOWNERS, MAINTAINERS, cards and documents; their handles, e-mails and names are
        matched with the authors of the last year before HEAD.
    Threshold: pass 2 or more matched with authors, partial 1 matched or named only; none fails.
    Source: NIST AI RMF GOVERN 2.1; OpenSSF Scorecard, Contributors.
    Fix: Add a CODEOWNERS file that names two people who commit to this repository.
    Limits: A handle is matched with author names and e-mails by its letters; teams cannot be resolved.
    """
    anyone = False
    for level, statements in stated(facts, "scoping", README, CARD, PROBLEM, PLAN):
        named = sorted({n for s in under(statements, OWNER_KEYS) for n in _people(s.text) if is_concrete(s.text)})
        if named:
            anyone = True
            yield Verdict(
                outcome=Outcome.PARTIAL,
                level=level,
                observed=f"{len(named)} named ({', '.join(named[:3])}), not matched with authors",
            )
    project = facts.project
    if project is None or project.git is None:
        return
    wanted = int(facts.limit("S4.1", "owners"))
    for path in project.paths(OWNER_FILE):
        owners = sorted(_people(project.texts.get(path, "")))
        if owners:
            active = [owner for owner in owners if _is_author(owner, project.git)]
            yield Verdict(
                outcome=Outcome.PASS if len(active) >= wanted else Outcome.PARTIAL,
                level=Level.INSPECTED,
                observed=f"{len(owners)} owners, {len(active)} of them authors of the last year"
                + (f" ({', '.join(active[:3])})" if active else ""),
                where=project.where(path),
            )
            return
    if not anyone:
        yield Verdict(outcome=Outcome.FAIL, level=Level.INSPECTED, observed="no owner is named, in no owners file")


def _people(text: str) -> set[str]:
    uncommented = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    handles = set(re.findall(HANDLE, uncommented))
    names = {name for name in re.findall(NAME, uncommented) if not NOT_NAMES.match(name)}
    return handles | names


def _is_author(owner: str, git: GitFacts) -> bool:
    bare = re.sub(r"[^a-z0-9]", "", owner.lower().lstrip("@").partition("@")[0].rpartition("/")[2])
    recent = [commit for commit in git.commits if git.head_time - commit.time <= YEAR_S]
    for commit in recent:
        name = re.sub(r"[^a-z0-9]", "", commit.author.lower())
        mail = re.sub(r"[^a-z0-9]", "", commit.email.lower().partition("@")[0].rpartition("+")[2])
        if bare and bare in {name, mail}:
            return True
    return False


@check("S4.2")
def version_was_signed_off(facts: Facts) -> Iterable[Verdict]:
    """The current version was approved, after the last change of the model.

    Why: An approval of an older model says nothing about this one.
    How: Sign-off records (decision records marked accepted with a date, annotated tags, exported pull-request
        approvals) are compared with the newest change of training code or model files.
    Threshold: pass approved after the last model change, partial an older approval; none fails when records exist.
    Source: EU AI Act Annex IV; ML Test Score, Model 1: model specs are reviewed (Breck et al. 2017).
    Fix: Record the approval of this version: a dated decision record or an annotated tag.
    Limits: Approvals outside the repository are seen only in an export. A record that names only days after HEAD's is
        none: an approval of the future.
    """
    project = facts.project
    if project is None or project.git is None:
        return
    records = _records(project)
    if not records:
        return
    models = _model_paths(project)
    if not models:
        yield absent("no model and no training code in the project")
        return
    changed = max((project.git.changed.get(path, 0) for path in models), default=0)
    when, what = max(records)
    fresh = when >= changed
    yield Verdict(
        outcome=Outcome.PASS if fresh else Outcome.PARTIAL,
        level=Level.ATTESTED,
        observed=f"{what}, {'after' if fresh else 'before'} the last change of the model",
        where=project.where(what) if what in project.files else project.where(""),
    )


def _model_paths(project: ProjectFacts) -> set[str]:
    """Model files, the code that fits them, and where their hashes are recorded."""
    recorded = {entry.recorded_in for entry in project.data_hashes if _OF_A_MODEL.search(entry.path)}
    named = {path for path in project.git.tracked if _TRAINS.search(path)} if project.git else set[str]()
    code = {module.path for module in training_modules(project)}
    return recorded | named | code | {model.path for model in project.models if is_own(model.path)}


def _records(project: ProjectFacts) -> list[tuple[int, str]]:
    """(time, what) of every sign-off. A record counts from the commit that last touched it."""
    git = project.git
    if git is None:
        return []
    records = [(tag.time, f"annotated tag {tag.name}") for tag in git.tags if tag.annotated]
    for path, text in project.documents().items():
        if (
            re.search(APPROVAL, path, re.IGNORECASE)
            and re.search(ACCEPTED, text, re.IGNORECASE)
            and re.search(DATE, text, re.IGNORECASE)
            and not _is_of_the_future(text, git.head_time)
        ):
            records.append((git.changed.get(path, 0), path))
    times = {commit.sha: commit.time for commit in git.commits}
    records += [
        (times[approval.commit], f"approval by {', '.join(approval.approvers)}")
        for approval in project.reports.approvals
        if approval.commit in times and set(approval.approvers) - {approval.author}
    ]
    return records


def _is_of_the_future(text: str, head_time: int) -> bool:
    """Whether every day that a record names comes after HEAD's: nobody can have signed it yet."""
    latest = datetime.fromtimestamp(head_time + _DAY_S, UTC).date().isoformat()
    days = re.findall(r"\b20\d\d-\d\d-\d\d\b", text)
    return bool(days) and min(days) > latest


@check("S4.3")
def someone_may_stop_it(facts: Facts) -> Iterable[Verdict]:
    """Someone named may override or stop the system, and how is written down.

    Why: In an incident there is no time to find out who decides.
    How: Two slots in the request, cards and runbooks: who, and the procedure.
    Threshold: pass both, partial one.
    Source: NIST AI RMF MAP 3.5; EU AI Act Art. 14 (human oversight, stop).
    Fix: Name the person or role that may stop the model and the command or switch that does it.
    Limits: Whether the procedure works is R4.3's drill.
    """
    for level, statements in stated(facts, "scoping", README, CARD, PROBLEM, RUNBOOK):
        verdict = slot_verdict(STOP_SLOTS, statements, level)
        if verdict:
            yield verdict
