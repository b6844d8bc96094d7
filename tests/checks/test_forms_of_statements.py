"""Forms of documents that public projects have, each once misread: what they state is not what the slot asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlestar.core.evidence import Outcome
from support.trees import Files, commit, git, judge, outcome_of, write_tree

PASS, PARTIAL, FAIL, UNKNOWN = Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL, Outcome.UNKNOWN
CARD = "# Model card of the churn classifier\n\n" + "A gradient boosted ensemble of the bank's own customers. " * 4

CASES: dict[str, tuple[str, Files, str]] = {
    "an option that is false": ("S4.3", {"README.md": "# Use\n\nSet `shuffle = false` in the settings.\n"}, ""),
    "a name that ends in stop": ("S4.3", {"README.md": "# Roll back\n\nRaises `QualityGateStop`.\n"}, ""),
    "a command that rolls back": ("S4.3", {"README.md": "# Serving\n\nRun `make rollback`.\n"}, "1 of 2"),
    "an arrow of a flow": ("S2.1", {"README.md": "# Goals\n\nraw data → features → model\n"}, ""),
    "an arrow between two numbers": ("S2.1", {"README.md": "# Goals\n\nchurn 9% → 7%\n"}, "direction"),
    "a fence is no source": ("S3.1", {"data/README.md": "# Data source\n\n```bash\n"}, ""),
    "the licence of the code": ("S3.1", {"README.md": "# License\n\nThis project is under the MIT License.\n"}, ""),
    "the licence of the data": ("S3.1", {"README.md": "# Licence\n\nThe data set is under CC BY 4.0.\n"}, "licence"),
    "a version is no source": ("S3.1", {"README.md": "# Providers\n\n| source | >= 6.28 |\n"}, ""),
    "chapters are no volume": ("S3.1", {"README.md": "# Data\n\n3 chapters, 8 GPUs\n"}, "1 of 7: type"),
    "rows are": ("S3.1", {"README.md": "# Data\n\nsome 307 thousand rows\n"}, "volume"),
    "values of a chart": ("S3.1", {"charts/a/README.md": "# Data labels\n\nExtra annotations\n"}, ""),
    "a heading that is a sentence": (
        "S1.2",
        {"README.md": "# Additional information for users from far away places\n\nOne law was passed.\n"},
        "",
    ),
    "the users": ("S1.2", {"README.md": "# Users\n\nThe retention desk.\n"}, "user or decision"),
    "actions of GitHub": ("S1.2", {"README.md": "# GitHub Actions\n\nThe badge shows the build.\n"}, ""),
    "tags of a page": ("S1.2", {"README.md": "# Users\n\n<details>\n"}, ""),
    "three projects in one place": (
        "S1.2",
        {"a/README.md": "# Goal\n\nFewer churners.\n", "b/README.md": "# Users\n\nThe retention desk.\n",
         "c/README.md": "# Action\n\nThe desk calls them.\n"},
        "1 of 5",
    ),
    "one project with its documents": (
        "S1.2",
        {"README.md": "# Goal\n\nFewer churners.\n", "docs/problem.md": "# Users\n\nThe retention desk.\n",
         "churn/README.md": "# Action\n\nThe desk calls them.\n"},
        "3 of 5",
    ),
    "products are no owners": ("S4.1", {"README.md": "# Owner\n\nGrafana Alerting, Technical Documentation\n"}, ""),
    "a name is": ("S4.1", {"README.md": "# Owner\n\nYuanyuan Feng\n"}, "1 named"),
    "the owner of a table": ("S5.1", {"dbt/dbt_project.yml": "models:\n  vpc_owner_id: platform\n"}, ""),
    "the title names the risk": ("S5.1", {"README.md": "# Credit risk scorecard\n\nA pipeline in SQL.\n"}, ""),
    "the text below a card's title": ("X1.2", {"MODEL_CARD.md": CARD}, "1 of 9"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_text_is_read_for_what_it_says(name: str, tmp_path: Path) -> None:
    check_id, files, expected = CASES[name]
    verdict = outcome_of(check_id, tmp_path, files)
    assert expected in verdict.observed
    assert bool(verdict.v) is bool(expected), verdict.observed


@pytest.mark.parametrize(
    ("files", "expected"),
    [({"models.py": "class Response:\n    ...\n"}, UNKNOWN), ({"train.py": "m.fit(x, y)\n"}, PASS)],
)
def test_a_tag_signs_off_a_model_only_where_there_is_one(tmp_path: Path, files: Files, expected: Outcome) -> None:
    write_tree(tmp_path, files)
    commit(tmp_path)
    git(tmp_path, "tag", "-a", "v1.0.0", "-m", "release")
    verdicts = judge("S4.2", tmp_path)
    assert [verdict.outcome for verdict in verdicts] == [expected]
