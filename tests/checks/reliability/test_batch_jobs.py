"""What a project without a service is asked in the place of R2.1 to R2.3, over small folders: path -> content."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestar.checks.catalogue import load, run_checks
from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.score.profiles import profile_of
from mlestar.core.score.rubric import CHECKS
from mlestar.core.score.scoring import credit, resolve, score
from mlestar.evidence.project import read_project
from support.trees import Files, write_tree

PASS, PARTIAL, FAIL, UNKNOWN = Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.UNKNOWN
ASKED = ("R2.1", "R2.2", "R2.3")


def cron(*, policy: str = "", retries: str = "", deadline: str = "", run: str = "[python, score.py]") -> str:
    return f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
spec:
  schedule: "0 3 * * *"
  {policy}
  jobTemplate:
    spec:
      {retries}
      {deadline}
      template: {{spec: {{restartPolicy: Never, containers: [{{name: score, image: "r/s:1", command: {run}}}]}}}}
"""


FORBID = "concurrencyPolicy: Forbid"
ENDS = "activeDeadlineSeconds: 3600"
DAG = "from datetime import timedelta\nfrom airflow import DAG\nfrom airflow.operators.python import PythonOperator\n"
CAREFUL_DAG = DAG + (
    "ARGS = {'retries': 3, 'execution_timeout': timedelta(hours=1)}\n"
    "with DAG('score', schedule='@daily', max_active_runs=1, default_args=ARGS):\n    PythonOperator(task_id='a')\n"
)
BARE_DAG = DAG + "with DAG('score', default_args={'retries': 0}):\n    PythonOperator(task_id='a')\n"
FLOW = "from prefect import flow, task\n@task(retries=2, timeout_seconds=60)\ndef a(): ...\n@flow\ndef b(): a()\n"
ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: retrain}
spec:
  concurrencyPolicy: Replace
  workflowSpec:
    activeDeadlineSeconds: 60
    templates: [{name: t, retryStrategy: {limit: 2}, container: {command: [python, train.py]}}]
"""
WEEKLY = "on: {schedule: [{cron: '0 3 * * 1'}]}\njobs:\n  score:\n    steps: [{run: python score.py}]\n"
WEEKLY_CAREFUL = WEEKLY.replace("    steps:", "    timeout-minutes: 30\n    concurrency: score\n    steps:")
TIMER = "[Timer]\nOnCalendar=daily\n"
SERVICE = "[Service]\nType=oneshot\nExecStart=/usr/bin/python /opt/app/score.py\n"
SCORES = "rows = model.predict(x)\n"
OVERWRITES = SCORES + "rows.to_parquet(f'out/day={day}.parquet')\n"
APPENDS = SCORES + "rows.to_csv('out.csv', mode='a')\n"
INSERT = "INSERT INTO scores VALUES (1)"
INSERTS = "db.execute('INSERT INTO scores VALUES (1)')\n"
EMPTIED = "db.execute('DELETE FROM scores WHERE day = 1')\n"
UPSERT = "db.execute('INSERT INTO scores VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1')\n"

CASES: dict[str, tuple[str, Files, Outcome]] = {
    "R2.1 retried and alone": ("R2.1", {"k.yaml": cron(policy=FORBID)}, PASS),
    "R2.1 beside itself": ("R2.1", {"k.yaml": cron()}, PARTIAL),
    "R2.1 neither": ("R2.1", {"k.yaml": cron(retries="backoffLimit: 0")}, FAIL),
    "R2.1 the weakest of two": (
        "R2.1",
        {"a.yaml": cron(policy=FORBID), "b.yaml": cron(policy=FORBID, retries="backoffLimit: 0")},
        PARTIAL,
    ),
    "R2.1 a DAG with defaults": ("R2.1", {"dags/d.py": CAREFUL_DAG}, PASS),
    "R2.1 a DAG whose defaults another module holds": (
        "R2.1",
        {
            "dags/d.py": DAG
            + "from dags.shared import ARGS\nwith DAG('a', max_active_runs=1, default_args=ARGS): ...\n",
            "dags/shared.py": "ARGS = dict(retries=3)\n",
        },
        PASS,
    ),
    "R2.1 a DAG without": ("R2.1", {"dags/d.py": BARE_DAG}, FAIL),
    "R2.1 a flow": ("R2.1", {"flows/f.py": FLOW}, PARTIAL),
    "R2.1 Argo": ("R2.1", {"w.yaml": ARGO}, PASS),
    "R2.1 a workflow of CI": ("R2.1", {".github/workflows/w.yml": WEEKLY, "score.py": OVERWRITES}, FAIL),
    "R2.1 a guarded workflow of CI": (
        "R2.1",
        {".github/workflows/w.yml": WEEKLY_CAREFUL, "score.py": OVERWRITES},
        PARTIAL,
    ),
    "R2.1 a timer": ("R2.1", {"s.timer": TIMER, "s.service": SERVICE + "Restart=on-failure\n"}, PASS),
    "R2.1 a crontab line": ("R2.1", {"deploy/crontab": "0 3 * * * python score.py\n"}, FAIL),
    "R2.1 a locked crontab line": (
        "R2.1",
        {"deploy/crontab": "0 3 * * * flock -n /tmp/l timeout 1h python score.py\n"},
        PARTIAL,
    ),
    "R2.2 bounded": ("R2.2", {"k.yaml": cron(deadline=ENDS)}, PASS),
    "R2.2 endless": ("R2.2", {"k.yaml": cron()}, FAIL),
    "R2.2 one of two": ("R2.2", {"a.yaml": cron(deadline=ENDS), "b.yaml": cron()}, PARTIAL),
    "R2.2 a DAG": ("R2.2", {"dags/d.py": CAREFUL_DAG}, PASS),
    "R2.2 a DAG that only waits for a server": (
        "R2.2",
        {"dags/d.py": BARE_DAG + "import requests\nrequests.get('https://x', timeout=5)\n"},
        FAIL,
    ),
    "R2.2 a DAG beside other time limits": (
        "R2.2",
        {
            "dags/d.py": BARE_DAG + "from client import get\nHEADERS = {'timeout': 5}\n",
            "client.py": "O = {'timeout': 9}\n",
        },
        FAIL,
    ),
    "R2.2 a flow": ("R2.2", {"flows/f.py": FLOW}, PASS),
    "R2.2 Argo": ("R2.2", {"w.yaml": ARGO}, PASS),
    "R2.2 CI": ("R2.2", {".github/workflows/w.yml": WEEKLY_CAREFUL, "score.py": OVERWRITES}, PASS),
    "R2.2 a timer": ("R2.2", {"s.timer": TIMER, "s.service": SERVICE + "TimeoutStartSec=infinity\n"}, FAIL),
    "R2.2 a crontab line": ("R2.2", {"crontab": "0 3 * * * timeout 1h python score.py\n"}, PASS),
    "R2.3 its own partition": ("R2.3", {"k.yaml": cron(), "score.py": OVERWRITES}, PASS),
    "R2.3 appends": ("R2.3", {"k.yaml": cron(), "score.py": APPENDS}, FAIL),
    "R2.3 some of both": ("R2.3", {"k.yaml": cron(), "score.py": OVERWRITES + APPENDS}, PARTIAL),
    "R2.3 a module that the job imports": (
        "R2.3",
        {"k.yaml": cron(), "score.py": "from out import keep\nkeep()\n", "out.py": APPENDS, "train.py": OVERWRITES},
        FAIL,
    ),
    "R2.3 a path in the image": (
        "R2.3",
        {"k.yaml": cron(run="[python, /app/jobs/score.py]"), "jobs/score.py": APPENDS, "train.py": OVERWRITES},
        FAIL,
    ),
    "R2.3 a new name each time": (
        "R2.3",
        {"k.yaml": cron(), "score.py": SCORES + "name = f'out-{datetime.now()}.csv'\nrows.to_csv(name)\n"},
        FAIL,
    ),
    "R2.3 a name of the day": (
        "R2.3",
        {
            "k.yaml": cron(),
            "score.py": SCORES + "day = datetime.now().strftime('%Y-%m-%d')\nrows.to_csv(f'{day}.csv')\n",
        },
        PASS,
    ),
    "R2.3 a log": ("R2.3", {"k.yaml": cron(), "score.py": OVERWRITES + "open('run.log', 'a').write('x')\n"}, PASS),
    "R2.3 plain inserts": ("R2.3", {"k.yaml": cron(), "score.py": INSERTS}, FAIL),
    "R2.3 an upsert": (
        "R2.3",
        {"k.yaml": cron(), "score.py": UPSERT},
        PASS,
    ),
    "R2.3 a delete before": (
        "R2.3",
        {"k.yaml": cron(), "score.py": EMPTIED + INSERTS},
        PASS,
    ),
    "R2.3 frames appended to a table": (
        "R2.3",
        {"k.yaml": cron(), "score.py": SCORES + "rows.to_sql('scores', db, if_exists='append')\n"},
        FAIL,
    ),
    "R2.3 Spark appends": (
        "R2.3",
        {"k.yaml": cron(), "score.py": "rows.write.mode('append').parquet('s3://b/o')\n"},
        FAIL,
    ),
    "R2.3 Spark overwrites": (
        "R2.3",
        {"k.yaml": cron(), "score.py": "rows.write.mode('overwrite').parquet('s3://b/o')\n"},
        PASS,
    ),
    "R2.3 SQL files": ("R2.3", {"k.yaml": cron(), "sql/load.sql": INSERT + ";\n"}, FAIL),
    "R2.3 SQL that merges": ("R2.3", {"k.yaml": cron(), "sql/load.sql": "MERGE INTO scores USING s ON a = b;\n"}, PASS),
    "R2.3 an incremental model without key": (
        "R2.3",
        {"k.yaml": cron(), "models/m.sql": "{{ config(materialized='incremental') }}\nselect 1\n"},
        FAIL,
    ),
    "R2.3 nothing written": ("R2.3", {"k.yaml": cron(), "score.py": SCORES}, UNKNOWN),
}


def judged(root: Path, files: Files, claims: dict[str, object] | None = None) -> dict[str, Finding]:
    facts = Facts(project=read_project(write_tree(root, files)), claims={"reliability": claims} if claims else {})
    profile = profile_of(facts)
    assert profile.serving == "batch"
    return resolve(run_checks(facts, not_applicable=profile.not_applicable, serving=profile.serving))


@pytest.mark.parametrize("name", CASES)
def test_each_job_gets_its_verdict(name: str, tmp_path: Path) -> None:
    check_id, files, expected = CASES[name]
    finding = judged(tmp_path, files)[check_id]
    assert finding.outcome is expected, finding.observed
    assert finding.level is (Level.NONE if expected is UNKNOWN else Level.INSPECTED)


def test_a_weak_job_is_located_at_its_line(tmp_path: Path) -> None:
    found = judged(tmp_path, {"k.yaml": cron(), "score.py": APPENDS})
    assert [str(found[check].where) for check in ASKED] == ["k.yaml:4", "k.yaml:4", "score.py:2"]
    assert found["R2.1"].threshold == load("batch")["R2.1"].doc.threshold != load()["R2.1"].doc.threshold


BATCH_CLAIMS: dict[str, tuple[dict[str, object], dict[str, float]]] = {
    "all of it": (
        {"retries": 3, "concurrencyPolicy": "Forbid", "timeoutMinutes": 60, "idempotent": True},
        {"R2.1": 1, "R2.2": 1, "R2.3": 1},
    ),
    "overlapping allowed": ({"retries": 3, "concurrencyPolicy": "Allow"}, {"R2.1": 0.5, "R2.2": 0, "R2.3": 0}),
    "no retries": ({"retries": 0, "idempotent": False}, {"R2.1": 0, "R2.2": 0, "R2.3": 0}),
    "a service's words": ({"replicas": 3, "autoScale": True}, {"R2.1": 0, "R2.2": 0, "R2.3": 0}),
}


@pytest.mark.parametrize("name", BATCH_CLAIMS)
def test_statements_about_a_job_fill_their_slots(name: str) -> None:
    claims, values = BATCH_CLAIMS[name]
    found = resolve(run_checks(Facts(claims={"reliability": claims}), ASKED, serving="batch"))
    assert {check: float(finding.value) for check, finding in found.items()} == values
    assert all(f.level is Level.CLAIMED for f in found.values() if f.value)


def test_a_runbook_documents_what_a_job_does(tmp_path: Path) -> None:
    text = "# Nightly scoring\n\nRetried 3 times, never overlapping; killed after 60 minutes. Overwrites its day.\n"
    facts = Facts(project=read_project(write_tree(tmp_path, {"RUNBOOK.md": text})))
    found = resolve(run_checks(facts, ASKED, serving="batch"))
    assert {(f.outcome, f.level) for f in found.values()} == {(PASS, Level.DOCUMENTED)}


PARTS = ("policy", "deadline", "overwrites")


@given(st.sets(st.sampled_from(PARTS)), st.sampled_from(PARTS), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_better_job_never_scores_less_and_points_still_sum_to_a_hundred(has: set[str], more: str, told: bool) -> None:
    def card(parts: set[str]) -> tuple[dict[str, Finding], float]:
        files = {
            "k.yaml": cron(policy=FORBID if "policy" in parts else "", deadline=ENDS if "deadline" in parts else ""),
            "score.py": OVERWRITES if "overwrites" in parts else APPENDS,
        }
        with tempfile.TemporaryDirectory() as name:
            found = judged(Path(name), files, {"retries": 3, "timeout": 5, "idempotent": True} if told else None)
        made = score(found.values())
        assert sum(made.shares.values()) == 100
        assert sum(made.lost.values()) == 100 - made.uncapped
        assert made.shares.keys() == CHECKS.keys()
        assert all(credit(found[check]) <= Level.INSPECTED.cap for check in ASKED)
        return found, float(made.overall.score)

    worse, better = card(has), card(has | {more})
    assert all(credit(worse[0][check]) <= credit(better[0][check]) for check in ASKED)
    assert worse[1] <= better[1]


def test_only_the_three_checks_ask_a_job_something_else() -> None:
    usual, batch = load(), load("batch")
    assert [check for check in usual if usual[check] is not batch[check]] == list(ASKED)
