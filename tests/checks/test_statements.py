"""Statements of requests: what each reader makes of good, weak and empty ones; none earns more than a claim."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.score.rubric import DIMENSIONS
from mlestar.core.score.scoring import resolve, score
from support.payloads import GUIDE

PASS, PARTIAL, FAIL = Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL


def judged(dimension: str, claim: dict[str, Any], check: str) -> Finding:
    return resolve(run_checks(Facts(claims={dimension: claim}), [check]))[check]


CASES: dict[str, tuple[str, dict[str, Any], Outcome, Fraction | int]] = {
    "T3.3 full": (
        "training",
        {
            "algorithm": "lightgbm",
            "architecture": "gbdt, 31 leaves",
            "checkpoint": "none-2026-01",
            "alternatives": {"ridge": 0.71, "forest": 0.78},
            "reason": "best out-of-fold score",
        },
        PASS,
        1,
    ),
    "T3.3 family": ("training", {"algorithm": "transformer"}, PARTIAL, Fraction(1, 5)),
    "T4.1 full": (
        "training",
        {"learningRate": 0.1, "searchSpace": "0.01 to 0.3", "trials": 80, "objective": "log loss"},
        PASS,
        1,
    ),
    "T4.2 enough": ("training", {"trials": 60, "crossValidation": "5 folds"}, PASS, 1),
    "T4.2 few": ("training", {"trials": 12, "crossValidation": "5 folds"}, PARTIAL, Fraction(1, 2)),
    "T4.2 on test": ("training", {"trials": 90, "validationData": "the test set"}, FAIL, 0),
    "T4.3 three": ("training", {"sensitivity": {"depth": 0.02, "rate": 0.05, "leaves": 0.01}}, PASS, 1),
    "T5.3 both": ("training", {"retrainSchedule": "0 3 * * 1", "maxAge": "30 days"}, PASS, 1),
    "A1.3 precise": ("analysis", {"accuracy": 0.92, "n": 5000}, PASS, 1),
    "A1.3 vague": ("analysis", {"accuracy": 0.92, "n": 60}, FAIL, 0),
    "A2.2 full": (
        "analysis",
        {"recallPositive": 0.9, "recallNegative": 0.8, "supportPositive": 90, "threshold": 0.5},
        PASS,
        1,
    ),
    "A3.1 fair": ("analysis", {"disparateImpact": 0.95, "equalOpportunity": 0.02}, PASS, 1),
    "A3.1 unfair": ("analysis", {"disparateImpact": 0.6}, FAIL, 0),
    "A3.3 full": (
        "analysis",
        {"fairnessMetric": "equal opportunity", "fairnessReason": "missed cases harm most", "acceptedBy": "Ada Byron"},
        PASS,
        1,
    ),
    "A4.2 half": ("analysis", {"featureImportances": "tenure .4, calls .3"}, PARTIAL, Fraction(1, 2)),
    "A5.1 full": (
        "analysis",
        {
            "experiment": {
                "unit": "customer",
                "arms": "control and call",
                "metric": "churn rate",
                "mde": 0.01,
                "alpha": 0.05,
                "power": 0.8,
                "nPerArm": 14000,
                "stopping": "fixed, 28 days",
            }
        },
        PASS,
        1,
    ),
    "A5.1 weak alpha": ("analysis", {"experiment": {"unit": "customer", "alpha": 0.2}}, PARTIAL, Fraction(1, 8)),
    "A5.1 too few": ("analysis", {"experiment": {"baseRate": 0.1, "mde": 0.01, "nPerArm": 500}}, FAIL, 0),
    "A5.2 even": ("analysis", {"arms": {"control": 10000, "treatment": 10050}}, PASS, 1),
    "A5.2 skewed": ("analysis", {"arms": {"control": 10000, "treatment": 11000}}, FAIL, 0),
    "R1.2 named": ("reliability", {"monitoring": "alerts on p95 latency, traffic, error rate, cpu and drift"}, PASS, 1),
    "R1.2 enabled": ("reliability", {"monitoring": "enabled"}, PARTIAL, Fraction(1, 5)),
    "R1.2 off": ("reliability", {"monitoring": False}, Outcome.UNKNOWN, 0),
    "R2.1 three": ("reliability", {"replicas": 3}, PASS, 1),
    "R2.1 one": ("reliability", {"replicas": 1}, FAIL, 0),
    "R2.2 one": ("reliability", {"livenessProbe": "/health"}, PARTIAL, Fraction(1, 2)),
    "R2.3 scaling": ("reliability", {"autoScale": True}, PARTIAL, Fraction(1, 3)),
    "R2.3 off": ("reliability", {"autoScale": False}, Outcome.UNKNOWN, 0),
    "R3.1 full": (
        "reliability",
        {
            "slo": {
                "p95LatencyMs": 200,
                "availability": "99.9%",
                "errorRate": "0.1%",
                "window": "30 days",
                "owner": "platform team",
            }
        },
        PASS,
        1,
    ),
    "R3.2 above": ("reliability", {"latencySlo": 100, "measuredLatency": 180}, FAIL, 0),
    "R3.4 both": ("reliability", {"resources": {"requests": "500m, 1Gi", "limits": "1, 2Gi"}}, PASS, 1),
    "R4.3 full": (
        "reliability",
        {"rollback": {"command": "kubectl rollout undo", "owner": "Ada Byron", "drill": "2026-08-01"}},
        PASS,
        1,
    ),
    "R5.2 full": (
        "reliability",
        {"drift": {"job": "drift.py", "threshold": 0.2, "schedule": "daily", "alert": "#ml-alerts"}},
        PASS,
        1,
    ),
    "X1.1 two": (
        "excellence",
        {"requirements": "uv.lock", "trainingCommand": "python train.py"},
        PARTIAL,
        Fraction(2, 5),
    ),
    "X2.1 one": ("excellence", {"codeReviewers": "Ada, Grace"}, PARTIAL, Fraction(1, 3)),
    "X3.2 audited": ("excellence", {"security": "audited"}, PARTIAL, Fraction(1, 5)),
    "X4.1 lock": ("excellence", {"dependencies": "uv.lock"}, PASS, 1),
    "X4.2 seed": ("excellence", {"seed": 7}, PARTIAL, Fraction(1, 2)),
    "X5.1 good": ("excellence", {"tests": 150, "coverage": 0.85}, PASS, 1),
    "X5.4 licence": ("excellence", {"license": "MIT"}, PARTIAL, Fraction(1, 3)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_statement_is_worth_what_it_says(case: str) -> None:
    dimension, claim, outcome, value = CASES[case]
    finding = judged(dimension, claim, case.partition(" ")[0])
    assert (finding.outcome, finding.value) == (outcome, value), finding.observed


WORDS = st.one_of(
    st.sampled_from(
        [
            "complete", "enabled", "2027-03-31", "TODO", "95%", "Ada Byron", "kubectl rollout undo deploy/x", "4 weeks",
            "improve retention by 5% from 4.0% by 2027-03, measured by A/B test", "alerts on latency, errors, drift",
        ]
    ),
    st.integers(-5, 20_000),
    st.floats(0, 1),
    st.booleans(),
    st.none(),
    st.text(max_size=20),
)  # fmt: skip
KEYS = st.sampled_from(
    sorted({key for claim in GUIDE.values() for key in claim} | {
        key for _, claim, _, _ in CASES.values() for key in claim
    } | {"users", "unit", "when", "action", "baseline", "guardrails", "labels", "source", "licence", "owner", "budget"})
)  # fmt: skip
OBJECTS = st.dictionaries(KEYS, st.one_of(WORDS, st.lists(WORDS, max_size=3), st.dictionaries(KEYS, WORDS, max_size=4)))


@given(st.dictionaries(st.sampled_from([dimension.key for dimension in DIMENSIONS]), OBJECTS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_statement_whatsoever_earns_more_than_a_quarter(claims: dict[str, dict[str, Any]]) -> None:
    findings = run_checks(Facts(claims=claims))
    assert {finding.outcome for finding in findings}.isdisjoint({Outcome.ERROR})
    assert all(f.level is Level.CLAIMED for f in findings if f.value > 0)
    card = score(findings)
    assert all(dimension.marks.score <= 25 for dimension in card.dimensions)
    assert card.blockers == ()
