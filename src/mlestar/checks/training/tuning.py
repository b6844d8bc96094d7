"""T3.3 and T4: how the model and its settings were chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlestar.checks.inspected import absent, attested, inspected
from mlestar.checks.measured import measured_by_run
from mlestar.checks.registry import check
from mlestar.core.claims.documents import CARD, README, statements_in
from mlestar.core.code.tuning import Search, searches
from mlestar.core.evidence import Level, Outcome, Verdict, Where, slots
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.reports import TrackedRun

_FAMILY = re.compile(
    r"^(algorithm|model(_?(name|type|class|family))?|estimator|classifier|regressor|booster)$", re.IGNORECASE
)
_EXACT = re.compile(
    r"estimators|depth|leaves|layers|hidden|units|heads|kernel|degree|architecture|backbone|max_iter|\bC\b|alpha|penalty",
    re.IGNORECASE,
)
_SIZE = re.compile(r"checkpoint|pretrained|base_model|n?_?param(eter)?s(_count)?$|model_size|revision", re.IGNORECASE)
_REASON = re.compile(
    r"\b(because|chosen (for|over)|selected (for|over|because)|we chose|preferred|rationale)\b", re.IGNORECASE
)


def _part_slots(parts: Mapping[str, bool], level: Level, prefix: str, where: Where) -> Verdict:
    missing = [name for name, there in parts.items() if not there]
    filled = len(parts) - len(missing)
    observed = f"{prefix}: {filled} of {len(parts)}" + (f"; missing: {', '.join(missing)}" if missing else "")
    return slots(
        filled, len(parts), level, observed, where=where, fix=f"record {', '.join(missing)}" if missing else ""
    )


@check("T3.3")
def architecture_was_chosen(facts: Facts) -> Iterator[Verdict]:
    """The model was chosen among scored alternatives, and exactly which one is recorded.

    Why: "A transformer" cannot be reproduced, and the only model that was tried is not a choice.
    How: Slots: family, exact architecture, size or checkpoint, two alternatives with scores, the reason. From recorded
        runs (MLflow, W&B, DVC, JSON logs); own runs record all five.
    Threshold: v = share of the five.
    Source: Rules of ML 4.
    Fix: Log every alternative with its score, and write why this one.
    Limits: A log of another tool is believed up to the level attested.
    """
    run = facts.run
    if run is not None and run.algorithm:
        parts = {
            "family": True,
            "exact architecture": bool(run.params),
            "size or checkpoint": bool(run.model_sha256),
            "two alternatives with scores": len(run.alternatives) > 2,  # noqa: PLR2004 - itself and two others
            "reason": bool(run.alternatives),
        }
        yield _part_slots(parts, Level.MEASURED, f"run {run.name}: {run.algorithm}", Where(path=f"run://{run.run_id}"))
    project = facts.project
    if project is None or not project.files:
        return
    runs = project.reports.runs
    if not runs:
        yield absent("no recorded run (MLflow, W&B, DVC or a JSON log)")
        return
    families = {
        str(value) for record in runs if record.metrics for key, value in record.params.items() if _FAMILY.match(key)
    }
    keys = {key for record in runs for key in record.params}
    reasons = any(_REASON.search(statement.text) for statement in statements_in(project, CARD, README))
    parts = {
        "family": bool(families),
        "exact architecture": any(_EXACT.search(key) for key in keys),
        "size or checkpoint": any(_SIZE.search(key) for key in keys) or bool(project.models),
        "two alternatives with scores": len(families) > 2,  # noqa: PLR2004 - itself and two others
        "reason": reasons,
    }
    yield _part_slots(parts, Level.ATTESTED, counted(len(runs), "recorded run"), project.where(runs[0].path))


@check("T4.1")
def search_is_recorded(facts: Facts) -> Iterator[Verdict]:
    """The search over settings is recorded: parameters, space, method with trials, selection metric.

    Why: Settings without their search are luck that cannot be repeated.
    How: Recorded runs; and in the code optuna studies, SearchCV classes and hyperopt calls, by AST. Own runs record
        all.
    Threshold: v = share of the four.
    Source: ML Test Score, Model 3.
    Fix: Log parameters, search space, method, number of trials and the metric that chose.
    Limits: Code alone shows what would be searched, not that it was: it counts as documented.
    """
    run = facts.run
    if run is not None and run.tuning:
        tuning: Mapping[str, Any] = run.tuning
        parts = {
            "parameters": bool(run.params),
            "search space": bool(tuning.get("space")),
            "method and trials": bool(tuning.get("method") and tuning.get("trials")),
            "selection metric": bool(tuning.get("metric")),
        }
        yield _part_slots(parts, Level.MEASURED, f"run {run.name}", Where(path=f"run://{run.run_id}"))
    project = facts.project
    if project is None or not project.files:
        return
    found = searches(project)
    recorded = [record for record in project.reports.runs if record.params]
    if not found and not recorded:
        yield absent("no recorded run and no search in the code")
        return
    parts = {
        "parameters": bool(recorded),
        "search space": any(search.space for search in found) or len(_varied(recorded)) > 0,
        "method and trials": any(search.trials or search.exhaustive for search in found),
        "selection metric": any(search.metric for search in found) or any(record.metrics for record in recorded),
    }
    where = project.where(recorded[0].path) if recorded else project.in_code(found[0].module, found[0].line)
    said = (
        f"{counted(len(recorded), 'recorded run')}, "
        f"{counted(len(found), 'search').replace('searchs', 'searches')} in the code"
    )
    yield _part_slots(parts, Level.ATTESTED if recorded else Level.DOCUMENTED, said, where)


def _varied(runs: list[TrackedRun]) -> dict[str, dict[str, list[float]]]:
    """Parameter -> value -> scores, for parameters with at least two values."""
    values: dict[str, dict[str, list[float]]] = {}
    for record in runs:
        score = next(iter(sorted(record.metrics.items())), None)
        if score is not None:
            for key, value in record.params.items():
                values.setdefault(key, {}).setdefault(str(value), []).append(score[1])
    return {key: scores for key, scores in values.items() if len(scores) > 1}


@check("T4.2")
def tuning_never_sees_the_test_data(facts: Facts) -> Iterator[Verdict]:
    """The settings are chosen without the test data, among enough of them.

    Why: Whatever chooses on the test rows has trained on them.
    How: By AST: objective functions of optuna and hyperopt, `fit` of SearchCV objects and loops that keep the best, for
        variables named for test data; the number of trials where it is a literal. Own runs measure both.
    Threshold: pass for no test data and at least 60 trials or an exhaustive grid, partial for 10 to 59, fail when test
        data reaches the choice.
    Source: Bergstra and Bengio 2012: 60 random draws hit the best 5% with probability 0.954.
    Fix: Choose by cross-validation on the training rows, with 60 trials or more.
    Limits: Names decide what test data is; a search started from the command line is not seen. A grid of one
        combination chooses nothing: it counts as one trial.
    """
    enough, some = facts.limit("T4.2", "pass"), facts.limit("T4.2", "partial")
    run = facts.run
    if run is not None and run.tuning:
        trials = int(run.tuning.get("trials", 0))
        if run.tuning.get("uses_test"):
            outcome = Outcome.FAIL
        else:
            outcome = Outcome.PASS if trials >= enough else Outcome.PARTIAL if trials >= some else Outcome.FAIL
        data = "the test rows" if run.tuning.get("uses_test") else "training rows only"
        yield measured_by_run(run, outcome, f"{trials} trials, chosen on {data}", n=trials)
    project = facts.project
    if project is None or not project.own_modules:
        return
    found = searches(project)
    if not found:
        yield absent("no search over settings in the code")
        return
    leak = next((search for search in found if search.test_line is not None), None)
    if leak is not None:
        observed = f"{leak.method} at line {leak.line} chooses with test data"
        yield inspected(Outcome.FAIL, observed, project.in_code(leak.module, leak.test_line or leak.line))
        return
    best = max(found, key=lambda search: (search.exhaustive, search.trials or 0))
    outcome = Outcome.PASS if best.exhaustive or (best.trials or 0) >= enough else Outcome.PARTIAL
    if best.trials is not None and best.trials < some:
        outcome = Outcome.FAIL
    yield inspected(
        outcome, f"{_tells(best)}, no test data in it", project.in_code(best.module, best.line), n=best.trials
    )


def _tells(search: Search) -> str:
    if search.exhaustive:
        return f"{search.method} over its whole grid"
    return f"{search.method} with {search.trials if search.trials is not None else 'an unknown number of'} trials"


@check("T4.3")
def sensitivity_is_known(facts: Facts) -> Iterator[Verdict]:
    """How much the score depends on each setting is known.

    Why: A score that hangs on one exact value will not survive new data.
    How: Recorded runs grouped by each parameter that took several values; own runs report the score range of each.
    Threshold: pass for at least three parameters, partial for one or two, fail for none.
    Source: ML Test Score, Model 3.
    Fix: Vary at least three settings and log the score of each trial.
    Limits: Parameters varied together are not told apart.
    """
    enough, some = facts.limit("T4.3", "pass"), facts.limit("T4.3", "partial")
    run = facts.run
    if run is not None and run.tuning:
        known = run.tuning.get("sensitivity") or {}
        outcome = Outcome.PASS if len(known) >= enough else Outcome.PARTIAL if len(known) >= some else Outcome.FAIL
        yield measured_by_run(run, outcome, f"score ranges of {listed(sorted(known)) or 'no parameter'}", n=len(known))
    project = facts.project
    if project is None or not project.reports.runs:
        return
    varied = _varied(list(project.reports.runs))
    outcome = Outcome.PASS if len(varied) >= enough else Outcome.PARTIAL if len(varied) >= some else Outcome.FAIL
    ranges = [
        f"{key} {min(means):.3f} to {max(means):.3f}"
        for key, scores in sorted(varied.items())
        for means in [[sum(values) / len(values) for values in scores.values()]]
    ]
    observed = (
        f"{counted(len(varied), 'parameter')} varied over {counted(len(project.reports.runs), 'run')}: {listed(ranges)}"
    )
    yield attested(outcome, observed, project.where(project.reports.runs[0].path), n=len(project.reports.runs))
