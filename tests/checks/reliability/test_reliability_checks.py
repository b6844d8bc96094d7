"""Every static check of the dimension Reliability, over small folders: path -> content -> outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlestar.core.evidence import Level, Outcome
from mlestar.core.facts.run import RunFacts
from support.trees import commit, judge, outcome_of, write_tree

PASS, PARTIAL, FAIL, UNKNOWN = Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.UNKNOWN
SERVE = "from fastapi import FastAPI\napp = FastAPI()\n"
HELPER = "def f(x):\n    return model.predict(x)\n"
PROBE = "{httpGet: {path: /h, port: 80}, timeoutSeconds: 2}"


def deployment(
    *, replicas: int = 3, image: str = "r/m@sha256:" + "a" * 64, extra: str = "", container: str = ""
) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: scorer
spec:
  replicas: {replicas}
{extra}
  template:
    spec:
      containers:
        - name: scorer
          image: {image}
{container}
"""


BOTH_PROBES = f"          livenessProbe: {PROBE}\n          readinessProbe: {PROBE}\n"
BOUNDED = "          resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 2, memory: 2Gi}}\n"
SPREAD = "  strategy: {type: RollingUpdate}\n"
BUDGET = "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: p}\n"
SCALER = """---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: h}
spec: {minReplicas: 4, scaleTargetRef: {name: scorer}}
"""
RULES = """groups:
- name: g
  rules:
  - {alert: SlowAnswers, expr: 'histogram_quantile(0.95, latency) > 0.2', for: 5m, annotations: {runbook_url: 'https://r'}}
  - {alert: NoTraffic, expr: 'rate(requests_total[5m]) < 1', for: 5m}
  - {alert: Errors, expr: 'rate(errors_total[5m]) > 0.01', for: 5m}
  - {alert: Saturated, expr: 'container_memory_usage > 0.9', for: 5m}
"""
DRIFTING = "  - {alert: InputDrift, expr: 'feature_psi > 0.25', for: 1h}\n"
LOGS = """
import logging
logger = logging.getLogger(__name__)
def answer(request):
    score = model.predict(request.features)
    logger.info("scored", extra={"score": score, "features": request.features, "version": V, "request_id": request.id})
    return score
"""
DRIFT = """
THRESHOLD = 0.25
def main():
    value = psi(load("reference.csv"), load("current.csv"))
    if value > THRESHOLD:
        requests.post(WEBHOOK, json={"psi": value})
"""
NIGHTLY = (
    "on:\n  schedule:\n  - cron: '0 3 * * *'\njobs:\n  drift:\n    steps:\n    - run: python -m monitoring.drift\n"
)
SLO = "owner: screening-group\nwindow: 30d\nlatency_p95_ms: 100\navailability: 99.9%\nerror_rate: 0.001\n"
K6 = {
    "metrics": {"http_req_duration": {"p(95)": 80.0}, "http_req_failed": {"value": 0.0005}, "http_reqs": {"rate": 50}}
}
RUNBOOK = "# Rollback\n\nOwner: @ada\n\n```\nkubectl rollout undo deployment/scorer\n```\n\nLast drill: 2026-05-02.\n"

CASES: dict[str, tuple[str, dict[str, str | bytes], Outcome]] = {
    "R1.1 called": ("R1.1", {"s.py": SERVE + "from prometheus_client import Counter\nC = Counter('a', 'b')\n"}, PASS),
    "R1.1 imported only": ("R1.1", {"s.py": SERVE + "from prometheus_client import Counter\n"}, PARTIAL),
    "R1.1 none": ("R1.1", {"s.py": SERVE}, FAIL),
    "R1.1 not a service": ("R1.1", {"train.py": "x = 1\n"}, UNKNOWN),
    "R1.2 all five": ("R1.2", {"alerts.yml": RULES + DRIFTING, "s.py": SERVE}, PASS),
    "R1.2 four": ("R1.2", {"alerts.yml": RULES, "s.py": SERVE}, PARTIAL),
    "R1.2 a rule without condition": (
        "R1.2",
        {"alerts.yml": "groups:\n- rules:\n  - {alert: A, expr: latency}\n", "s.py": SERVE},
        FAIL,
    ),
    "R1.3 all, kept a year": ("R1.3", {"s.py": SERVE + LOGS, "log.yaml": "retention_days: 365\n"}, PASS),
    "R1.3 kept a week": ("R1.3", {"s.py": SERVE + LOGS, "log.yaml": "retention: 7d\n"}, PARTIAL),
    "R1.3 logged beside a helper that predicts": (
        "R1.3",
        {"s.py": SERVE + HELPER + "def g(x):\n    score = f(x)\n    logging.info('%s', score)\n    return score\n"},
        PARTIAL,
    ),
    "R1.3 nothing": ("R1.3", {"s.py": SERVE + "def f(x):\n    return model.predict(x)\n"}, FAIL),
    "R1.4 all three": (
        "R1.4",
        {
            "a.yml": "groups:\n- rules:\n  - {alert: A, expr: 'x > 1', annotations: {runbook_url: 'https://r'}}\n",
            "dashboards/g.json": json.dumps({"panels": [{"id": 1}]}),
            "alertmanager.yml": "receivers:\n- pagerduty_configs: []\n",
        },
        PASS,
    ),
    "R1.4 nothing": ("R1.4", {"s.py": SERVE}, FAIL),
    "R2.1 three": ("R2.1", {"k.yaml": deployment()}, PASS),
    "R2.1 two": ("R2.1", {"k.yaml": deployment(replicas=2)}, PARTIAL),
    "R2.1 one": ("R2.1", {"k.yaml": deployment(replicas=1)}, FAIL),
    "R2.1 the autoscaler's minimum": ("R2.1", {"k.yaml": deployment(replicas=1) + SCALER}, PASS),
    "R2.1 compose": ("R2.1", {"compose.yaml": "services:\n  api:\n    image: a:1\n    deploy: {replicas: 3}\n"}, PASS),
    "R2.1 a database beside it": (
        "R2.1",
        {"k.yaml": deployment() + "---\n" + deployment(replicas=1).replace("scorer", "redis")},
        PASS,
    ),
    "R2.1 no manifest": ("R2.1", {"a.py": ""}, UNKNOWN),
    "R2.2 both": ("R2.2", {"k.yaml": deployment(container=BOTH_PROBES)}, PASS),
    "R2.2 one": ("R2.2", {"k.yaml": deployment(container=BOTH_PROBES.splitlines()[0])}, PARTIAL),
    "R2.2 none": ("R2.2", {"k.yaml": deployment()}, FAIL),
    "R2.3 all": (
        "R2.3",
        {"k.yaml": deployment(extra=SPREAD).replace("    spec:\n", ("    spec:\n      topologySpreadConstraints: "
"[{maxSkew: 1}]\n")) + BUDGET},
        PASS,
    ),
    "R2.3 none": ("R2.3", {"k.yaml": deployment()}, FAIL),
    "R2.4 guarded": (
        "R2.4",
        {"s.py": SERVE + ("from pydantic import BaseModel\nclass R(BaseModel):\n    x: float\ndef f(r):\n    "
"if not math.isfinite(r.x):\n        raise HTTPException(422)\n")},
        PASS,
    ),
    "R2.4 bare": ("R2.4", {"s.py": SERVE + "def f(r):\n    return model.predict(r)\n"}, FAIL),
    "R3.1 complete": ("R3.1", {"slo.yaml": SLO}, PASS),
    "R3.1 adjectives": ("R3.1", {"slo.yaml": "latency: fast\navailability: high\nowner: TBD\n"}, FAIL),
    "R3.3 meets": ("R3.3", {"slo.yaml": SLO, "k6.json": json.dumps(K6)}, PASS),
    "R3.3 misses the latency": ("R3.3", {"slo.yaml": SLO.replace("100", "50"), "k6.json": json.dumps(K6)}, PARTIAL),
    "R3.3 misses both": (
        "R3.3",
        {"slo.yaml": SLO.replace("100", "50").replace("0.001", "0.0001"), "k6.json": json.dumps(K6)},
        FAIL,
    ),
    "R3.4 both": ("R3.4", {"k.yaml": deployment(container=BOUNDED)}, PASS),
    "R3.4 none": ("R3.4", {"k.yaml": deployment()}, FAIL),
    "R4.1 two versions": ("R4.1", {"models/v1/m.onnx": b"a", "models/v2/m.onnx": b"b"}, PASS),
    "R4.1 the same file twice": ("R4.1", {"models/v1/m.onnx": b"a", "models/v2/m.onnx": b"a"}, PARTIAL),
    "R4.1 one": ("R4.1", {"model.onnx": b"a"}, FAIL),
    "R4.2 by digest": ("R4.2", {"k.yaml": deployment(extra=SPREAD)}, PASS),
    "R4.2 latest": ("R4.2", {"k.yaml": deployment(image="r/m:latest")}, FAIL),
    "R4.2 no tag": ("R4.2", {"k.yaml": deployment(image="registry:5000/m")}, FAIL),
    "R4.2 no history": ("R4.2", {"k.yaml": deployment(image="r/m:1.2", extra="  revisionHistoryLimit: 0\n")}, PARTIAL),
    "R4.3 a word": ("R4.3", {"RUNBOOK.md": "# Rollback\n\nWe can always roll back.\n"}, FAIL),
    "R5.1 dated": ("R5.1", {"s.py": SERVE, "monitoring/reference_2026-05-01.csv": "a\n1\n"}, PASS),
    "R5.1 undated": ("R5.1", {"s.py": SERVE, "monitoring/reference.csv": "a\n1\n"}, PARTIAL),
    "R5.1 none": ("R5.1", {"s.py": SERVE}, FAIL),
    "R5.2 all four": ("R5.2", {"monitoring/drift.py": DRIFT, ".github/workflows/n.yml": NIGHTLY}, PASS),
    "R5.2 nobody calls it": ("R5.2", {"monitoring/drift.py": DRIFT}, PARTIAL),
    "R5.2 an empty module": ("R5.2", {"src/drift_detector.py": '"""Detects drift."""\n'}, FAIL),
    "R5.2 the same answer to all rows": (
        "R5.2",
        {"drift.py": DRIFT.replace("main()", "main(): ...\ndef psi(a, b):\n    return 0.0\ndef run()")},
        FAIL,
    ),
    "R5.2 a class of passes": ("R5.2", {"src/drift.py": "class D:\n    def detect(self, x):\n        pass\n"}, FAIL),
    "R5.4 both kinds of test": (
        "R5.4",
        {
            "mon/drift.py": DRIFT,
            "tests/test_drift.py": ("from mon.drift import main\ndef test_shift_fires(): ...\ndef "
"test_resample_is_silent(): ...\n"),
        },
        PASS,
    ),
    "R5.4 untested": ("R5.4", {"mon/drift.py": DRIFT}, FAIL),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_folder_gets_its_verdict(name: str, tmp_path: Path) -> None:
    check_id, files, expected = CASES[name]
    verdict = outcome_of(check_id, tmp_path, files)
    assert verdict.outcome is expected, verdict.observed


def test_a_weak_workload_is_located_at_its_line(tmp_path: Path) -> None:
    verdict = outcome_of("R2.1", tmp_path, {"k8s/d.yaml": deployment(replicas=1)})
    assert str(verdict.where) == "k8s/d.yaml:6"


@pytest.mark.parametrize(
    ("head", "expected"), [("2026-06-01T00:00:00+00:00", PASS), ("2027-06-01T00:00:00+00:00", PARTIAL)]
)
def test_a_drill_ages_with_head_not_with_the_clock(tmp_path: Path, head: str, expected: Outcome) -> None:
    commit(write_tree(tmp_path, {"RUNBOOK.md": RUNBOOK}), date=head)
    assert judge("R4.3", tmp_path)[0].outcome is expected


RUN = {"run_id": "r1", "name": "demo"}


@pytest.mark.parametrize(
    ("check_id", "parts", "expected"),
    [
        ("R3.2", {"latency_p95_ms": 40.0}, PASS),
        ("R3.2", {"latency_p95_ms": 80.0}, PARTIAL),
        ("R3.2", {"latency_p95_ms": 180.0}, FAIL),
        ("R4.1", {"versions": 2, "model_sha256": "a" * 64}, PASS),
        ("R4.1", {"versions": 1, "model_sha256": "a" * 64}, FAIL),
        ("R4.4", {"previous_version_loads": True, "versions": 2}, PASS),
        ("R4.4", {"previous_version_loads": False, "versions": 2}, FAIL),
        ("R5.1", {"reference_profile_sha256": "b" * 64}, PASS),
    ],
)
def test_what_a_run_measured_counts_as_measured(
    tmp_path: Path, check_id: str, parts: dict[str, object], expected: Outcome
) -> None:
    write_tree(tmp_path, {"slo.yaml": SLO})
    run = RunFacts(**RUN, **parts)  # pyright: ignore[reportArgumentType] - parts by name
    measured = [verdict for verdict in judge(check_id, tmp_path, run=run) if verdict.level is Level.MEASURED]
    assert [verdict.outcome for verdict in measured] == [expected]
