"""Reports written by hand, of another tree or of an older one are not believed; honest ones are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlestar.core.evidence import Outcome
from support.trees import Files, commit, judge, outcome_of, write_tree

FAIL, PASS, PARTIAL, INCONCLUSIVE = Outcome.FAIL, Outcome.PASS, Outcome.PARTIAL, Outcome.INCONCLUSIVE
CODE = "import pandas\nimport sklearn\n" + "x = 1\n" * 18
TEST = "from a import x\n\n\ndef test_a():\n    assert x\n\n\ndef test_b():\n    assert x\n"


AUDIT = {"dependencies": [{"name": f"p{n}", "version": "1", "vulns": []} for n in range(9)]}
OWN_AUDIT = {"dependencies": [{"name": name, "vulns": []} for name in ("pandas", "scikit_learn")]}


def junit(*names: str, owner: str = "tests.test_a", inside: str = "", commit_id: str = "", timestamp: str = "") -> str:
    cases = "".join(f'<testcase classname="{owner}" name="{name}">{inside}</testcase>' for name in names)
    named = f'<properties><property name="commit" value="{commit_id}"/></properties>' if commit_id else ""
    head = f'<testsuite name="s" tests="{len(names)}" timestamp="{timestamp}">'
    return f"<testsuites>{head}{named}{cases}</testsuite></testsuites>"


def covered(lines: int, *files: str) -> str:
    rows = "".join(f'<line number="{n}" hits="1"/>' for n in range(1, lines + 1))
    classes = "".join(f'<class filename="{name}"><lines>{rows}</lines></class>' for name in files)
    return f"<coverage><packages><package><classes>{classes}</classes></package></packages></coverage>"


HONEST: dict[str, str] = {
    "src/a.py": CODE,
    "tests/test_a.py": TEST,
    "junit.xml": junit("test_a", "test_b[1-x]"),
    "coverage.xml": covered(20, "a.py"),
}
COUNTED = HONEST["junit.xml"].replace('tests="2"', 'tests="{}"')
CASES: dict[str, tuple[str, dict[str, str], Outcome, str]] = {
    "honest": ("X5.1", {}, PASS, "2 tests passed"),
    "cases of another tree": ("X5.1", {"junit.xml": junit("t0", "t1", owner="tests.ghost")}, INCONCLUSIVE, "ghost.t0"),
    "every case skipped": ("X5.1", {"junit.xml": junit("test_a", inside="<skipped/>")}, FAIL, "skipped"),
    "no test at all": ("X5.1", {"tests/test_a.py": "x = 1\n"}, FAIL, "whatever junit.xml lists"),
    "more lines than the file has": ("X5.1", {"coverage.xml": covered(899, "src/a.py")}, FAIL, "which has 20"),
    "files that are not here": ("X5.1", {"coverage.xml": covered(20, "ghost.py")}, INCONCLUSIVE, "ghost.py"),
    "one small file of many": ("X5.1", {"src/b.py": "y = 2\n" * 80}, PARTIAL, "20.0% of the own code"),
    "counts that are no numbers": ("X5.1", {"junit.xml": COUNTED.format("\u00b2")}, FAIL, "declares 0"),
    "counts of ten thousand digits": ("X5.1", {"junit.xml": COUNTED.format("9" * 10_000)}, FAIL, "declares 0"),
    "an audit of other packages": (
        "X3.4",
        {"audit.json": json.dumps(AUDIT)},
        INCONCLUSIVE,
        "not at pandas, scikit-learn",
    ),
    "an audit of these packages": (
        "X3.4",
        {"audit.json": json.dumps(OWN_AUDIT)},
        PASS,
        "2 dependencies",
    ),
    "a load test without a latency": (
        "R3.3",
        {
            "slo.yaml": "slo:\n  p95_latency_ms: 100\n  error_rate: 0.01\n",
            "k6.json": '{"metrics": {"http_req_duration": {"p(95)": NaN}, "http_req_failed": {"rate": NaN}}}',
        },
        FAIL,
        "not in the report",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_report_is_held_against_the_tree(name: str, tmp_path: Path) -> None:
    check, files, outcome, says = CASES[name]
    verdict = outcome_of(check, tmp_path, {**HONEST, **files})
    assert (verdict.outcome, says in verdict.observed) == (outcome, True), verdict.observed


def history(root: Path, *steps: tuple[Files, str]) -> str:
    for files, date in steps:
        write_tree(root, files)
        commit(root, date=date)
    return str(judge("X5.1", root)[0].outcome)


BEFORE, AFTER = "2026-05-01T12:00:00+00:00", "2026-06-01T12:00:00+00:00"
CHANGED = {"src/a.py": CODE + "y = 2\n"}


@pytest.mark.parametrize(
    ("first", "then", "outcome"),
    [
        (HONEST, {"README.md": "# A\n"}, PASS),
        (HONEST, CHANGED, INCONCLUSIVE),
        (HONEST, {**CHANGED, "junit.xml": junit("test_a")}, PASS),
        (HONEST, {**CHANGED, "junit.xml": junit("test_a", timestamp="2026-06-01T11:00:00")}, PASS),
        (HONEST, {**CHANGED, "junit.xml": junit("test_a", timestamp="2026-05-01T11:00:00")}, INCONCLUSIVE),
        (HONEST, {"junit.xml": junit("test_a", commit_id="f" * 40)}, INCONCLUSIVE),
    ],
)
def test_a_report_must_not_be_older_than_the_code(first: Files, then: Files, outcome: Outcome, tmp_path: Path) -> None:
    assert history(tmp_path, (first, BEFORE), (then, AFTER)) == outcome.value
