"""R3.1 to R3.3: what the service promises, and whether it keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, attested
from mlestar.checks.measured import measured_by_run
from mlestar.checks.registry import check
from mlestar.checks.trial import not_settled, tried, undeclared
from mlestar.core.evidence import Level, Outcome, Verdict, slots
from mlestar.core.project.objectives import objectives

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.project.objectives import Objectives


@check("R3.1")
def objectives_are_written(facts: Facts) -> Iterator[Verdict]:
    """Objectives for p95 latency, availability and error rate are written, with a window and an owner.

    Why: "Fast" and "always up" cannot be missed, so nobody can tell when they are.
    How: A document named slo, sla or service level; each of the five parts needs a number or a name.
    Threshold: v = share of the five.
    Source: Site Reliability Engineering, chapter 4.
    Fix: Write slo.yaml with latency_p95_ms, availability, error_rate, window and owner.
    Limits: What is promised, not what is kept.
    """
    project = facts.project
    if project is None or not project.files:
        return
    found = objectives(project)
    if not found.path:
        yield absent("no document of service level objectives (slo.yaml, SLA.md, ...)")
        return
    parts = {
        "p95 latency": found.p95_ms is not None,
        "availability": found.availability is not None,
        "error rate": found.error_rate is not None,
        "window": bool(found.window),
        "owner": bool(found.owner),
    }
    missing = [name for name, there in parts.items() if not there]
    observed = f"{5 - len(missing)} of 5" + (f"; missing: {', '.join(missing)}" if missing else "")
    yield slots(
        5 - len(missing),
        5,
        Level.DOCUMENTED,
        observed,
        where=project.where(found.path),
        fix=f"state {', '.join(missing)}",
    )


@check("R3.2")
def latency_is_within_the_objective(facts: Facts) -> Iterator[Verdict]:
    """A single prediction takes at most half of the latency objective at the 95th percentile.

    Why: The other half belongs to the network, the queue and the bad day.
    How: The packaged model, or with execute the project's declared predict function, predicts single rows, 20 to
        warm up and 200 timed; the 95th percentile is held against the written objective.
    Threshold: pass up to 50% of the objective, partial up to all of it, fail above.
    Source: ML Test Score, Monitoring 6; the margin is this project's own.
    Fix: Quantise, batch, cache, or choose the smaller model.
    Limits: On this machine, without the network; without a written objective there is nothing to hold it against.
    """
    run = facts.run
    trial = facts.trial.predict if facts.trial is not None else None
    if run is not None and run.latency_p95_ms is not None:
        outcome, observed, fix = _held(facts, run.latency_p95_ms)
        yield measured_by_run(run, outcome, observed, fix=fix)
    elif (missing := undeclared(facts, "R3.2")) is not None:
        yield missing
    if trial is not None and trial.latency_p95_ms is not None:
        outcome, observed, fix = _held(facts, trial.latency_p95_ms)
        yield tried(facts, outcome, f"{trial.function}: {observed}", fix=fix, n=trial.calls)
    elif trial is not None:
        yield not_settled(facts, trial.function, trial.problem or "gave no answer", trial.log)


def _held(facts: Facts, p95_ms: float) -> tuple[Outcome, str, str]:
    objective = objectives(facts.project).p95_ms or _claimed(facts)
    said = f"p95 of a single prediction is {p95_ms:.1f} ms"
    if objective is None:
        return Outcome.INCONCLUSIVE, f"{said}, and no objective is written", "write slo.yaml with latency_p95_ms"
    share = p95_ms / objective
    outcome = Outcome.PASS if share <= facts.limit("R3.2", "margin") else Outcome.PARTIAL
    return outcome if share <= 1 else Outcome.FAIL, f"{said}, {100 * share:.0f}% of {objective:g} ms", ""


def _claimed(facts: Facts) -> float | None:
    from_request = facts.claims.get("reliability", {}).get("latencyP95Ms")
    return float(from_request) if isinstance(from_request, (int, float)) and from_request > 0 else None


@check("R3.3")
def load_test_meets_the_objective(facts: Facts) -> Iterator[Verdict]:
    """A load test's latency and error rate meet the objectives.

    Why: One request at a time says nothing about a thousand.
    How: Reports of k6 and locust: p95 and error rate against the written objectives, at the declared rate if one is.
    Threshold: pass when both are met, partial when one is missed, fail otherwise.
    Source: ML Test Score, Monitoring 6.
    Fix: Run the load test at twice the peak rate and keep its summary.
    Limits: A report of another tool: believed up to the level attested.
    """
    project = facts.project
    if project is None or not project.files:
        return
    reports = project.reports.load_tests
    if not reports:
        yield absent("no load-test report (k6 summary or locust statistics)")
        return
    report = reports[0]
    wanted = objectives(project)
    where = project.where(report.path)
    if wanted.p95_ms is None and wanted.error_rate is None:
        said = f"p95 {report.p95_ms} ms, error rate {report.error_rate}"
        yield attested(Outcome.INCONCLUSIVE, f"{report.tool}: {said}; no objective is written", where)
        return
    missed = [*_missed(report.p95_ms, wanted, "p95"), *_missed(report.error_rate, wanted, "error rate")]
    if report.rps is not None and wanted.rps is not None and report.rps < wanted.rps:
        missed.append(f"{report.rps:.0f} requests a second, below the declared {wanted.rps:.0f}")
    outcome = (Outcome.PASS, Outcome.PARTIAL)[len(missed)] if len(missed) < 2 else Outcome.FAIL  # noqa: PLR2004 - both
    yield attested(
        outcome, f"{report.tool}: " + ("; ".join(missed) or "latency and error rate meet the objectives"), where
    )


def _missed(seen: float | None, wanted: Objectives, part: str) -> list[str]:
    objective = wanted.p95_ms if part == "p95" else wanted.error_rate
    if objective is None:
        return []
    if seen is None:
        return [f"{part} is not in the report"]
    return [f"{part} {seen:g} against {objective:g}"] if seen > objective else []
