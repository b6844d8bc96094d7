"""Detection and false alarms in repositories: defects put into public ones, and the same files without the defect.

    python .bench/judge/repository_defects.py FOLDER... [--most 25]

Each repository is read as it is, with all twins, and with all defects. A defect is found when its check fails or is
partial and names the file that was put in, or is worth less than with the twin; where the check is as bad without
the defect, nothing can be told. A false alarm is a check that the twin makes worse. Nothing of a repository is run, and
none is changed: all is done in copies.
Figures to reach: detection >= 90% a class, false alarms <= 5% a check and <= 10% for a critical one.
"""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mlestar.checks.catalogue import run_checks
from mlestar.core.evidence import Finding, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.score.rubric import CHECKS
from mlestar.core.statistics.intervals import wilson
from mlestar.evidence.project import read_project

Files = dict[str, str | bytes]
LARGEST = 5 << 20
SKIPPED = ("node_modules", ".venv")


class _Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A defect and its twin: the files put in. `anywhere`: the finding need not name them, only fail or fall."""

    check: str
    defect: Files
    twin: Files
    anywhere: bool = False


ROWS = """import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.preprocessing import StandardScaler

rows = pd.read_csv("rows.csv")
X, y = rows.drop(columns="target"), rows["target"]
"""
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\n"
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: row-scorer}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: row-scorer}}}}
  template:
    metadata: {{labels: {{app: row-scorer}}}}
    spec:
      containers:
        - name: scorer
          image: registry.example/row-scorer{image}
          ports: [{{containerPort: 8000}}]
{more}"""
PROBES = """          livenessProbe: {httpGet: {path: /live, port: 8000}, timeoutSeconds: 3}
          readinessProbe: {httpGet: {path: /ready, port: 8000}, timeoutSeconds: 3}
"""
LIMITS = """          resources:
            requests: {cpu: 250m, memory: 512Mi}
            limits: {cpu: "1", memory: 1Gi}
"""
DIGEST = "@sha256:" + "3f" * 32
SECRET = "wJa1rXUtnF3MI7K7MDENGbPxRf1CYq8ZL2pTs4Qv"  # noqa: S105 - made up, to be found


HEADER = b'{"weights": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
SAFE = len(HEADER).to_bytes(8, "little") + HEADER + bytes(8)
PROMISES = """

## Operation

- `monitoring/row_drift.py` detects data drift every night.
- `monitoring/row_alerts.yaml` alerts the team.
- `deploy/row_rollback.sh` goes back to the version before.
"""


def deployed(*, replicas: int = 3, image: str = DIGEST, more: str = PROBES + LIMITS) -> Files:
    """One deployment, whole unless said otherwise."""
    return {"deploy/row_scorer.yaml": DEPLOYMENT.format(replicas=replicas, image=image, more=more)}


def code(name: str, defect: str, twin: str, check: str) -> Pair:
    """The same module with and without the defect."""
    return Pair(check=check, defect={name: defect}, twin={name: twin})


PAIRS = {
    "scaler fitted before the split": code(
        "training/scale_rows.py",
        ROWS + "X = StandardScaler().fit_transform(X)\n" + SPLIT,
        ROWS + SPLIT + "scaler = StandardScaler().fit(X_train)\nX_train, X_test = scaler.transform(X_train), "
        "scaler.transform(X_test)\n",
        "T2.3",
    ),
    "tuned on the test rows": code(
        "training/tune_rows.py",
        ROWS + SPLIT + "GridSearchCV(LogisticRegression(), {'C': [0.1, 1, 10]}).fit(X_test, y_test)\n",
        ROWS + SPLIT + "GridSearchCV(LogisticRegression(), {'C': [0.1, 1, 10]}).fit(X_train, y_train)\n",
        "T4.2",
    ),
    "a key in the code": code(
        "training/store_settings.py",
        f'AWS_ACCESS_KEY_ID = "AKIA4X7Q2MZP6TRWLD3K"\nAWS_SECRET_ACCESS_KEY = "{SECRET}"\n',
        'import os\n\nAWS_SECRET_ACCESS_KEY = os.environ["AWS_SECRET_ACCESS_KEY"]\n',
        "X3.1",
    ),
    "a model file that runs code": Pair(
        check="X3.3",
        defect={"models/row_ranker.pkl": pickle.dumps(_Payload())},
        twin={"models/row_ranker.safetensors": SAFE},
    ),
    "a shell command of foreign words": code(
        "training/fetch_rows.py",
        "import subprocess\nimport sys\n\nsubprocess.call(f'curl -O {sys.argv[1]}', shell=True)\n",
        "from pathlib import Path\n\nROWS = Path('rows.csv').read_text(encoding='utf-8')\n",
        "X3.2",
    ),
    "one replica": Pair(check="R2.1", defect=deployed(replicas=1), twin=deployed()),
    "no probes": Pair(check="R2.2", defect=deployed(more=LIMITS), twin=deployed()),
    "no resource limits": Pair(check="R3.4", defect=deployed(more=PROBES), twin=deployed()),
    "an image that moves": Pair(check="R4.2", defect=deployed(image=":latest"), twin=deployed()),
    "promises without an artefact": Pair(
        check="X1.3",
        defect={"README.md": PROMISES},
        twin={"README.md": "\n\n## Operation\n\nQuestions are answered in the team's channel.\n"},
        anywhere=True,
    ),
    "drift detection in name only": Pair(
        check="R5.2", defect={"monitoring/drift_detector.py": '"""Detects drift."""\n'}, twin={}, anywhere=True
    ),
    "no version pinned": Pair(
        check="X4.1", defect={"requirements.txt": "pandas\nscikit-learn>=1.0\nnumpy\nrequests\nfastapi\n"}, twin={},
        anywhere=True,
    ),
}  # fmt: skip
APPENDED = {"README.md"}


def copied(root: Path, into: Path, files: Files) -> Path:
    """A copy of the repository with these files in it, without what is large."""

    def large(folder: str, names: list[str]) -> set[str]:
        here = Path(folder)
        return {
            name
            for name in names
            if name in SKIPPED or ((here / name).is_file() and (here / name).stat().st_size > LARGEST)
        }

    shutil.copytree(root, into, symlinks=True, ignore=large)
    for name, content in files.items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if name in APPENDED and path.exists() else b""
        path.write_bytes(before + (content if isinstance(content, bytes) else content.encode()))
    if files and (into / ".git").is_dir():  # a file there leads to the original's index
        subprocess.run([shutil.which("git") or "git", "-C", str(into), "add", "-f", *files], check=True)
    return into


def judged(root: Path) -> dict[str, list[Finding]]:
    """The findings of the checks at hand."""
    facts = Facts(project=read_project(root))
    return {check: run_checks(facts, [check]) for check in {pair.check for pair in PAIRS.values()}}


def worth(findings: list[Finding]) -> Fraction | None:
    """What the weakest decided finding earns; None when nothing is decided."""
    decided = [finding.value for finding in findings if finding.value is not None]
    return min(decided, default=None)


def applies(name: str, base: dict[str, list[Finding]], root: Path) -> bool:
    """Whether the defect is one there: a project that pins its packages elsewhere stays pinned."""
    if name == "no version pinned":
        return not any((root / file).exists() for file in ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"))
    if name == "drift detection in name only":
        return worth(base["R5.2"]) in {None, Fraction(0)}
    if name == "promises without an artefact":
        return (root / "README.md").exists()
    return True


def found(pair: Pair, defect: list[Finding], twin: list[Finding]) -> bool:
    """Whether the defect was seen."""
    bad = [finding for finding in defect if finding.outcome in {Outcome.FAIL, Outcome.PARTIAL}]
    names = set(pair.defect)
    if any(str(finding.where).startswith(tuple(names)) or any(n in finding.observed for n in names) for finding in bad):
        return True
    now, other = worth(defect), worth(twin)
    return bool(bad) and (pair.anywhere or (now is not None and other is not None and now < other))


def measure(root: Path) -> tuple[dict[str, str], dict[str, bool]]:
    """By defect whether it was found, by check whether the twin made it worse."""
    defects: dict[str, str] = {}
    worse: dict[str, bool] = {}
    with tempfile.TemporaryDirectory() as folder:
        base = judged(root)
        groups = [[name] for name in PAIRS if set(PAIRS[name].defect) & {"deploy/row_scorer.yaml"}]
        groups.append([name for name in PAIRS if [name] not in groups])
        for at, group in enumerate(groups):
            used = [name for name in group if applies(name, base, root)]
            sides: list[dict[str, list[Finding]]] = []
            for side in ("defect", "twin"):
                files = {path: text for name in used for path, text in getattr(PAIRS[name], side).items()}
                copy = copied(root, Path(folder) / f"{at}{side}", files)
                sides.append(judged(copy))
                shutil.rmtree(copy)
            for name in used:
                pair = PAIRS[name]
                defect, twin = sides[0][pair.check], sides[1][pair.check]
                seen = found(pair, defect, twin)
                known = worth(base[pair.check])
                failing = known is not None and known < 1 and worth(defect) == known
                defects[name] = "found" if seen else "failing" if failing else "missed"
                if defects[name] == "missed":
                    print(f"  missed: {name}: {[(f.outcome.value, f.observed[:150]) for f in defect]}")
                before, after = worth(base[pair.check]), worth(twin)
                put = tuple(path for path in pair.twin if path not in APPENDED)
                named = any(f.outcome is Outcome.FAIL and str(f.where).startswith(put) for f in twin if put)
                worse[name] = named or (before is not None and after is not None and after < before)
                if worse[name]:
                    print(f"  twin of {name}: {[(f.outcome.value, str(f.where), f.observed[:150]) for f in twin]}")
    return defects, worse


def main() -> int:
    """Measure and print; exit 1 when a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--most", type=int, default=25)
    given = parser.parse_args()
    counts: dict[str, Counter[str]] = {name: Counter() for name in PAIRS}
    for root in given.folders[: given.most]:
        print(root.name, flush=True)
        defects, worse = measure(root)
        for name, what in defects.items():
            counts[name][what] += 1
            counts[name]["worse"] += worse[name]
    reached = True
    print(f"\n{'defect':34}{'check':7}{'found':>9}  95% interval    {'twin worse':>10}")
    for name, count in counts.items():
        total = count["found"] + count["missed"]
        if not total:
            continue
        low, high = wilson(count["found"], total)
        limit = 0.10 if CHECKS[PAIRS[name].check].critical else 0.05
        good = count["found"] >= 0.9 * total and count["worse"] <= limit * total
        reached &= good
        row = f"{name:34}{PAIRS[name].check:7}{count['found']:>4}/{total:<4}  [{low:.2f}, {high:.2f}]"
        print(f"{row}{count['worse']:>14}{'' if good else '   MISSED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
