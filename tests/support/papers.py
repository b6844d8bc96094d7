"""A project's documents and reports at their best, all true-looking: what papers alone can say."""

from __future__ import annotations

import json

SAID = (
    "The classifier was trained by the screening team in Lyon on 569 biopsies of 2021, with 30 measured features, and "
    "predicts whether a mass is malignant for 1 patient at a time within 80 ms."
)
DOCUMENTS: dict[str, str] = {
    "MODEL_CARD.md": """\
---
license: apache-2.0
target: malignant
task: classification
datasets: [screening]
metrics:
  accuracy: 0.95
---
# Model card

## Model Details

{SAID} Version 1.2.0, gradient boosting with 200 trees, depth 4, released 2026-05-02 by Ada Byron. We chose it
over logistic regression because its out-of-fold score was 0.02 better.

## Intended Use

{SAID} Goal: find malignant masses early. Users: radiologists at the screening clinic decide on a biopsy.
Prediction unit: one patient and visit. When: within one hour after imaging. Action: patients above 0.7 are
called back for a biopsy.

### Out-of-scope

- Must not be used for children under 18 years.
- Not for images of devices other than the GE 500.
- Not valid for a diagnosis without a radiologist.

## Factors

{SAID} Groups by age (under 50, 50 and over) and by device were looked at, with 212 malignant cases.

## Metrics

{SAID} Accuracy 0.95, AUC 0.98, recall 0.93, precision 0.94 at the threshold 0.5 with 95% intervals of 0.02.

## Evaluation Data

{SAID} The held-out quarter of 143 biopsies, drawn by patient in 2026, never used for training.

## Training Data

{SAID} The remaining 426 biopsies from 3 clinics, collected from 2019-01-01 to 2021-12-31.

## Quantitative Analyses

{SAID} Recall is 0.92 under 50 years and 0.94 above; the difference is within its interval of 0.04.

## Ethical Considerations

{SAID} Sensitive attributes: age, sex. Fairness metric: equal opportunity, because missed cases harm patients
most; the residual difference of 0.02 was accepted by Ada Byron on 2026-05-01.

## Caveats and Recommendations

{SAID} Retrain after a change of device; do not use below 18 years; monitor monthly with a threshold of 0.2.

## Explanations

Global: permutation importances of all features are in importances.csv. Local: SHAP values for one patient are
in explanation.json.
""",
    "DATASHEET.md": """\
# Datasheet

## Motivation

{SAID} Collected to detect cancer early, funded by the clinic with 20000 EUR.

## Composition

{SAID} 569 rows, 30 columns, 212 positive labels by two pathologists.

## Collection Process

{SAID} Source: hospital archive export of 2021-12-31, consent form 7.

## Preprocessing/cleaning/labeling

{SAID} Labels from biopsies, Cohen kappa 0.91 on 50 rows.

## Uses

{SAID} Screening only.

## Distribution

{SAID} Licence CC-BY-4.0, internal server.

## Maintenance

{SAID} Ada Byron updates it every 6 months.

## Features

| feature | type | meaning | owner | source | available at prediction time |
|---|---|---|---|---|---|
| radius | float | mean radius in mm | Ada Byron | imaging | yes |
| texture | float | mean grey value | Ada Byron | imaging | yes |
""",
    "problem.yaml": """\
goal: find malignant masses early
user: radiologists at the screening clinic
decision: whether to take a biopsy
prediction_unit: one patient and visit
when: one hour after imaging
action: call back patients above 0.7
target: malignant
task: classification
success:
  metric: recall
  direction: increase
  magnitude: 5%
  baseline: 0.88
  target: 0.93
  deadline: 2027-03-31
  measured_by: A/B test over 4 weeks
out_of_scope:
  - children under 18 years
  - devices other than GE 500
proxy:
  offline: recall
  business: missed cancers per 1000
  experiment: EXP-17
guardrails:
  - latency p95 below 200 ms
  - cost below 0.02 EUR per prediction
""",
    "PLAN.md": """\
# Plan

Start: 2026-01-05. Owner: Ada Byron.

| milestone | date |
|---|---|
| data ready | 2026-02-01 |
| model trained | 2026-03-01 |
| pilot | 2026-04-15 |
| launch | 2026-06-01 |

Risk: label delay. Decision gate on 2026-03-15: go or no-go by Grace Hopper.

People: 2 engineers, 6 weeks. Compute: 40 GPU hours. Budget: 12000 EUR.

Timeline: 20 weeks. A/B test: base rate 10%, MDE 2 points, 2000 users per day, 4 weeks. Training 1 week, review
1 week.
""",
    "experiment.yaml": """\
unit: patient
arms: [control, treatment]
metric: recall
base_rate: 0.10
mde: 0.02
alpha: 0.05
power: 0.8
n_per_arm: 4000
daily_traffic: 2000
stopping: fixed after 28 days
days: 28
""",
    "RUNBOOK.md": """\
# Runbook

## Stop

Ada Byron (on-call: +33 1 23 45 67 89) may override or stop the model: run `kubectl scale deploy/screening
--replicas=0`.

## Rollback

Owner: Ada Byron. Command: `kubectl rollout undo deployment/screening --to-revision=3`. Last drill: 2026-05-20.
""",
    "slo.yaml": """\
slo:
  p95_latency_ms: 200
  availability: 99.9%
  error_rate: 0.1%
  window: 30 days
  owner: platform team
""",
    "DECISIONS.md": """\
# ADR 7: Release 1.2.0

Status: accepted
Date: 2026-06-01

Approved by Ada Byron and Grace Hopper for version 1.2.0.
""",
    "ERROR_ANALYSIS.md": """\
# Error analysis

| category | count | example |
|---|---|---|
| dense tissue | 12 | row 17 |
| scar | 7 | row 90 |
| blurred image | 5 | row 211 |
""",
    "README.md": """\
# Screening

Finds malignant masses. Metrics are monitored, drift is detected and rolled back; tests cover the code.

## Install

`pip install -r requirements.txt`

## Train

`python train.py`

## Evaluate

`python evaluate.py`

## Pre-trained model

Download it from the release 1.2.0.

## Results

| model | accuracy | command |
|---|---|---|
| gbm | 0.95 | `python train.py --seed 1` |
""",
    "SECURITY.md": """\
# Security

Report to security@clinic.test within 90 days. Audited by Grace Hopper on 2026-04-01: scope src/, tool bandit
1.9, findings: 0 high, 2 medium.
""",
    "CONTRIBUTING.md": """\
# Contributing

Changes are reviewed by Grace Hopper.
""",
    "CODEOWNERS": "* @ada @grace\n",
    ".github/pull_request_template.md": "# What changes\n\n# How it was tested\n",
    "LICENSE": "Apache License\nVersion 2.0\n",
}
"""Path -> text; `{SAID}` stands for a paragraph of concrete words."""

RUNS = [
    {
        "name": f"r{number}",
        "params": {
            "algorithm": algorithm,
            "max_depth": number,
            "n_estimators": 100 * number,
            "learning_rate": 0.1 / number,
            "checkpoint": f"c{number}",
        },
        "metrics": {"auc": 0.9 + number / 100, "duration_s": 12.0, "cost": 1.2},
        "commit": "a" * 40,
        "data_hash": "b" * 32,
    }
    for number, algorithm in enumerate(["gbm", "forest", "ridge", "gbm"], start=1)
]
_CASES = "".join(f'<testcase name="t{i}" classname="tests.test_features"/>' for i in range(40))
_LINES = "".join(f'<line number="{i}" hits="1"/>' for i in range(1, 50))
_CLASSES = "".join(
    f'<class filename="src/{name}.py"><lines>{_LINES}</lines></class>' for name in ("features", "train", "model")
)
REPORTS: dict[str, str] = {
    "runs.json": json.dumps(RUNS),
    "junit.xml": f'<testsuites><testsuite name="s" tests="40">{_CASES}</testsuite></testsuites>',
    "coverage.xml": f"<coverage><packages><package><classes>{_CLASSES}</classes></package></packages></coverage>",
    "bandit.sarif": json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "bandit"}}, "results": []}]}),
    "pip-audit.json": json.dumps({"dependencies": [{"name": f"p{i}", "version": "1", "vulns": []} for i in range(9)]}),
    "load_test.json": json.dumps(
        {
            "metrics": {
                "http_req_duration": {"p(95)": 80.0},
                "http_req_failed": {"rate": 0.0},
                "http_reqs": {"rate": 200},
            }
        }
    ),
    "metrics.json": json.dumps({"auc": 0.98, "accuracy": 0.95}),
    "slo.json": json.dumps({"slo": {"p95_latency_ms": 200, "error_rate": 0.01}}),
    "reviews.json": json.dumps(
        [
            {
                "author": {"login": "ada"},
                "mergeCommit": {"oid": "c" * 40},
                "reviews": [{"state": "APPROVED", "author": {"login": "bob"}}],
            }
        ]
    ),
}
"""Path -> text of reports of other tools, every one without a complaint."""
