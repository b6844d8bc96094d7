"""T2.3: what the training code does before it splits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.checks.inspected import inspected
from mlestar.checks.measured import measured_by_run
from mlestar.checks.registry import check
from mlestar.core.code.leakage.analysis import find_leaks
from mlestar.core.evidence import Outcome, Verdict
from mlestar.core.wording import counted, listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts


@check("T2.3")
def nothing_is_fitted_before_the_split(facts: Facts) -> Iterator[Verdict]:
    """No preprocessing step learns from rows that a later split holds out.

    Why: A scaler, selector or sampler that has seen the test rows carries them into training; with the target involved
        the held-out score can be pure fiction.
    How: Source of modules and notebooks is followed statement by statement, through the project's own functions: each
        `fit`, `fit_transform` and `fit_resample` (and scaling by hand, imputation by a statistic, target encoding by
        groups) on data that then reaches `train_test_split`, a splitter, cross-validation or a search.
    Threshold: pass when there is none, partial for steps that learn from features alone, fail for steps that use the
        target or resample rows.
    Source: Kapoor and Narayanan 2023, L1.2 and L1.3.
    Fix: Put the step into a Pipeline that is fitted on the training rows only.
    Limits: Static: it sees what the code says, not what runs; data passed through files or globals of other modules are
        not followed. A leak that stays inside the training rows (a validation fold) counts as partial.
    """
    if facts.run is not None and facts.run.fitted_on_train_only:
        yield measured_by_run(facts.run, Outcome.PASS, "every transformer was fitted on the training rows alone")
    project = facts.project
    if project is None or not project.own_modules:
        return
    found = find_leaks(project.own_modules)
    leaks = sorted(
        found.leaks.values(), key=lambda leak: (leak.inner, not leak.fit.supervised, leak.fit.path, leak.fit.line)
    )
    if leaks:
        worst = leaks[0]
        path, line = worst.fit.path, worst.fit.line
        split_line = project.modules[worst.split_path].place(worst.split_line)[0]
        split_at = f"line {split_line}" if worst.split_path == path else f"{worst.split_path}:{split_line}"
        what = "and held out" if worst.kind == "fit on held-out rows" else f"before {worst.kind} at {split_at}"
        if worst.kind == "fit on held-out rows":
            what = "is fitted on held-out rows"
        kind = "uses the target or resamples rows" if worst.fit.supervised else "learns from features only"
        inner = ", inside the training rows" if worst.inner else ""
        more = [f"{leak.fit.path}:{leak.fit.line} {leak.fit.call}" for leak in leaks[1:]]
        yield inspected(
            Outcome.FAIL if worst.fit.supervised and not worst.inner else Outcome.PARTIAL,
            f"{worst.fit.call} {what} ({kind}{inner})" + (f"; also {listed(more)}" if more else ""),
            project.in_code(project.modules[path], line),
            n=len(found.fits),
            fix=f"move {worst.fit.call} of {path}:{line} into a Pipeline fitted on the training rows",
        )
        return
    if found.splits:
        observed = (
            f"{counted(len(found.fits), 'fitted step')}, {counted(len(found.splits), 'split')}, none before a split"
        )
        path, line = min(found.splits)
        yield inspected(Outcome.PASS, observed, project.in_code(project.modules[path], line), n=len(found.fits))
    elif found.fits:
        first = min(found.fits, key=lambda fit: (fit.path, fit.line))
        yield inspected(
            Outcome.INCONCLUSIVE,
            f"{counted(len(found.fits), 'fitted step')} but no split in the code: held-out rows cannot be told",
            project.in_code(project.modules[first.path], first.line),
            fix="split in the code, before any step is fitted",
        )
