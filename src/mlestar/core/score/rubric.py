"""The rubric as one table: 5 dimensions, 25 criteria, 96 checks with their weights.

It is this project's own rubric; each check cites the published source of its idea in its docstring. This table holds
what scoring needs (ids, weights, the strongest evidence a check can reach, effort) and one title a check; the claim,
the reason, the method, the threshold, the source, the fix and the limits stand in the docstring of the check function
alone. Numeric thresholds stand in `limits.py`. Weights and efforts are our own judgement, published to be overridden.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlestar.core.evidence import Level

RUBRIC_VERSION = "1.0.0"


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One of the five: `id` is its letter in check ids, `key` its name in calls, `evidence_key` the guide's object."""

    id: str
    key: str
    name: str
    evidence_key: str
    window: int


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One of five in a dimension; its name is the integration guide's."""

    id: str
    name: str

    @property
    def dimension(self) -> str:
        """The letter of its dimension."""
        return self.id[0]


@dataclass(frozen=True, kw_only=True)
class CheckSpec:
    """What scoring knows of a check.

    Attributes:
        weight: 3 = wrong means an invalid model or an outage, 2 = strong practice, 1 = hygiene.
        best: The strongest evidence that artefacts can give; fixing it gains points up to that level's cap.
        by_run: A pipeline run of ours measures it besides: its findings are `measured` whatever `best` is.
        effort: 1 = minutes, 2 = hours, 3 = days of work.
        needs: Arguments of an evaluation that let the check be settled.
        critical: A fail at inspected or measured level caps its dimension and the overall score.
        home: The file that a missing artefact is usually put in; empty where the finding itself has the place.
    """

    id: str
    title: str
    weight: int
    best: Level
    effort: int
    needs: tuple[str, ...]
    critical: bool
    home: str = ""
    by_run: bool = False

    @property
    def criterion(self) -> str:
        """The id of its criterion."""
        return self.id.partition(".")[0]

    @property
    def dimension(self) -> str:
        """The letter of its dimension."""
        return self.id[0]

    def best_of(self, run_id: str) -> Level:
        """The strongest level that a finding of this check may have; `run_id` is empty when no run made it."""
        return Level.MEASURED if run_id and self.by_run else self.best


DIMENSIONS = (
    Dimension(id="S", key="scoping", name="Scoping", evidence_key="projectDetails", window=1),
    Dimension(id="T", key="training", name="Training", evidence_key="modelConfig", window=2),
    Dimension(id="A", key="analysis", name="Analysis", evidence_key="modelMetrics", window=3),
    Dimension(id="R", key="reliability", name="Reliability", evidence_key="deploymentConfig", window=4),
    Dimension(id="X", key="excellence", name="Excellence", evidence_key="projectArtifacts", window=5),
)

CRITERIA = tuple(
    Criterion(id=criterion_id, name=name)
    for criterion_id, name in {
        "S1": "Clear problem definition",
        "S2": "Measurable success metrics",
        "S3": "Data requirements identification",
        "S4": "Stakeholder alignment",
        "S5": "Timeline and resource planning",
        "T1": "Data quality validation",
        "T2": "Feature engineering",
        "T3": "Model architecture selection",
        "T4": "Hyperparameter tuning",
        "T5": "Training pipeline automation",
        "A1": "Performance metrics tracking",
        "A2": "Error analysis",
        "A3": "Bias and fairness evaluation",
        "A4": "Model interpretability",
        "A5": "A/B testing",
        "R1": "Model monitoring",
        "R2": "Failover mechanisms",
        "R3": "Performance SLAs",
        "R4": "Rollback procedures",
        "R5": "Data drift detection",
        "X1": "Complete documentation",
        "X2": "Code review",
        "X3": "Security audit",
        "X4": "Reproducibility",
        "X5": "Best practices compliance",
    }.items()
)

# id, weight (! = critical), best level (+ = a pipeline run measures it besides), effort, what settles it | title
# | where a missing artefact usually goes
_TABLE = """
S1.1 3  m 1 project,train,target    | The target column exists and fits the declared task
S1.2 2  d 1 project                 | Goal, user, unit, moment and action of a prediction are stated | problem.yaml
S1.3 1  d 1 project                 | Out-of-scope uses and limits are stated | problem.yaml
S2.1 2  d 1 project                 | Success metric: direction, size, baseline, deadline, measurement | problem.yaml
S2.2 3  m 3 predictions,project     | The declared model target is met, with confidence
S2.3 1  d 2 project                 | The offline metric is tied to a business metric | problem.yaml
S2.4 1  d 1 project                 | Guardrail metrics with limits | problem.yaml
S3.1 2  d 2 project                 | The data set is documented | DATASHEET.md
S3.2 3  m 3 train,target            | Enough rows for the model, and as many as claimed
S3.3 2  i 2 project,train           | Each feature has type, meaning, owner and availability | DATASHEET.md
S3.4 2! m 2 train                   | No raw personal data, licence recorded
S4.1 3  i 1 project                 | Two accountable owners who work on the code | CODEOWNERS
S4.2 2  a 2 project                 | This version was signed off | DECISIONS.md
S4.3 1  d 1 project                 | Someone named may stop the model, by a procedure | RUNBOOK.md
S5.1 2  i 1 project                 | A dated plan, matched by releases | PLAN.md
S5.2 2  a 1 project                 | People, compute and budget are planned | PLAN.md
S5.3 1  m 1 project                 | The plan is long enough for its experiment | PLAN.md
T1.1 2  m 2 project,train,test      | A schema exists, is called and holds | schema.yaml
T1.2 2  m 2 train                   | Few missing values
T1.3 3  m 2 train,target            | No constants, mixed types, duplicates or conflicting labels
T1.4 2  m 3 project                 | Labels were audited by two raters | label_audit.csv
T1.5 3! m 2 train,test              | Train and test are cleanly separated
T2.1 3! m 2 train,target            | No feature gives the target away
T2.2 2  i 2 project                 | Feature code is tested
T2.3 3! i+ 1 project                | Nothing is fitted before the split
T2.4 1  m 2 train,test,target       | Features earn their place
T2.5 2  m 2 project                 | Training and serving share one transform
T3.1 3! m 3 predictions             | The model beats a dummy
T3.2 2  m 2 predictions,train,test  | The model beats a simple one
T3.3 1  a+ 1 project                | The architecture was chosen among scored alternatives | runs.json
T3.4 2  m 2 train,test,predictions  | Train and test scores are close
T4.1 2  a+ 1 project                | The search is recorded | runs.json
T4.2 3  i+ 2 project                | Tuning never sees the test data and tries enough
T4.3 1  a+ 2 project                | The sensitivity to each parameter is known | runs.json
T5.1 2  i 2 project                 | The training pipeline is declared as a graph that exists | dvc.yaml
T5.2 3  m 2 project,execute         | CI trains on a sample and tests | .github/workflows/ci.yml
T5.3 1  i 1 project                 | Retraining has a trigger and a maximum age | .github/workflows/train.yml
T5.4 2  a+ 2 project                | Runs link code, data, parameters and metrics | runs.json
A1.1 3! m 1 predictions             | Claimed metrics equal the recomputed ones
A1.2 2  m 1 statement               | The claimed numbers can be true together
A1.3 2  m 2 predictions             | The headline metric is precise enough
A1.4 1  a+ 1 project                | Metrics are tracked over versions | metrics.json
A1.5 2  m 2 predictions             | Scores are calibrated
A2.1 3  m 3 predictions,test        | No slice is much worse
A2.2 2  m 2 predictions             | Every class is recalled
A2.3 2  i 2 project,predictions     | Errors were categorised and counted | ERROR_ANALYSIS.md
A3.1 3  m 3 predictions,groups      | Groups are treated alike
A3.2 2  m 1 train,project           | Sensitive attributes and their proxies are declared | MODEL_CARD.md
A3.3 1  d 1 project                 | The fairness decision is recorded | MODEL_CARD.md
A4.1 2  m 2 train,test,target       | Importances are stable
A4.2 2  m 2 project,predictions     | Global and local explanations exist | MODEL_CARD.md
A4.3 2  m 2 train,test,target       | No single feature dominates
A5.1 2  m 1 project                 | The experiment is designed completely | experiment.yaml
A5.2 3  m 2 project                 | The experiment's arms have the planned sizes | assignments.csv
A5.3 2  m 3 project                 | The online effect is shown | outcomes.csv
A5.4 1  m 3 project                 | The experiment ran to its plan | experiment.yaml
R1.1 2  m 1 project                 | The service exposes metrics
R1.2 3  i 2 project                 | Alerts cover latency, traffic, errors, saturation and quality | alerts.yaml
R1.3 2  i 2 project                 | Predictions and inputs are logged and kept
R1.4 1  i 1 project                 | Dashboard, on-call owner and runbooks | alerts.yaml
R2.1 2  i 1 project                 | Enough replicas; a batch job retries and never overlaps | deployment.yaml
R2.2 2  i 1 project                 | Liveness and readiness probes; a batch job has a time limit | deployment.yaml
R2.3 1  i 1 project                 | Disruptions are planned; a batch job can be repeated | deployment.yaml
R2.4 3  m 2 project,execute         | Bad input meets a safe answer
R3.1 2  d 1 project                 | Service level objectives are written | slo.yaml
R3.2 3  m 2 project,model,execute   | Latency is within the objective
R3.3 2  a 2 project                 | A load test meets the objective | load_test.json
R3.4 1  i 1 project                 | Resource requests and limits are set | deployment.yaml
R4.1 3  i+ 1 project                | Two immutable model versions are kept | dvc.lock
R4.2 2  i 1 project                 | Deployments can be rolled back | deployment.yaml
R4.3 2  d 1 project                 | The rollback is written and drilled | RUNBOOK.md
R4.4 2  m 2 project,execute         | The previous version still loads and predicts
R5.1 2  i+ 1 project                | A reference profile is stored | reference_profile.json
R5.2 2  i 2 project                 | A drift job runs with a threshold and an alert | drift.yaml
R5.3 3  m 2 reference,current       | Inputs have not drifted
R5.4 2  m 2 project,execute         | The drift detector detects
X1.1 2  i 1 project                 | The README lets a stranger reproduce the result | README.md
X1.2 3  i 2 project                 | The model card is complete | MODEL_CARD.md
X1.3 2  i 1 project                 | What the README says exists
X1.4 1  i 2 project                 | Public functions have docstrings
X2.1 3  i 2 project                 | Changes are reviewed by another person
X2.2 1  i 1 project                 | Review rules are in the repository | CODEOWNERS
X2.3 1  i 3 project                 | More than one maintainer
X3.1 3! m 2 project                 | No secrets in the files
X3.2 2  m 2 project                 | Static security analysis is clean
X3.3 2! m 1 project                 | Model files cannot run code
X3.4 2  m 1 project                 | Dependencies have no known vulnerabilities | pip-audit.json
X3.5 1  i 1 project                 | Security policy, update bot, pinned actions | SECURITY.md
X4.1 3  i 1 project                 | Dependencies are locked | requirements.lock
X4.2 2  i 1 project                 | Random sources are seeded
X4.3 2  m 1 project                 | Data versions are recorded and match | dvc.lock
X4.4 3  m 2 project,execute         | Training twice gives the same model
X5.1 3  m 3 project                 | Tests pass and cover the code | junit.xml
X5.2 1  m 1 project                 | The linter finds little
X5.3 2  i 1 project                 | CI runs the tests | .github/workflows/ci.yml
X5.4 1  i 1 project                 | Licence, small files, code outside notebooks | LICENSE
"""

_LETTERS = {level.value[0]: level for level in Level}


def _parse(row: str) -> CheckSpec:
    columns, title, home = [*(part.strip() for part in row.split("|")), ""][:3]
    check_id, weight, best, effort, needs = columns.split()
    return CheckSpec(
        id=check_id,
        title=title,
        weight=int(weight.rstrip("!")),
        best=_LETTERS[best.rstrip("+")],
        effort=int(effort),
        needs=tuple(needs.split(",")),
        critical=weight.endswith("!"),
        home=home,
        by_run=best.endswith("+"),
    )


CHECKS = {spec.id: spec for spec in map(_parse, _TABLE.strip().splitlines())}
"""All 96 by id, in the rubric's order."""


def dimension_of(name: str) -> Dimension | None:
    """The dimension of a letter or key, or None."""
    return next((d for d in DIMENSIONS if name in {d.id, d.key}), None)


def criterion_of(criterion_id: str) -> Criterion:
    """The criterion of an id such as T1."""
    return next(criterion for criterion in CRITERIA if criterion.id == criterion_id)


def checks_of(prefix: str) -> tuple[CheckSpec, ...]:
    """The checks of a dimension letter (`T`) or a criterion (`T1`), in the rubric's order."""
    return tuple(spec for spec in CHECKS.values() if prefix in {spec.dimension, spec.criterion})
