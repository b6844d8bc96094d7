"""R2.1 to R2.3 of a project whose work is done by jobs that end: the questions that stand in for those of a service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, inspected
from mlestar.checks.registry import check, statement
from mlestar.checks.stated import claims
from mlestar.core.claims.documents import README, RUNBOOK, statements_in
from mlestar.core.claims.slots import Slot, slot_verdict
from mlestar.core.code.outputs import Output, outputs_of, outputs_of_sql
from mlestar.core.evidence import Level, Outcome, Verdict
from mlestar.core.facts.project import is_own
from mlestar.core.project.batch_jobs import BatchJob, batch_jobs, job_modules
from mlestar.core.wording import listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts

BATCH = "batch"
RETRY_SLOTS = (
    Slot(
        name="retries",
        keys=r"\b(retr(y|ies)|backoff limit|max attempts|restart policy)\b",
        value=r"[1-9]|\bexponential|\bon ?failure\b",
        text=r"\bretried\b.{0,40}\d|\bretr(?:y|ies)\b.{0,40}[1-9]|\b[1-9]\d* (?:retries|attempts)\b",
    ),
    Slot(
        name="no overlap",
        keys=r"\b(concurrency( policy)?|overlap\w*|max active runs|max concurrency|lock)\b",
        value=r"\b(?:forbid|replace|1|one|never|single|skip\w*|flock|lock\w*)\b",
        text=r"\b(?:never|not|no|without) overlap\w*|\bone run at a time\b|\bconcurrencyPolicy: (?:Forbid|Replace)\b",
    ),
)
LIMIT_SLOTS = (
    Slot(
        name="time limit",
        keys=r"\b(time ?outs?|time limit|deadline|max(imum)? (run ?time|duration))\b",
        value=r"\d",
        text=r"\b(?:time ?out|time limit|deadline|(?:killed|stopped|ended) after)\b.{0,40}\d",
    ),
)
REPEAT_SLOTS = (
    Slot(
        name="a second run leaves the same",
        keys=r"\bidempoten\w*",
        text=r"\b(?:idempoten\w+|upsert\w*|overwrit\w+|temporary (?:file|name)|unique key|atomic\w*|"
        r"can be (?:re-?run|repeated))\b",
        adjective=True,
    ),
)
_DOCUMENTS = (RUNBOOK, README, r"jobs?\b|batch|schedul|pipeline")
_NO_JOBS = "no scheduled job in the project"


def _slots(check_id: str, slots: tuple[Slot, ...]) -> Callable[[Facts], Iterator[Verdict]]:
    """Registers the reader of the request's statements, and returns the reader of the project's documents."""

    @statement(check_id, serving=BATCH)
    def read(facts: Facts) -> Iterable[Verdict]:
        verdict = slot_verdict(slots, claims(facts, "reliability"), Level.CLAIMED)
        if verdict:
            yield verdict

    def documented(facts: Facts) -> Iterator[Verdict]:
        verdict = slot_verdict(slots, statements_in(facts.project, *_DOCUMENTS), Level.DOCUMENTED)
        if verdict:
            yield verdict

    return documented


_retries_written = _slots("R2.1", RETRY_SLOTS)
_limits_written = _slots("R2.2", LIMIT_SLOTS)
_repeats_written = _slots("R2.3", REPEAT_SLOTS)


def _named(job: BatchJob) -> str:
    return f"{job.kind} {job.name}".strip()


@check("R2.1", serving=BATCH)
def jobs_retry_and_never_overlap(facts: Facts) -> Iterator[Verdict]:
    """Every job is tried again when it fails, and never runs beside itself.

    Why: A nightly job that fails once leaves yesterday's predictions in use; two runs at once write over each other.
    How: Retries: backoffLimit (not 0; unset means 6) or restartPolicy OnFailure of Kubernetes jobs, retryStrategy of
        Argo, retries of Tekton, Airflow, Prefect, Dagster, Flyte, Metaflow and Luigi, Restart= of systemd services, a
        retry step or loop in CI and crontabs. No overlap: concurrencyPolicy Forbid or Replace, max_active_runs=1,
        a concurrency group, flock; systemd never starts a running unit again. The weakest job counts.
    Threshold: v = share of the two.
    Source: Kubernetes documentation on Jobs and CronJobs; Beyer et al., Site Reliability Engineering 2016, chapter 24;
        Airflow best practices.
    Fix: Set backoffLimit or retries, and concurrencyPolicy: Forbid or max_active_runs=1.
    Limits: Asked instead of replicas when the project's artefacts show jobs and nothing that answers requests.
        Configuration, not what runs; defaults set on the server (airflow.cfg, GitLab schedules) are not seen.
    """
    project = facts.project
    if project is None:
        return
    yield from _retries_written(facts)
    found = batch_jobs(project)
    if not found:
        yield absent(_NO_JOBS)
        return
    lacking = [(job, [n for n, there in (("retries", job.retried), ("overlap guard", job.exclusive)) if not there])
               for job in found]  # fmt: skip
    weakest, missing = max(lacking, key=lambda pair: len(pair[1]))
    observed = f"{_named(weakest)}: " + (
        f"no {' and no '.join(missing)}" if missing else "retried, never beside itself"
    )
    outcome = (Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL)[len(missing)]
    where = project.where(weakest.path, weakest.line)
    yield inspected(outcome, observed, where, n=len(found), fix=f"add {' and '.join(missing)}" if missing else "")


@check("R2.2", serving=BATCH)
def jobs_have_a_time_limit(facts: Facts) -> Iterator[Verdict]:
    """Every job that hangs is ended.

    Why: A job that waits for ever blocks the next one and fails nobody: the silence looks like success.
    How: activeDeadlineSeconds of Kubernetes and Argo, timeouts of Tekton, execution_timeout or dagrun_timeout of
        Airflow, timeout_seconds of Prefect, @timeout of Metaflow, timeout-minutes of GitHub, TimeoutStartSec or
        RuntimeMaxSec of systemd, `timeout` in a crontab.
    Threshold: pass when every job has one, partial when some do, fail when none does.
    Source: Kubernetes documentation on Jobs (activeDeadlineSeconds); Airflow documentation on task timeouts; GitHub
        workflow syntax (the default of 6 hours is nobody's decision).
    Fix: Set activeDeadlineSeconds, execution_timeout or timeout-minutes to a small multiple of the usual duration.
    Limits: Asked instead of probes when the project's artefacts show jobs and nothing that answers requests. That a
        limit is set, not that somebody is told when it strikes (R1.2).
    """
    project = facts.project
    if project is None:
        return
    yield from _limits_written(facts)
    found = batch_jobs(project)
    if not found:
        yield absent(_NO_JOBS)
        return
    endless = [job for job in found if not job.bounded]
    outcome = Outcome.PASS if not endless else Outcome.PARTIAL if len(endless) < len(found) else Outcome.FAIL
    first = (endless or found)[0]
    observed = f"{len(found) - len(endless)} of {len(found)} jobs have a time limit"
    observed += f"; without: {listed([_named(job) for job in endless])}" if endless else ""
    value = Fraction(len(found) - len(endless), len(found))
    yield inspected(outcome, observed, project.where(first.path, first.line), value=value, n=len(found))


@check("R2.3", serving=BATCH)
def jobs_can_be_repeated(facts: Facts) -> Iterator[Verdict]:
    """A job that runs twice leaves what one run would have left.

    Why: Jobs are retried; one that appends counts every row twice after the first retry.
    How: Every write in the code that the jobs run, in its SQL and in dbt models. Repeatable: a file replaced or
        renamed into place, a partition or table overwritten, rows inserted with a conflict rule, merged or after a
        delete, an upsert, an idempotency key. Not: append modes, plain inserts, names made of the time or of chance.
    Threshold: v = share of the writes that are repeatable: 1 pass, 0 fail, between them partial.
    Source: Beyer et al., Site Reliability Engineering 2016, chapter 24 (idempotent launches); Airflow best practices
        (tasks as transactions: upsert, partitions).
    Fix: Overwrite the run's own partition, insert with ON CONFLICT or MERGE, or write aside and rename.
    Limits: Asked instead of disruption budgets when the project's artefacts show jobs and nothing that answers
        requests. By syntax: writes through own wrappers or other programs are not seen; log files are left out.
    """
    project = facts.project
    if project is None:
        return
    yield from _repeats_written(facts)
    jobs = batch_jobs(project)
    if not jobs:
        yield absent(_NO_JOBS)
        return
    found = _outputs(project)
    if not found:
        where = project.where(jobs[0].path, jobs[0].line)
        yield replace(absent("no write of results found in what the jobs run"), where=where)
        return
    again = [output for output in found if not output.repeatable]
    good = len(found) - len(again)
    outcome = Outcome.PASS if not again else Outcome.PARTIAL if good else Outcome.FAIL
    first = (again or found)[0]
    module = project.modules.get(first.path)
    where = project.in_code(module, first.line) if module else project.where(first.path, first.line)
    observed = f"{good} of {len(found)} writes can be repeated; " + first.how
    fix = f"make it repeatable: {first.how}" if again else ""
    yield inspected(outcome, observed, where, value=Fraction(good, len(found)), n=len(found), fix=fix)


def _outputs(project: ProjectFacts) -> list[Output]:
    in_code = [output for module in job_modules(project) for output in outputs_of(module)]
    scripts = {path: text for path, text in project.texts.items() if path.lower().endswith(".sql") and is_own(path)}
    in_sql = [
        output
        for path, text in scripts.items()
        if "migration" not in path.lower()
        for output in outputs_of_sql(path, text)
    ]
    return [*in_code, *in_sql]
