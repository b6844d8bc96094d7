"""Alert rules of Prometheus (plain or as a Kubernetes object) and Grafana, and what they watch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.project.deployment import mapping, sequence

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

TOPICS = {
    "latency": r"latency|duration|response_time|quantile|p9[0-9]|elapsed",
    "traffic": (
        r"traffic|throughput|\brps\b|\bqps\b|request_rate|requests?_(total|"
        r"count|per)|request volume|absent\(|\bup\b"
    ),
    "errors": r"error|5\.\.|5xx|\b5\d\d\b|status(_code)?\s*=~?\s*\"?[45]|fail|exception",
    "saturation": (
        r"cpu|memory|saturat|queue|disk|gpu|inflight|in_flight|oom|"
        r"utili[sz]ation|throttl|pod.*(pending|restart)"
    ),
    "quality or drift": (
        r"drift|\bpsi\b|accuracy|\bauc\b|\bf1\b|precision|recall|prediction|confidence|score|quality|staleness|null_rate|"
        r"missing_(rate|ratio)|calibration|model_age"
    ),
}
"""The four golden signals (Google SRE book, chapter 6) and the model's own."""
_COMPARES = re.compile(r"[<>]=?|==|!=|absent|changes\(|on\(\)|\bunless\b")


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """One rule. `complete` when it has a condition that compares and a waiting time."""

    name: str
    expression: str
    path: str
    line: int | None
    waits: bool
    annotations: dict[str, Any]
    labels: dict[str, Any]

    def watches(self) -> frozenset[str]:
        """The topics that its name, expression and labels speak of; a rate of errors is not traffic."""
        text = f"{self.name} {self.expression} {' '.join(map(str, self.labels.values()))}"
        found = {topic for topic, pattern in TOPICS.items() if re.search(pattern, text, re.IGNORECASE)}
        if found & {"latency", "errors", "quality or drift"}:
            found -= (
                {"traffic"} if not re.search(r"traffic|throughput|\brps\b|\bqps\b", self.name, re.IGNORECASE) else set()
            )
        return frozenset(found)


def alert_rules(project: ProjectFacts) -> list[AlertRule]:
    """Every rule with a name and a condition that compares something."""
    return project.derived("alert rules", _alert_rules)


def _alert_rules(project: ProjectFacts) -> list[AlertRule]:
    found: list[AlertRule] = []
    for path, document in project.parsed():
        root = mapping(document)
        groups = [*sequence(root.get("groups")), *sequence(mapping(root.get("spec")).get("groups"))]
        for group in map(mapping, groups):
            for rule in map(mapping, sequence(group.get("rules"))):
                alert = _rule(project, path, rule)
                if alert is not None:
                    found.append(alert)
    return found


def _rule(project: ProjectFacts, path: str, rule: dict[str, Any]) -> AlertRule | None:
    name = str(rule.get("alert", rule.get("title", "")))
    expression = str(rule.get("expr", "")) or " ".join(_grafana_expressions(rule))
    if not name or not (_COMPARES.search(expression) or ("condition" in rule and expression)):
        return None
    return AlertRule(
        name=name,
        expression=expression,
        path=path,
        line=project.at(path, re.escape(name)).line,
        waits="for" in rule or "keep_firing_for" in rule,
        annotations=mapping(rule.get("annotations")),
        labels=mapping(rule.get("labels")),
    )


def _grafana_expressions(rule: dict[str, Any]) -> Iterator[str]:
    for query in map(mapping, sequence(rule.get("data"))):
        model = mapping(query.get("model"))
        yield from (str(model[key]) for key in ("expr", "expression") if key in model)
