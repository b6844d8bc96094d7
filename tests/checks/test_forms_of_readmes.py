"""What READMEs of public projects say, and what of it holds (X1.3): text, other files -> words of the finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.trees import Files, outcome_of

ALL = "100.0% of"
CASES: dict[str, tuple[str, Files, str]] = {
    "the root of a drawn tree": ("# A\n\n```\nmy-churn/\n├── train.py\n```\n", {}, ALL),
    "what can't be done": ("You can't do hyperparameter search.\n\nUse `train.py`.\n", {}, ALL),
    "a search that is claimed": (
        "With hyperparameter search.\n\nUse `train.py`.\n",
        {},
        "claims hyperparameter tuning",
    ),
    "a search that a setting asks for": (
        "Hyperparameter search with Optuna in `train.py`.\n",
        {"conf/s.yaml": "hydra:\n  sweeper: {n: 3}\n"},
        ALL,
    ),
    "the monitoring of training": ("Training monitoring in `train.py`.\n", {}, ALL),
    "the monitoring of a service": ("Monitoring of the service with `train.py`.\n", {}, "claims monitoring"),
    "a file that a run makes": ("`best.yaml` will be there after it.\n\nRun `train.py`.\n", {}, ALL),
    "a table of the provider": ("`train.py` reads `application_train.csv`.\n", {}, ALL),
    "a script that is not there": ("`train.py` calls `score.py`.\n", {}, "names score.py, which is not there"),
    "a script that is downloaded": (
        "See `train.py`.\n\n```bash\nwget https://a.org/b/install.sh\nbash install.sh\n```\n",
        {},
        ALL,
    ),
    "a script that is only called": ("See `train.py`.\n\n```bash\nbash install.sh\n```\n", {}, "names install.sh"),
    "the name of a tool": ("Coverage with `Coverage.py` of `train.py`, by [A]([)](https://a.org).\n", {}, ALL),
    "advice to use another tool": ("Use [DVC](https://dvc.org) to version data.\n\nSee `train.py`.\n", {}, ALL),
    "a project of that name": (
        "Flask is a framework.\n\nSee `train.py`.\n",
        {"pyproject.toml": "[project]\nname = 'flask'\n"},
        ALL,
    ),
    "another project's name": ("Served by Flask.\n\nSee `train.py`.\n", {}, "claims API"),
    "air that flows": ("It predicts airflow leakage from videos.\n\nRun `train.py`.\n", {}, ALL),
    "a scheduler": ("It is scheduled with airflow.\n\nRun `train.py`.\n", {}, "claims orchestration"),
    "a tool that is called like a file": (
        "Measured by [`Coverage.py`](https://coverage.readthedocs.io) for `train.py`.\n",
        {},
        ALL,
    ),
    "a rollback that is written down": (
        "Rollback is in `docs/RELEASE.md`.\n",
        {"docs/RELEASE.md": "# Rollback\n\n```\nmake back\n```\n"},
        ALL,
    ),
    "a rollback without a command": (
        "Rollback is in `docs/RELEASE.md`.\n",
        {"docs/RELEASE.md": "# Rollback\n\nAs usual.\n"},
        "claims rollback",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_readme_is_held_to_what_it_says(name: str, tmp_path: Path) -> None:
    text, files, expected = CASES[name]
    verdict = outcome_of("X1.3", tmp_path, {"train.py": "x()\n", "README.md": text, **files})
    assert expected in verdict.observed
