"""What scoping documents earn: one complete project, and what is lost with each part that goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.git import Commit, GitFacts, Tag
from mlestar.core.facts.project import ProjectFacts, ProjectFile
from mlestar.core.score.scoring import resolve

DAY = 86_400
HEAD_TIME = 1_790_000_000  # 2026-09-21
PROBLEM = """
goal: call customers who are about to leave, so that churn falls
users: agents of the retention desk
prediction_unit: one customer with a contract
when: on the first day of each month
action: customers above 0.6 are called within five days
target: churned
task: binary classification
success:
  metric: monthly churn rate
  direction: down
  baseline: 4.1 %
  target_value: 3.5 %
  deadline: 2027-03
  measured_by: A/B test over two months
business_metric: AUC tracks retained revenue, correlation 0.83 in experiment EXP-12
guardrails:
  - complaint rate <= 0.2 %
  - p95 latency <= 200 ms
out_of_scope:
  - prepaid customers without a contract
  - prices of a single customer
plan:
  start: 2026-10-01
  owner: Ada Byron
  milestones:
    - 2026-10-15 data agreed
    - 2026-11-15 first model
    - 2026-12-15 test ends
  decision_gate: stop if the test shows less than half a point
resources:
  people: 2 engineers for 60 days
  compute: 40 gpu hours
  budget: 30,000 EUR
timeline: 90 days
daily_traffic: 2000
n_per_arm: 14000
training_time: 3 days
may_stop: Ada Byron, head of retention
kill_switch: scale the deployment to 0 with `kubectl scale --replicas=0`
"""
DATASHEET = """# Data sheet
## Data
Contracts and calls of 120,000 customers.
## Labels
`churned`: the contract ended within 60 days.
## Source
Billing system of the company, exported every night.
## Period
2024-01 to 2026-06.
## Licence
Internal use only, contract clause 7.
## Personal data
Names are hashed; legal basis is the contract.
"""
FEATURES = """
features:
  - {name: tenure, type: int, description: months since signing, source: billing, available_at_prediction: yes, daily}
  - {name: calls, type: int, description: calls last month, source: telephony, available_at_prediction: yes, daily}
""".replace("yes, daily", "known the night before")
OWNERS = "* @ada @grace\n"


def commit(author: str, email: str, sha: str) -> Commit:
    return Commit(
        sha=sha, author=author, email=email, committer=author, committer_email=email, time=HEAD_TIME - 3 * DAY,
        parents=(), subject="Change",
    )  # fmt: skip


GIT = GitFacts(
    head="a" * 40,
    head_time=HEAD_TIME,
    tracked=frozenset(["problem.yaml", "DATASHEET.md", "features.yaml", "CODEOWNERS", "train.py", "docs/adr-1.md"]),
    commits=(commit("Ada", "ada@example.org", "b" * 40), commit("Grace Hopper", "grace@example.org", "c" * 40)),
    tags=(Tag(name="v1", time=HEAD_TIME - DAY, annotated=True),),
    changed={"train.py": HEAD_TIME - 3 * DAY},
)


def project(git: GitFacts | None = GIT, **changes: str) -> ProjectFacts:
    texts = {"problem.yaml": PROBLEM, "DATASHEET.md": DATASHEET, "features.yaml": FEATURES, "CODEOWNERS": OWNERS}
    texts |= {name.replace("__", "."): text for name, text in changes.items()}
    texts = {path: text for path, text in texts.items() if text}
    return ProjectFacts(
        root="churn",
        files={
            path: ProjectFile(path=path, size=len(text), kind="text", sha256="0" * 64) for path, text in texts.items()
        },
        texts=texts,
        manifests={path: (yaml.safe_load(text),) for path, text in texts.items() if path.endswith(".yaml")},
        git=git,
    )


def judged(facts: ProjectFacts, **claims: Any) -> dict[str, Finding]:
    ids = [f"S{k}.{n}" for k in range(1, 6) for n in range(1, 5)]
    return resolve(run_checks(Facts(project=facts, claims={"scoping": claims} if claims else {}), ids))


COMPLETE = {
    "S1.1": (Outcome.PARTIAL, Level.DOCUMENTED),
    "S1.2": (Outcome.PASS, Level.DOCUMENTED),
    "S1.3": (Outcome.PASS, Level.DOCUMENTED),
    "S2.1": (Outcome.PASS, Level.DOCUMENTED),
    "S2.3": (Outcome.PASS, Level.DOCUMENTED),
    "S2.4": (Outcome.PASS, Level.DOCUMENTED),
    "S3.1": (Outcome.PASS, Level.DOCUMENTED),
    "S3.3": (Outcome.PASS, Level.DOCUMENTED),
    "S4.1": (Outcome.PASS, Level.INSPECTED),
    "S4.2": (Outcome.PASS, Level.ATTESTED),
    "S4.3": (Outcome.PASS, Level.DOCUMENTED),
    "S5.1": (Outcome.PASS, Level.DOCUMENTED),
    "S5.2": (Outcome.PASS, Level.DOCUMENTED),
    "S5.3": (Outcome.PASS, Level.DOCUMENTED),
}


@pytest.mark.parametrize("check", COMPLETE)
def test_a_complete_project_passes(check: str) -> None:
    finding = judged(project())[check]
    assert (finding.outcome, finding.level) == COMPLETE[check], finding.observed


LACKING: dict[str, tuple[str, str, str, str]] = {
    "no goal": ("S1.2", "goal: call customers who are about to leave, so that churn falls\n", "", "goal"),
    "a placeholder for a user": ("S1.2", "agents of the retention desk", "TBD", "user or decision"),
    "one limit only": ("S1.3", "  - prices of a single customer\n", "", "1 out-of-scope"),
    "no baseline": ("S2.1", "  baseline: 4.1 %\n", "", "baseline"),
    "no target value": ("S2.1", "  target_value: 3.5 %\n", "", "magnitude"),
    "an empty way of measuring": ("S2.1", "measured_by: A/B test over two months", "measured_by: yes", "how measured"),
    "no evidence of the mapping": ("S2.3", ", correlation 0.83 in experiment EXP-12", "", "no number or experiment"),
    "one guardrail": ("S2.4", "  - p95 latency <= 200 ms\n", "", "1 with a limit"),
    "no one to stop it": ("S4.3", "may_stop: Ada Byron, head of retention\n", "", "who"),
    "two milestones": ("S5.1", "    - 2026-12-15 test ends\n", "", "three dated milestones"),
    "no budget": ("S5.2", "  budget: 30,000 EUR\n", "", "budget"),
    "people without a number": ("S5.2", "people: 2 engineers for 60 days", "people: a great team", "people"),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_is_missing_is_named_and_costs(case: str) -> None:
    check, part, instead, words = LACKING[case]
    assert part in PROBLEM
    finding = judged(project(problem__yaml=PROBLEM.replace(part, instead)))[check]
    assert finding.outcome is Outcome.PARTIAL
    assert 0 < finding.value < 1
    assert words in finding.observed


def test_a_timeline_too_short_for_its_experiment_fails_by_arithmetic() -> None:
    finding = judged(project(problem__yaml=PROBLEM.replace("timeline: 90 days", "timeline: 2 weeks")))["S5.3"]
    assert (finding.outcome, finding.level) == (Outcome.FAIL, Level.MEASURED)
    assert "the timeline has 14" in finding.observed


def test_no_owner_anywhere_fails() -> None:
    finding = judged(project(CODEOWNERS="", problem__yaml="goal: less churn\n"))["S4.1"]
    assert (finding.outcome, finding.level) == (Outcome.FAIL, Level.INSPECTED)


GUARDRAILS: dict[str, Any] = {
    "comparisons": ["precision at least 0.90", "p95 latency below 100 ms"],
    "metric and limit": [
        {"metric": "precision", "limit": "at least 0.90"},
        {"metric": "latency p95", "limit": "100 ms"},
    ],
    "numbers": {"complaint_rate": 0.002, "latency_ms": 200},
}


@pytest.mark.parametrize("form", GUARDRAILS)
def test_guardrails_are_read_in_every_usual_form(form: str) -> None:
    text = yaml.safe_dump({"goal": "less churn", "guardrails": GUARDRAILS[form]})
    finding = judged(project(problem__yaml=text))["S2.4"]
    assert finding.outcome is Outcome.PASS, finding.observed
    assert finding.observed.startswith("2 with a limit")


def test_owners_who_never_committed_count_half() -> None:
    finding = judged(project(CODEOWNERS="* @linus @guido\n"))["S4.1"]
    assert (finding.outcome, finding.level) == (Outcome.PARTIAL, Level.INSPECTED)
    assert "0 of them authors" in finding.observed


def test_an_approval_before_the_last_change_of_the_model_counts_half() -> None:
    old = replace(GIT, tags=(Tag(name="v0", time=HEAD_TIME - 30 * DAY, annotated=True),))
    assert judged(project(git=old))["S4.2"].outcome is Outcome.PARTIAL


def test_milestones_matched_by_releases_are_inspected() -> None:
    tags = tuple(Tag(name=f"v{k}", time=HEAD_TIME - DAY * k) for k in (2, 40, 70))
    plan = "# Plan\n## Milestones\n- 2026-07-15 first\n- 2026-08-15 second\n- 2026-09-20 third\n"
    untracked = project(git=replace(GIT, tags=tags), PLAN__md=plan, problem__yaml="")
    assert judged(untracked)["S5.1"].outcome is Outcome.UNKNOWN
    tracked = replace(GIT, tags=tags, tracked=GIT.tracked | {"PLAN.md"})
    assert judged(project(git=tracked, PLAN__md=plan, problem__yaml=""))["S5.1"].level is Level.INSPECTED


def test_a_feature_without_availability_is_not_complete() -> None:
    half = FEATURES.replace(", available_at_prediction: known the night before}", "}", 1)
    finding = judged(project(features__yaml=half))["S3.3"]
    assert finding.outcome is Outcome.FAIL
    assert "1 of 2 features" in finding.observed


def test_a_template_full_of_placeholders_earns_nothing() -> None:
    template = "\n".join(f"## {title}\nTODO: <describe the {title}>\n" for title in (
        "Goal", "Users", "Prediction unit", "When", "Action", "Success metric", "Baseline", "Deadline", "Guardrails",
        "Limitations", "Data", "Labels", "Source", "Licence", "Owner", "Plan", "Milestones", "Budget", "Compute",
    ))  # fmt: skip
    findings = judged(
        project(git=None, problem__yaml="", DATASHEET__md="", features__yaml="", CODEOWNERS="", README__md=template)
    )
    assert {check: f.observed for check, f in findings.items() if f.value > 0} == {}


def test_a_document_outweighs_a_claim_of_the_same_thing() -> None:
    finding = judged(project(), goal="grow")["S1.2"]
    assert (finding.outcome, finding.level) == (Outcome.PASS, Level.DOCUMENTED)


STOPPING = {
    "Ada Byron (on-call: +33 1 23 45) may override or stop the model: run `kubectl scale deploy/x --replicas=0`.": 2,
    "The on-call engineer can switch off the model with `make stop`.": 2,
    "The platform lead disables it.": 1,
    "@ada decides to stop it.": 1,
    "Unit Tests run on stop.": 0,
    "the job can stop at any time.": 0,
    "Somebody may stop it.": 0,
}
"""A sentence of a runbook -> how many of S4.3's two slots it fills."""


@pytest.mark.parametrize("sentence", STOPPING)
def test_who_may_stop_it_is_read_from_prose(sentence: str) -> None:
    text = f"# Emergencies\n\n{sentence}\n"
    file = ProjectFile(path="RUNBOOK.md", size=len(text), kind="document")
    project = ProjectFacts(root="x", files={file.path: file}, texts={file.path: text})
    finding = resolve(run_checks(Facts(project=project), ["S4.3"]))["S4.3"]
    assert finding.value * 2 == STOPPING[sentence], finding.observed


def test_what_is_no_goal_is_not_taken_for_one() -> None:
    text = "# Churn\n\n## Non-goals\n\n- Not for business accounts\n- Reduce prices by 3%\n"
    file = ProjectFile(path="README.md", size=len(text), kind="document")
    project = ProjectFacts(root="x", files={file.path: file}, texts={file.path: text})
    found = resolve(run_checks(Facts(project=project), ["S1.2", "S1.3", "S2.1"]))
    assert "goal (" not in found["S1.2"].observed
    assert found["S1.3"].outcome is Outcome.PASS
    assert "magnitude (" not in found["S2.1"].observed


@pytest.mark.parametrize(
    "plan",
    [
        "People: 2 engineers, 6 weeks. Compute: 40 GPU hours. Budget: 12,000 EUR.",
        "- **People**: 2 engineers; **Compute**: 40 GPU hours; **Budget**: 12,000 EUR",
        "| Team | 2 people |\n|---|---|\n| GPU | 40 gpu hours |\n| Cost | 9k EUR |",
    ],
)
def test_several_labels_of_one_line_are_told_apart(plan: str) -> None:
    text = f"# Plan\n\n{plan}\n"
    file = ProjectFile(path="PLAN.md", size=len(text), kind="document")
    project = ProjectFacts(root="x", files={file.path: file}, texts={file.path: text})
    finding = resolve(run_checks(Facts(project=project), ["S5.2"]))["S5.2"]
    assert finding.outcome is Outcome.PASS, finding.observed
