"""What a README says the project has, and the artefact that would make each statement true."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from mlestar.core.claims.readme import prose
from mlestar.core.facts.project import ProjectFacts
from mlestar.core.project.alert_rules import alert_rules
from mlestar.core.project.ci import jobs
from mlestar.core.project.deployment import calls_into, is_trivial, mapping, objects, serving_modules

Holds = Callable[[ProjectFacts], bool]
_NOT_A_CLAIM = re.compile(
    r"\b(planned|future|roadmap|todo|to do|upcoming|coming soon|not|no|"
    r"without|lacks?|missing|will|would|could|should|may|"
    r"might|plan(s|ning)? to|wants? to|aims? to|intends? to|optional(ly)?|instead of|rather than|unlike|"
    r"out of scope|needs?|consider|wip|never|none|"
    r"see|learn|tutorial|course|inspired|e\.g\.|if you)\b|n['\u2019]t\b",
    re.IGNORECASE,
)


_OF_OTHERS = re.compile(r"^\s*(>|# |\[!|<|!\[|(?:[-*+]|\d+[.)])\s*\**\[[^\]]*\]\((?:https?:|#)|Use \[)")
"""Titles, quotations, badges, advice, items that begin with a link: what stands elsewhere, or a table of contents."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement of the README with an artefact that must stand behind it."""

    topic: str
    line: int
    text: str
    holds: bool


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What a statement looks like, and the artefacts of which one must exist.

    Attributes:
        said: Pattern of the statement.
        libraries: Import names, of which one must be called.
        files: Pattern of paths with content.
        kinds: Kubernetes kinds.
        code: Pattern in code, scripts or configuration, comments aside.
        modules: Pattern of paths of own modules that do something.
        also: Any other evidence.
    """

    said: str
    libraries: str = ""
    files: str = ""
    kinds: tuple[str, ...] = ()
    code: str = ""
    modules: str = ""
    also: Holds | None = None

    def holds(self, project: ProjectFacts) -> bool:
        """Whether one of the artefacts is there."""
        return (
            (bool(self.libraries) and _calls(project, frozenset(self.libraries.split())))
            or (bool(self.files) and _has_content(project, self.files))
            or (bool(self.kinds) and any(objects(project, *self.kinds)))
            or (bool(self.modules) and bool(real_modules(project, self.modules)))
            or (self.also is not None and self.also(project))
            or (bool(self.code) and _in_code(project, self.code))
        )


def claims(project: ProjectFacts, path: str) -> list[Claim]:
    """The first statement on each topic outside code blocks, plans, negations and quotations."""
    found: list[Claim] = []
    lines = [line for line in prose(project.texts[path]) if not line.future and line.text.strip()]
    for name, topic in TOPICS.items():
        for line in lines:
            if _OF_OTHERS.match(line.text):
                continue
            sentence = next(
                (part for part in re.split(r"(?<=[.!?;])\s", line.text) if re.search(topic.said, part, re.IGNORECASE)),
                "",
            )
            if sentence and not _NOT_A_CLAIM.search(sentence) and not _names_itself(project, topic, sentence):
                found.append(
                    Claim(topic=name, line=line.number, text=sentence.strip()[:120], holds=topic.holds(project))
                )
                break
    return sorted(found, key=lambda claim: (claim.line, claim.topic))


def _names_itself(project: ProjectFacts, topic: Topic, sentence: str) -> bool:
    """Whether all that is said is the name of the project."""
    documents = project.manifests.get("pyproject.toml", ())
    names = {str(mapping(mapping(document).get("project")).get("name", "")).lower() for document in documents}
    return all(match[0].lower() in names for match in re.finditer(topic.said, sentence, re.IGNORECASE))


def real_modules(project: ProjectFacts, pattern: str) -> list[str]:
    """Own modules whose path matches and that do something."""
    return [
        path
        for path, module in project.own_modules.items()
        if re.search(pattern, path, re.IGNORECASE) and not is_trivial(module)
    ]


def _calls(project: ProjectFacts, libraries: frozenset[str]) -> bool:
    return any(calls_into(module, libraries) is not None for module in project.own_modules.values())


def _has_content(project: ProjectFacts, pattern: str) -> bool:
    return any(
        project.files[path].size > 1 and (path not in project.texts or bool(project.texts[path].strip()))
        for path in project.paths(pattern)
    )


def _in_code(project: ProjectFacts, pattern: str) -> bool:
    found = re.compile(pattern, re.IGNORECASE)
    return any(
        found.search(re.sub(r"(^|\s)#.*$", "", text, flags=re.MULTILINE))
        for path, text in project.texts.items()
        if path in project.files
        and project.files[path].kind in {"python", "script", "config"}
        and not path.endswith((".toml", ".lock"))
        and found.search(text)
    )


def _defines_tests(project: ProjectFacts) -> bool:
    return any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name.startswith("test")
        and any(isinstance(part, (ast.Assert, ast.Call, ast.With)) for part in ast.walk(node))
        for module in project.test_modules.values()
        for node in module.nodes
    )


def _retrains_on_schedule(project: ProjectFacts) -> bool:
    return any("schedule" in job.triggers for job in jobs(project))


def _documents_rollback(project: ProjectFacts) -> bool:
    """A section of a document other than the README, with a command in it."""
    section = re.compile(r"^#+[^\n]*\broll[- ]?back\b[^#]*?```", re.IGNORECASE | re.MULTILINE)
    return any(section.search(text) for path, text in project.documents().items() if "readme" not in path.lower())


TOPICS: dict[str, Topic] = {
    "Kubernetes": Topic(
        said=r"\b(kubernetes|k8s|helm)\b",
        libraries="kubernetes",
        files=r"(^|/)Chart\.ya?ml$",
        modules=r"kubernetes|k8s|helm",
        also=lambda project: any(objects(project)),
    ),
    "Docker": Topic(
        said=r"\b(docker(i[sz]ed|file)?|containeri[sz]ed)\b",
        libraries="docker",
        files=r"(^|/)[^/]*(dockerfile|containerfile)[^/]*$|(^|/)(docker-)?compose[^/]*\.ya?ml$",
        modules=r"docker|container",
    ),
    "continuous integration": Topic(
        said=r"\bCI/CD\b|continuous integration|github actions|gitlab ci", also=lambda project: bool(jobs(project))
    ),
    "tests": Topic(
        said=r"\b(unit|integration|automated|end-to-end) tests?\b|test suite|(well|fully)[- ]tested|test coverage",
        also=_defines_tests,
    ),
    "drift detection": Topic(
        said=r"\bdrift\b",
        libraries="evidently nannyml alibi_detect frouros whylogs",
        modules=r"drift",
        code=r"def \w*(drift|psi|population_stability)\w*\(",
    ),
    "monitoring": Topic(
        said=r"(?<!training )(?<!performance )(?<!hardware )\bmonitor(ing|ed|s)\b|\bprometheus\b|\bgrafana\b",
        libraries="prometheus_client prometheus_fastapi_instrumentator starlette_exporter opentelemetry statsd datadog "
        "sentry_sdk arize evidently whylogs nannyml alibi_detect",
        files=r"(^|/)prometheus[^/]*\.ya?ml$|grafana[^/]*/.*\.json$",
        modules=r"monitor|drift",
        also=lambda project: bool(alert_rules(project)),
    ),
    "alerting": Topic(
        said=r"\balert(s|ing)\b",
        code=r"slack|pagerduty|opsgenie|smtp|sns\.publish|alertmanager",
        also=lambda project: bool(alert_rules(project)),
    ),
    "rollback": Topic(
        said=r"\broll(ed|s|ing)?[- ]?back\b|\bcanary\b|blue[-/ ]green",
        code=r"roll[-_ ]?back|rollout undo|canary|blue.?green",
        also=_documents_rollback,
    ),
    "experiment tracking": Topic(
        said=r"\bmlflow\b|\bwandb\b|weights & biases|experiment tracking",
        libraries="mlflow wandb comet_ml neptune aim clearml dvclive",
        also=lambda project: bool(project.reports.runs),
    ),
    "model registry": Topic(
        said=r"model registry", code=r"register_model|registered_model|model_registry|ModelRegistry|registry"
    ),
    "feature store": Topic(
        said=r"feature store|\bfeast\b", libraries="feast hopsworks tecton", files=r"feature_store\.ya?ml$"
    ),
    "data versioning": Topic(
        said=r"\bDVC\b|data version(ing|ed)|versioned data",
        files=r"(^|/)dvc\.(ya?ml|lock)$|\.dvc$|(^|/)\.dvc/config$",
        also=lambda project: bool(project.data_hashes),
    ),
    "orchestration": Topic(
        said=r"\b((?-i:Airflow)(?! (rate|leak|speed|sens))|(apache|use|using|uses|with|via|by) airflow|"
        r"airflow (dag|task|operator|schedul|worker|web)\w*|prefect|dagster|kubeflow|argo workflows|metaflow|zenml)\b",
        libraries="airflow prefect dagster kfp metaflow zenml",
        kinds=("Workflow", "CronWorkflow", "PipelineRun"),
    ),
    "infrastructure as code": Topic(said=r"\bterraform\b|\bpulumi\b", files=r"\.tf$|(^|/)Pulumi\.ya?ml$"),
    "explainability": Topic(
        said=r"\bSHAP\b|\bLIME\b|explainab|interpretab",
        libraries="shap lime interpret eli5 dalex captum alibi",
        code=r"permutation_importance|feature_importances_|partial_dependence|\.coef_",
    ),
    "fairness": Topic(
        said=r"\bfairness\b|bias (audit|test|mitigation|detection)",
        libraries="fairlearn aif360 aequitas",
        code=r"demographic_parity|equali[sz]ed_odds|disparate_impact|selection_rate|fairness",
    ),
    "A/B testing": Topic(said=r"\bA/B[- ]test", code=r"ab_?test|experiment_group|treatment|variant|assignment"),
    "API": Topic(
        said=r"\b(REST(ful)? API|prediction API|inference (API|server|service)|fastapi|flask)\b",
        also=lambda project: bool(serving_modules(project)),
    ),
    "load testing": Topic(
        said=r"\bload[- ]test|\blocust\b|\bk6\b",
        libraries="locust",
        files=r"(locust|k6|load[_-]?test)[^/]*\.(py|js|json|ya?ml)$",
    ),
    "autoscaling": Topic(
        said=r"\bauto-?scal",
        kinds=("HorizontalPodAutoscaler", "ScaledObject"),
        code=r"minReplicas|max_replicas|autoscaling",
    ),
    "retraining": Topic(
        said=r"(automat\w+|scheduled|continuous) (re)?training",
        kinds=("CronJob", "CronWorkflow"),
        code=r"schedule(_interval)?\s*[=:]|cron",
        also=_retrains_on_schedule,
    ),
    "hyperparameter tuning": Topic(
        said=r"\boptuna\b|hyper-?parameter (tuning|search|optimi[sz]ation)|grid search",
        libraries="optuna hyperopt ray skopt keras_tuner",
        code=r"SearchCV|ParameterGrid|suggest_|sweeper|n_trials",
    ),
    "data validation": Topic(
        said=r"data validation|schema validation|great expectations|\bpandera\b|validated schema",
        libraries="pandera great_expectations tensorflow_data_validation pydantic jsonschema soda cerberus",
        modules=r"valid|schema",
    ),
    "pre-commit hooks": Topic(said=r"\bpre-commit\b", files=r"(^|/)\.pre-commit-config\.ya?ml$"),
}
"""Ours: the topics that READMEs over-claim most."""
