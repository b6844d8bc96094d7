"""Records that anyone can write (runs, registries, reviewers, grids) are held against what is in the tree."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mlestar.core.evidence import Level, Outcome
from support.trees import commit, judge, outcome_of, write_tree

FAIL, PASS, PARTIAL = Outcome.FAIL, Outcome.PASS, Outcome.PARTIAL
HASH = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("one", "two")}
SEARCH = "from sklearn.model_selection import GridSearchCV\n{}\nGridSearchCV(model, {}, scoring='f1').fit(X, y)\n"


def run(commit_id: str = "", **metrics: float) -> dict[str, Any]:
    return {"params": {"depth": 3}, "metrics": metrics or {"auc": 0.8}, "commit": commit_id, "data_hash": "b" * 32}


def registry(*versions: tuple[str, str]) -> str:
    return json.dumps([{"version": n, "path": path, "sha256": sha} for n, (path, sha) in enumerate(versions)])


CASES: dict[str, tuple[str, dict[str, str], Outcome, Level]] = {
    "a registry of files that are here": (
        "R4.1",
        {"m1.bin": "one", "m2.bin": "two", "registry.json": registry(("m1.bin", HASH["one"]), ("m2.bin", HASH["two"]))},
        PASS,
        Level.INSPECTED,
    ),
    "a registry of files elsewhere": (
        "R4.1", {"registry.json": registry(("s3://a", "a" * 64), ("s3://b", "b" * 64))}, PASS, Level.ATTESTED,
    ),
    "a registry with the hash of another file": (
        "R4.1",
        {"m1.bin": "one", "m2.bin": "2", "registry.json": registry(("m1.bin", HASH["one"]), ("m2.bin", HASH["two"]))},
        FAIL,
        Level.INSPECTED,
    ),
    "three runs": ("A1.4", {"runs.json": json.dumps([run(auc=n / 10) for n in (6, 7, 8)])}, PASS, Level.ATTESTED),
    "one run three times": ("A1.4", {"runs.json": json.dumps([run()] * 3)}, FAIL, Level.ATTESTED),
    "runs that measured nothing": (
        "A1.4", {"runs.json": json.dumps([run(auc=float("nan")), run(auc=float("inf"))])}, Outcome.UNKNOWN, Level.NONE,
    ),
    "a grid": ("T4.2", {"t.py": SEARCH.format("", "{'C': [1, 2], 'l': [0, 1]}")}, PASS, Level.INSPECTED),
    "a grid worked out later": ("T4.2", {"t.py": SEARCH.format("", "{'C': values}")}, PASS, Level.INSPECTED),
    "a grid of one": ("T4.2", {"t.py": SEARCH.format("", "{'C': [1], 'l': [0]}")}, FAIL, Level.INSPECTED),
    "a named grid of one": ("T4.2", {"t.py": SEARCH.format("grid = {'C': [1]}", "grid")}, FAIL, Level.INSPECTED),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_record_is_held_against_the_tree(name: str, tmp_path: Path) -> None:
    check, files, outcome, level = CASES[name]
    verdict = outcome_of(check, tmp_path, {"a.py": "x = 1\n", **files})
    assert (verdict.outcome, verdict.level) == (outcome, level), verdict.observed


def test_a_run_of_a_commit_that_nobody_made_is_not_linked_to_code(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "x = 1\n"})
    commit(tmp_path)
    head = (tmp_path / ".git/refs/heads/main").read_text().strip()
    for commit_id, outcome in ((head, PASS), (head[:12], PASS), ("a" * 40, PARTIAL)):
        write_tree(tmp_path, {"runs.json": json.dumps([run(commit_id)])})
        verdict = judge("T5.4", tmp_path)[0]
        assert verdict.outcome is outcome
        assert ("not in this history" in verdict.observed) is (outcome is PARTIAL)


@pytest.mark.parametrize(
    ("files", "level"),
    [({}, Level.ATTESTED), ({"CODEOWNERS": "* @ada @bob\n"}, Level.INSPECTED), ({"AUTHORS": "Bob\n"}, Level.INSPECTED)],
)
def test_reviewers_known_from_nowhere_else_are_believed_less(
    files: dict[str, str], level: Level, tmp_path: Path
) -> None:
    write_tree(tmp_path, files)
    for number in range(6):
        commit(tmp_path, f"Change {number}\n\nReviewed-by: Bob <bob@x.org>")
    verdict = judge("X2.1", tmp_path)[0]
    assert (verdict.outcome, verdict.level) == (PASS, level)


@pytest.mark.parametrize(("day", "outcome"), [("2026-05-30", PASS), ("2026-06-02", PASS), ("2099-01-01", None)])
def test_an_approval_of_the_future_is_none(day: str, outcome: Outcome | None, tmp_path: Path) -> None:
    record = f"# ADR 7\n\nStatus: accepted\nDate: {day}\n\nApproved by Ada Byron.\n"
    write_tree(tmp_path, {"train.py": "model.fit(X, y)\n", "docs/adr-7.md": record})
    commit(tmp_path)
    assert [verdict.outcome for verdict in judge("S4.2", tmp_path)] == [outcome] * (outcome is not None)
