from __future__ import annotations

from typing import Any

from mlestar.interfaces.mcp import sentences

RUN: dict[str, Any] = {
    "runId": "run-1",
    "name": "cancer",
    "status": "succeeded",
    "stages": [{"name": "data", "status": "succeeded", "checks": []}],
    "metrics": {},
    "baselines": {},
    "model": {},
    "ablation": [],
    "error": {},
}
EFFECT = {"variant": "without 'age'", "metric": "roc_auc", "effect": 0.05, "low": 0.03, "high": 0.07, "cost_s": 1.25}


def test_a_run_names_its_model_and_where_it_stands() -> None:
    model = {"name": "cancer", "version": 3, "sha256": "a" * 64, "environment": "staging"}
    assert "Model cancer version 3 (aaaaaaaaaaaa): staging points to it." in sentences.run({**RUN, "model": model})
    nowhere = sentences.run({**RUN, "model": {**model, "environment": "none"}})
    assert "no environment points to it" in nowhere


def test_an_ablation_shows_each_effect_with_its_interval_and_marks_noise() -> None:
    noise = {**EFFECT, "variant": "without 'plan'", "effect": 0.001, "low": -0.02, "high": 0.02, "within_noise": True}
    shown = sentences.run({**RUN, "ablation": [{**EFFECT, "within_noise": False}, noise]}).splitlines()
    assert "without 'age': roc_auc worth +0.0500 [+0.0300, +0.0700] for 1.2 s" in shown
    assert "without 'plan': roc_auc worth +0.0010 [-0.0200, +0.0200] for 1.2 s (within noise)" in shown


def test_a_failed_stage_says_which_test_failed_what_to_do_and_the_end_of_the_log() -> None:
    check = {"name": "words", "outcome": "fail", "says": "'bio' has no word that two rows share"}
    error = {
        "code": "WORK_FAILED", "message": "the worker was killed", "do": "give it more memory",
        "details": {"log": "x" * 5000 + "\nlast line"},
    }  # fmt: skip
    stages = [{"name": "data", "status": "failed", "checks": [check]}]
    shown = sentences.run({**RUN, "status": "failed", "stages": stages, "error": error})
    assert "data: its test 'words' failed: 'bio' has no word that two rows share" in shown
    assert "Next: give it more memory." in shown
    assert shown.endswith("last line")
    assert len(shown) < 1_000
