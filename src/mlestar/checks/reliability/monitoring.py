"""R1: whether anyone would notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.checks.inspected import absent, inspected
from mlestar.checks.registry import check
from mlestar.core.code.service import prediction_logs
from mlestar.core.evidence import Level, Outcome, Verdict, slots
from mlestar.core.project.alert_rules import TOPICS, alert_rules
from mlestar.core.project.deployment import calls_into, is_deployed, serving_modules
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts

METRICS_LIBRARIES = frozenset(
    {
        "prometheus_client", "prometheus_fastapi_instrumentator", "starlette_exporter", "starlette_prometheus",
        "prometheus_flask_exporter", "opentelemetry", "statsd", "datadog", "ddtrace", "aws_embedded_metrics",
        "newrelic", "sentry_sdk", "elasticapm", "whylogs", "arize", "evidently",
    }
)  # fmt: skip
_NOT_DEPLOYED = "nothing in the project is deployed: no serving code, no Kubernetes or Compose file"
_RETENTION = re.compile(
    r"retention[\w ]*[\"':= ]+\s*[\"']?(\d+)\s*(d|days?|w|weeks?|m|mo|months?|y|years?|h|hours?)?", re.IGNORECASE
)
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30.5, "y": 365}
_PARTS = ("prediction", "input", "model version", "request id")


@check("R1.1")
def service_exposes_metrics(facts: Facts) -> Iterator[Verdict]:
    """The service calls a metrics library.

    Why: A model that fails silently is found by its users.
    How: Own modules that import a metrics or tracing library (Prometheus, OpenTelemetry, StatsD, Datadog, ...), by AST;
        the library must be called, not only imported.
    Threshold: pass when called, partial when only imported, fail when a service has none.
    Source: NIST AI RMF MEASURE 2.4; ML Test Score, Monitoring.
    Fix: Expose /metrics, for example with prometheus_client counters and histograms around the prediction.
    Limits: Metrics of a sidecar or a mesh are not seen; whether anyone scrapes them neither.
    """
    project = facts.project
    if project is None or not project.own_modules:
        return
    importing = [module for module in project.own_modules.values() if module.imported & METRICS_LIBRARIES]
    calls = [(module, line) for module in importing if (line := calls_into(module, METRICS_LIBRARIES)) is not None]
    if calls:
        module, line = calls[0]
        names = listed(sorted(module.imported & METRICS_LIBRARIES))
        yield inspected(Outcome.PASS, f"{names} called in {module.path}", project.in_code(module, line))
    elif importing:
        module = importing[0]
        yield inspected(
            Outcome.PARTIAL,
            f"{listed(sorted(module.imported & METRICS_LIBRARIES))} imported, never called",
            project.where(module.path),
        )
    elif is_deployed(project):
        serving = serving_modules(project)
        where = project.where(serving[0].path) if serving else None
        yield inspected(Outcome.FAIL, "the service imports no metrics library", where)
    else:
        yield absent(_NOT_DEPLOYED)


@check("R1.2")
def alerts_cover_the_signals(facts: Facts) -> Iterator[Verdict]:
    """Alert rules cover latency, traffic, errors, saturation, and prediction quality or drift.

    Why: The four golden signals tell that the service is ill, the fifth that the model is.
    How: Rules of Prometheus and Grafana with a name and a condition that compares something; what each watches is
        told by its name, condition and labels.
    Threshold: v = share of the five covered.
    Source: Site Reliability Engineering, chapter 6; ML Test Score, Monitoring 7.
    Fix: Add rules for the signals named, each with expr and for.
    Limits: Rules kept outside the repository are not seen; whether a threshold is sensible is not judged.
    """
    project = facts.project
    if project is None or not project.files:
        return
    rules = alert_rules(project)
    if not rules:
        yield inspected(Outcome.FAIL, "no alert rule") if is_deployed(project) else absent(_NOT_DEPLOYED)
        return
    covered = frozenset[str]().union(*(rule.watches() for rule in rules))
    missing = [topic for topic in TOPICS if topic not in covered]
    hasty = [rule.name for rule in rules if not rule.waits]
    observed = f"{counted(len(rules), 'rule')} cover {len(covered)} of 5" + (
        f"; missing: {', '.join(missing)}" if missing else ""
    )
    observed += f"; without a waiting time: {listed(hasty)}" if hasty else ""
    yield slots(
        len(covered), len(TOPICS), Level.INSPECTED, observed, where=project.where(rules[0].path, rules[0].line),
        fix=f"add alert rules for {', '.join(missing)}",
    )  # fmt: skip


@check("R1.3")
def predictions_are_logged(facts: Facts) -> Iterator[Verdict]:
    """Each prediction is logged with its input, the model version and a request id, and kept for six months.

    Why: Without the features as served, no error can be explained and no skew found.
    How: Logging calls in functions that predict, by AST, and which of the four they keep; a retention setting in the
        configuration.
    Threshold: pass when all four are logged and kept for at least six months, partial for any of it, fail for none.
    Source: EU AI Act Articles 12 and 19; Rules of ML 29.
    Fix: Log prediction, features, model version and request id in one structured record, and set its retention.
    Limits: Names decide what a logged variable is; logging by middleware is not seen.
    """
    project = facts.project
    if project is None or not serving_modules(project):
        if project is not None and project.files:
            yield absent("no serving code in the project")
        return
    logs = prediction_logs(project)
    if not logs:
        where = project.where(serving_modules(project)[0].path)
        yield inspected(Outcome.FAIL, "the serving code logs nothing where it predicts", where)
        return
    best = max(logs, key=lambda log: len(log.parts))
    kept = _retention_days(project)
    enough = kept is not None and kept >= facts.limit("R1.3", "retention_days")
    missing = [part for part in _PARTS if part not in best.parts]
    missing += [] if enough else ["a retention of six months"]
    total = len(_PARTS) + 1
    observed = f"{total - len(missing)} of {total}" + (f"; missing: {', '.join(missing)}" if missing else "")
    yield inspected(
        Outcome.PASS if not missing else Outcome.PARTIAL,
        observed,
        project.in_code(best.module, best.line),
        value=Fraction(total - len(missing), total),
        fix=f"log {', '.join(missing)}",
    )


def _retention_days(project: ProjectFacts) -> float | None:
    days = [
        int(match[1]) * _DAYS.get((match[2] or "d")[0].lower(), 1)
        for path, text in project.texts.items()
        if project.files[path].kind in {"config", "python"} and len(text) < 1 << 18
        for match in _RETENTION.finditer(text)
    ]
    return max(days, default=None)


@check("R1.4")
def someone_is_called(facts: Facts) -> Iterator[Verdict]:
    """There is a dashboard, somebody on call, and a runbook in every alert.

    Why: An alert that reaches nobody, or somebody who does not know what to do, is noise.
    How: A Grafana dashboard with panels (or its code); a receiver or owner for alerts; a runbook link in the
        annotations of each rule.
    Threshold: v = share of the three.
    Source: Site Reliability Engineering, chapters 6 and 11.
    Fix: Commit the dashboard, name the receiver, add runbook_url to each alert.
    Limits: Whether the link works and the person answers is not seen.
    """
    project = facts.project
    if project is None or not project.files:
        return
    if not is_deployed(project) and not alert_rules(project):
        yield absent(_NOT_DEPLOYED)
        return
    rules = alert_rules(project)
    dashboards = [
        path
        for path, document in project.parsed()
        if isinstance(document, dict) and (document.get("panels") or document.get("widgets"))
    ]
    on_call = any(
        re.search(
            r"pagerduty|opsgenie|victorops|slack_configs|email_configs|webhook_configs|on-?call\s*:",
            text,
            re.IGNORECASE,
        )
        for path, text in project.texts.items()
        if project.files[path].kind == "config"
    ) or any(rule.labels.get("owner") or rule.labels.get("team") for rule in rules)
    bare = [rule for rule in rules if not any("runbook" in key for key in rule.annotations)]
    missing = [
        name
        for there, name in (
            (dashboards, "a dashboard"),
            (on_call, "an on-call receiver"),
            (rules and not bare, "a runbook in each alert"),
        )
        if not there
    ]
    observed = f"{3 - len(missing)} of 3" + (f"; missing: {', '.join(missing)}" if missing else "")
    where = project.where(bare[0].path, bare[0].line) if bare else None
    yield slots(3 - len(missing), 3, Level.INSPECTED, observed, where=where, fix=f"add {', '.join(missing)}")
