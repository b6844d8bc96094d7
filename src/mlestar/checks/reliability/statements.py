"""What a request states about reliability (deploymentConfig)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.checks.registry import statement
from mlestar.checks.stated import claims
from mlestar.core.claims.slots import DATE, DURATION, Slot, fill, is_concrete, slot_verdict
from mlestar.core.claims.text import Statement, first_number, number_of, under
from mlestar.core.evidence import Level, Outcome, Verdict

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

MONITORING = r"\b(monitoring|alerts?|alerting|alarms?|observability)\b"
ON = frozenset({"true", "yes", "on", "enabled"})
ALERT_SLOTS = (
    Slot(
        name="latency",
        keys=rf"{MONITORING}.*\b(latency|duration|p9\d)",
        text=r"\b(?:latency|p9[59]|response time)\b",
        within=MONITORING,
    ),
    Slot(
        name="traffic",
        keys=rf"{MONITORING}.*\b(traffic|rps|qps|throughput)",
        text=r"\b(?:traffic|rps|qps|throughput|request rate)\b",
        within=MONITORING,
    ),
    Slot(name="errors", keys=rf"{MONITORING}.*\berrors?", text=r"\b(?:error rate|errors?|5xx)\b", within=MONITORING),
    Slot(
        name="saturation",
        keys=rf"{MONITORING}.*\b(saturation|cpu|memory)",
        text=r"\b(?:saturation|cpu|memory|queue)\b",
        within=MONITORING,
    ),
    Slot(
        name="prediction quality or drift",
        keys=rf"{MONITORING}.*\b(drift|accuracy|quality)",
        text=r"\b(?:drift|prediction quality|accuracy|auc|psi)\b",
        within=MONITORING,
    ),
)
LOGGING_SLOTS = (
    Slot(name="inputs and predictions", keys=r"\b(logging|prediction logs?|request logs?|log)\b"),
    Slot(name="retention", keys=r"\bretention\b", value=rf"{DURATION}|\d"),
    Slot(
        name="model version and request id",
        keys=r"\b(logging|log)\b.*\b(version|request id|trace)",
        text=r"\b(?:model version|request id|trace id)\b",
        within=r"\blog",
    ),
)
ON_CALL_SLOTS = (
    Slot(name="dashboard", keys=r"\bdashboards?\b"),
    Slot(name="on-call owner", keys=r"\b(on ?call|pager|owner|escalation)\b"),
    Slot(name="runbook", keys=r"\brunbooks?\b"),
)
SPREAD = {
    "disruption budget": r"\b(pdb|pod disruption budget|disruption budget|min available|max unavailable)\b",
    "anti-affinity": r"\b(anti affinity|affinity|topology spread\w*|multi (az|zone)|zones?)\b",
    "rolling update or autoscaling": r"\b(auto ?scal\w*|hpa|horizontal pod autoscaler|rolling update|strategy)\b",
}
PROBES = {"liveness": r"\bliveness", "readiness": r"\breadiness"}
RESOURCES = {"requests": r"\brequests\b", "limits": r"\blimits\b"}
SLO_SLOTS = (
    Slot(name="p95 latency", keys=r"\b(p9\d|latency)\b", value=r"\d"),
    Slot(name="availability", keys=r"\b(availability|uptime)\b", value=r"\d"),
    Slot(name="error rate", keys=r"\b(error rate|error budget|errors)\b", value=r"\d"),
    Slot(name="window", keys=r"\b(window|slo (window|period))\b", value=r"\d"),
    Slot(name="owner", keys=r"\b(slo|sla)\b.*\bowner\b"),
)
ROLLBACK_SLOTS = (
    Slot(
        name="command", keys=r"\brollback\b.*\b(command|procedure|how|steps)\b|^rollback$", value=r"[a-z]+[ -][\w./-]+"
    ),
    Slot(name="owner", keys=r"\brollback\b.*\bowner\b"),
    Slot(name="drill date", keys=r"\b(drill|rollback tested|last drill|last rollback)\b", value=DATE),
)
DRIFT = r"\bdrift\b"
DRIFT_SLOTS = (
    Slot(name="job", keys=rf"{DRIFT}.*\b(job|script|module|tool|detector|method)\b|^drift( detection)?$"),
    Slot(name="threshold", keys=rf"{DRIFT}.*\bthreshold\b", value=r"\d"),
    Slot(name="schedule", keys=rf"{DRIFT}.*\b(schedule|cron|interval|frequency)\b"),
    Slot(name="alert", keys=rf"{DRIFT}.*\b(alert|notify|notification|channel)\b"),
)


@statement("R1.2")
def alerts(facts: Facts) -> Iterable[Verdict]:
    """Which of the five are watched; a bare "enabled" is worth the one slot of having mentioned it."""
    stated = claims(facts, "reliability")
    mentioned = [s for s in under(stated, MONITORING) if s.value is not False and s.text.strip()]
    if not mentioned:
        return
    filled = fill(ALERT_SLOTS, stated)
    k = max(1, len(filled))
    missing = [slot.name for slot in ALERT_SLOTS if slot.name not in {item.slot for item in filled}]
    got = ", ".join(item.slot for item in filled) or f"{mentioned[0].key} is {mentioned[0].text!r}, which names nothing"
    yield Verdict(
        outcome=Outcome.PASS if k == len(ALERT_SLOTS) else Outcome.PARTIAL,
        level=Level.CLAIMED,
        observed=f"{k} of {len(ALERT_SLOTS)}: {got}" + (f"; not named: {', '.join(missing)}" if missing else ""),
        value=Fraction(k, len(ALERT_SLOTS)),
        fix=f"name alerts for {', '.join(missing)}" if missing else "",
    )


@statement("R2.1")
def replicas(facts: Facts) -> Iterable[Verdict]:
    """A number of replicas."""
    count = first_number(claims(facts, "reliability"), r"\b(min )?replicas?( count| min)?$|\bmin (instances|pods)$")
    if count is None:
        return
    enough, some = facts.limit("R2.1", "pass"), facts.limit("R2.1", "partial")
    yield Verdict(
        outcome=Outcome.PASS if count >= enough else Outcome.PARTIAL if count >= some else Outcome.FAIL,
        level=Level.CLAIMED,
        observed=f"{count:g} replicas stated",
    )


def _switched(stated: list[Statement], parts: dict[str, str]) -> list[str]:
    """The parts that are stated with content, a number, or as switched on."""
    return [
        name
        for name, pattern in parts.items()
        if any(
            s.value is True
            or s.text.strip().lower() in ON
            or number_of(s.value)
            or (s.value is not False and is_concrete(s.text))
            for s in under(stated, pattern)
        )
    ]


def _parts(facts: Facts, parts: dict[str, str]) -> Iterable[Verdict]:
    named = _switched(claims(facts, "reliability"), parts)
    if named:
        missing = [name for name in parts if name not in named]
        yield Verdict(
            outcome=Outcome.PARTIAL if missing else Outcome.PASS,
            level=Level.CLAIMED,
            observed=f"{len(named)} of {len(parts)}: {', '.join(named)}"
            + (f"; missing: {', '.join(missing)}" if missing else ""),
            value=Fraction(len(named), len(parts)),
            fix=f"state {', '.join(missing)}" if missing else "",
        )


@statement("R2.2")
def probes(facts: Facts) -> Iterable[Verdict]:
    """Liveness and readiness."""
    yield from _parts(facts, PROBES)


@statement("R2.3")
def spread(facts: Facts) -> Iterable[Verdict]:
    """Disruption budget, anti-affinity, rolling update or autoscaling."""
    yield from _parts(facts, SPREAD)


@statement("R3.4")
def resources(facts: Facts) -> Iterable[Verdict]:
    """Requests and limits."""
    yield from _parts(facts, RESOURCES)


@statement("R3.2")
def latency(facts: Facts) -> Iterable[Verdict]:
    """A stated measured latency against the stated objective."""
    stated = claims(facts, "reliability")
    seen = first_number(
        stated, r"\b(measured|observed|actual|current) .*(p95|latency)|\b(p95|latency).* (measured|observed|actual)"
    )
    wanted = first_number(
        stated, r"\b(slo|sla|target|objective)\b.*\b(p95|latency)|\b(p95|latency).* (slo|sla|target|objective)"
    )
    if not seen or not wanted:
        return
    within = seen <= facts.limit("R3.2", "margin") * wanted
    yield Verdict(
        outcome=Outcome.PASS if within else Outcome.PARTIAL if seen <= wanted else Outcome.FAIL,
        level=Level.CLAIMED,
        observed=f"stated latency {seen:g} against an objective of {wanted:g}",
    )


def _slots(check_id: str, slots: tuple[Slot, ...]) -> None:
    @statement(check_id)
    def read(facts: Facts) -> Iterable[Verdict]:
        verdict = slot_verdict(slots, claims(facts, "reliability"), Level.CLAIMED)
        if verdict:
            yield verdict


_slots("R1.3", LOGGING_SLOTS)
_slots("R1.4", ON_CALL_SLOTS)
_slots("R3.1", SLO_SLOTS)
_slots("R4.3", ROLLBACK_SLOTS)
_slots("R5.2", DRIFT_SLOTS)
