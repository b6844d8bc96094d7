"""A1.1 on what a model card's metadata states: it is held to the predictions like any other claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.claims.model_card import card_metrics
from mlestar.core.evidence import Level, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.data import DataFacts, Table
from mlestar.evidence.predictions import read_predictions
from mlestar.evidence.project import read_project
from support.trees import write_tree

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = """---
license: mit
model-index:
  - name: m
    results:
      - metrics:
          - type: accuracy
            value: {value}
---

# Model card
"""
BRACES = "---\nmodel-index:\n  - metrics: [{{type: accuracy, name: Accuracy, value: {value}}}]\n---\n"


def facts(root: Path, card: str) -> Facts:
    truth = np.arange(100) % 2
    answer = truth.copy()
    answer[:8] = 1 - answer[:8]
    frame = pd.DataFrame({"y_true": truth, "y_pred": answer})
    table = Table(path="predictions.csv", frame=frame, sha256="0" * 64, n_rows=len(frame))
    project = read_project(write_tree(root, {"MODEL_CARD.md": card}))
    return Facts(project=project, data=DataFacts(predictions=read_predictions(table)))


@pytest.mark.parametrize("form", [BLOCK, BRACES], ids=["block", "braces"])
@pytest.mark.parametrize(
    ("value", "outcome"), [("0.92", Outcome.PASS), ("0.97", Outcome.FAIL), ("0.85", Outcome.PARTIAL)]
)
def test_the_card_s_metric_is_recomputed(tmp_path: Path, form: str, value: str, outcome: Outcome) -> None:
    measured = [f for f in run_checks(facts(tmp_path, form.format(value=value)), ["A1.1"]) if f.level is Level.MEASURED]
    assert [finding.outcome for finding in measured] == [outcome]
    assert value in measured[0].observed


def test_without_predictions_the_card_is_a_document_at_its_line(tmp_path: Path) -> None:
    project = read_project(write_tree(tmp_path, {"MODEL_CARD.md": BLOCK.format(value="0.92")}))
    (finding,) = run_checks(Facts(project=project), ["A1.1"])
    assert (finding.level, str(finding.where)) == (Level.DOCUMENTED, "MODEL_CARD.md:7")


def test_a_card_without_metadata_states_nothing() -> None:
    assert card_metrics("# Model card\n\naccuracy: type: accuracy, value: 0.9\n") == []
