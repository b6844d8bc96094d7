from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Level, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Predictions
from mlestar.core.facts.project import ProjectFacts, ProjectFile
from mlestar.core.score.scoring import resolve

ERRORS = """# Error analysis
Fifty errors were read.
- short tenure: 12, e.g. row 17
- two contracts: 8, e.g. "moved house in May"
- wrong label: 5
"""
FAIRNESS = """# Fairness
We use equal opportunity, and equal opportunity was taken because a missed case harms most.
The gap that remains was accepted by Ada Byron.
"""
DESIGN = """# Experiment
- Unit: customer
- Arms: control and call
- Metric: monthly churn rate
- MDE: 0.01
- Alpha: 0.05
- Power: 0.8
- Sample size: 15000
- Stopping rule: fixed, 28 days
- Base rate: 0.10
"""
THIRTY_ERRORS = Predictions(
    path="predictions.csv",
    sha256="0" * 64,
    y_true=np.array(["yes"] * 100),
    y_pred=np.array(["no"] * 30 + ["yes"] * 70),
    classes=("no", "yes"),
    positive="yes",
)


def judged(check: str, paths: dict[str, str], predictions: Predictions | None = None) -> Finding:
    files = {path: ProjectFile(path=path, size=len(text), kind="document") for path, text in paths.items()}
    project = ProjectFacts(root="x", files=files, texts=paths)
    data = DataFacts(task="binary", predictions=predictions) if predictions is not None else None
    return resolve(run_checks(Facts(project=project, data=data), [check]))[check]


IN_PROSE = """# A/B test
Randomization unit: customer. Variants: control (no call) against treatment (call). Primary metric: churn rate.
MDE 0.5 pp, alpha 5%, power of 80%, 14,752 customers per variant. Stop after 28 days.
"""
GOOD: dict[str, tuple[str, dict[str, str]]] = {
    "a design in prose": ("A5.1", {"experiment_design.md": IN_PROSE}),
    "three categories with counts and examples": ("A2.3", {"error_analysis.md": ERRORS}),
    "metric, reason and owner": ("A3.3", {"fairness.md": FAIRNESS}),
    "eight parts of a design": ("A5.1", {"experiment.md": DESIGN}),
}


@pytest.mark.parametrize("case", GOOD)
def test_complete_documents_pass_as_documents(case: str) -> None:
    check, texts = GOOD[case]
    finding = judged(check, texts)
    assert (finding.outcome, finding.level) == (Outcome.PASS, Level.DOCUMENTED), finding.observed


WEAK: dict[str, tuple[str, str, str, str, str]] = {
    "no examples": (
        "A2.3",
        "error_analysis.md",
        ERRORS,
        ', e.g. row 17\n- two contracts: 8, e.g. "moved house in May"',
        "no examples",
    ),
    "one category": ("A2.3", "error_analysis.md", ERRORS, "- wrong label: 5\n", "2 error categories"),
    "nobody accepted": ("A3.3", "fairness.md", FAIRNESS, "was accepted by Ada Byron", "accepted by"),
    "no stopping rule": ("A5.1", "experiment.md", DESIGN, "- Stopping rule: fixed, 28 days\n", "stopping rule"),
}


@pytest.mark.parametrize("case", WEAK)
def test_an_incomplete_document_is_partial_and_says_what_lacks(case: str) -> None:
    check, path, text, part, words = WEAK[case]
    assert part in text
    finding = judged(check, {path: text.replace(part, "")})
    assert finding.outcome is Outcome.PARTIAL
    assert words in finding.observed


def test_alpha_above_its_bound_does_not_count() -> None:
    finding = judged("A5.1", {"experiment.md": DESIGN.replace("0.05", "0.2")})
    assert (finding.outcome, "out of bounds: alpha" in finding.observed) == (Outcome.PARTIAL, True)


def test_a_sample_that_cannot_show_the_effect_is_refuted_by_arithmetic() -> None:
    finding = judged("A5.1", {"experiment.md": DESIGN.replace("15000", "900")})
    assert (finding.outcome, finding.level) == (Outcome.FAIL, Level.MEASURED)
    assert "about 14,7" in finding.observed


def test_categorised_errors_are_held_against_the_predictions() -> None:
    fits = judged("A2.3", {"error_analysis.md": ERRORS}, THIRTY_ERRORS)
    assert (fits.outcome, fits.level) == (Outcome.PASS, Level.INSPECTED)
    invented = judged("A2.3", {"error_analysis.md": ERRORS.replace(": 12", ": 120")}, THIRTY_ERRORS)
    assert (invented.outcome, "more were categorised than there are" in invented.observed) == (Outcome.FAIL, True)


def test_a_metrics_file_that_contradicts_itself_is_found_with_its_path() -> None:
    document = {"accuracy": 0.9, "precision": 0.6, "recall": 0.6, "f1": 0.8}
    files = {"metrics.json": ProjectFile(path="metrics.json", size=1, kind="config", sha256="a" * 64)}
    project = ProjectFacts(root="x", files=files, manifests={"metrics.json": (document,)})
    finding = resolve(run_checks(Facts(project=project), ["A1.2"]))["A1.2"]
    assert (finding.outcome, finding.level, finding.where.path) == (Outcome.FAIL, Level.MEASURED, "metrics.json")


@pytest.mark.parametrize("weak", ["alpha 20%", "power of 50%"])
def test_a_design_in_prose_is_held_to_its_bounds(weak: str) -> None:
    text = IN_PROSE.replace("alpha 5%" if "alpha" in weak else "power of 80%", weak)
    finding = judged("A5.1", {"experiment_design.md": text})
    assert (finding.outcome, finding.value) == (Outcome.PARTIAL, Fraction(7, 8)), finding.observed
