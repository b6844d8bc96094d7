"""What is deployed: Kubernetes workloads, Compose services and serving code, in one shape."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlestar.core.facts.project import is_own

if TYPE_CHECKING:
    from mlestar.core.evidence import Where
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

WEB_LIBRARIES = frozenset(
    {
        "fastapi",
        "flask",
        "django",
        "starlette",
        "aiohttp",
        "tornado",
        "bottle",
        "falcon",
        "sanic",
        "litestar",
        "bentoml",
        "grpc",
        "gradio",
        "streamlit",
        "torchserve",
        "kserve",
        "seldon_core",
        "tritonclient",
    }
)
_SERVES_BY_USE = frozenset({"django", "gradio", "streamlit", "torchserve", "kserve", "seldon_core", "tritonclient"})
"""Libraries that a module imports for nothing else."""
_APPLICATIONS = "FastAPI|APIRouter|Flask|Blueprint|Starlette|Bottle|Sanic|Litestar|FastMCP|MethodView|RequestHandler"
_SERVES = re.compile(
    rf"^[ \t]*from [\w.]+ import [^\n#]*\b({_APPLICATIONS})\b|\b({_APPLICATIONS})\s*[()]|"
    r"\b(Application|Api|App|API|Route|Resource|Service|Server|Servicer)\b\s*[()]|"
    r"@[\w.]+\.(get|post|put|patch|delete|route|websocket|api_route|api|service|exception_handler|middleware)\b|"
    r"\badd_\w+_to_server\(|\bgrpc(\.aio)?\.server\(|\bweb\.(Application|run_app|post|get)\b|\bcreate_app\(|"
    r"\b(add_url_rule|add_route|add_api_route)\(",
    re.MULTILINE,
)
"""What makes an application, a route or a server of what a web library offers; a client or a type alone does not."""
SERVING_KINDS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "Rollout", "ReplicaSet", "InferenceService", "Service"}
)
_WORKLOADS = SERVING_KINDS - {"Service"}
_SERVERLESS = frozenset({"serving.knative.dev/v1", "serving.kserve.io/v1beta1"})
_BACKING = re.compile(
    r"redis|postgres|mysql|maria|mongo|\bdb\b|database|kafka|rabbit|zookeeper|minio|grafana|prometheus|alertmanager|"
    r"jaeger|mlflow|airflow|jupyter|notebook|adminer|nginx|traefik|elastic|kibana|node-exporter|otel|loki|mailcatcher|"
    r"mailhog|localstack|spark|thrift|provisioner|tensorboard|prefect|dagster|logstash|fluent|load-balancer|cert-manager|etcd|"
    r"qdrant|weaviate|chroma|milvus|neo4j|opensearch|memcached|clickhouse|locust|mailpit|pgadmin|autoscaler|exporter|pushgateway|cadvisor|^proxy$|reverse-?proxy|mkdocs",
    re.IGNORECASE,
)
_STAYS = frozenset(["ports", "expose", "restart", "deploy", "healthcheck", "labels", "depends_on", "networks"])
"""What a Compose service has that others call or that is to stay up."""
_NO_SERVICE = re.compile(
    r"\b(jupyter|mlflow (server|ui)|tensorboard|airflow|locust|mkdocs|zensical|sphinx-autobuild|hugo|jekyll)\b"
)
"""Commands of notebooks, trackers, schedulers, load generators and pages of documentation."""
_OF_MODEL = re.compile(r"model|predict|scor|infer|serving|api", re.IGNORECASE)
_AT_HAND = re.compile(r"override|[._-](dev|local|debug|demo|test|ci)[._-]|devcontainer|playground", re.IGNORECASE)
"""Compose files for the desk of a developer, a demonstration or a test run."""
_COMPOSE = re.compile(r"(^|/)(docker-)?compose[^/]*\.ya?ml$")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One long-running thing.

    Attributes:
        kind: As Kubernetes names it, or ComposeService.
        spec: Of the workload; `pod` of its pods; a Compose service is both.
        containers: Container objects.
    """

    path: str
    kind: str
    name: str
    line: int | None
    spec: dict[str, Any] = field(default_factory=dict)
    pod: dict[str, Any] = field(default_factory=dict)
    containers: tuple[dict[str, Any], ...] = ()


def mapping(value: object) -> dict[str, Any]:
    """The value when it is an object, else an empty one."""
    return {str(key): part for key, part in value.items()} if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """The value when it is a list, else an empty one."""
    return list(value) if isinstance(value, list) else []


def objects(project: ProjectFacts, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kubernetes objects of the kinds (any kind when none is named) with their file; `List` objects are opened.

    Those of tests, examples and documentation are not the project's own.
    """
    for path, document in project.parsed():
        if not is_own(path):
            continue
        for item in [document, *sequence(mapping(document).get("items"))]:
            found = mapping(item)
            if "apiVersion" in found and "kind" in found and (not kinds or found["kind"] in kinds):
                yield path, found


def workloads(project: ProjectFacts) -> list[Workload]:
    """Everything that is meant to stay up: batch jobs are not."""
    return project.derived("workloads", _workloads)


def _workloads(project: ProjectFacts) -> list[Workload]:
    found = [_workload(project, path, item) for path, item in objects(project, *_WORKLOADS)]
    found += [
        _workload(project, path, item)
        for path, item in objects(project, "Service")
        if str(item.get("apiVersion")) in _SERVERLESS
    ]
    return [*found, *_compose(project)]


def model_workloads(project: ProjectFacts) -> list[Workload]:
    """The workloads that serve, without databases, brokers, notebooks and dashboards.

    Where Kubernetes runs one of them, Compose is how the project is tried at hand.
    """
    found = [workload for workload in workloads(project) if workload.kind != "DaemonSet" and not _is_backing(workload)]
    return [workload for workload in found if workload.kind != "ComposeService"] or found


def _is_backing(workload: Workload) -> bool:
    """By its command, its images, or a name that speaks of nothing else; a task that is run once serves nobody."""
    if workload.kind == "ComposeService" and workload.spec.get("command") and not _STAYS & workload.spec.keys():
        return True
    parts = (part for c in workload.containers for part in (c.get("command", ""), c.get("args", "")))
    said = " ".join(part if isinstance(part, str) else " ".join(map(str, sequence(part))) for part in parts)
    if _NO_SERVICE.search(said):
        return True
    images = [str(container["image"]) for container in workload.containers if container.get("image")]
    by_image = bool(images) and all(_BACKING.search(image.rpartition("/")[2]) for image in images)
    by_name = bool(_BACKING.search(workload.name)) and not _OF_MODEL.search(workload.name)
    return by_image or by_name


def place(project: ProjectFacts, workload: Workload, key: str) -> Where:
    """The first line at or below the workload's name that holds the key, else the name's line."""
    lines = project.texts.get(workload.path, "").splitlines()
    start = workload.line or 1
    for number, line in enumerate(lines[start - 1 :], start=start):
        if line.strip() == "---":
            break
        if re.match(rf"\s*-?\s*{re.escape(key)}\s*:", line):
            return project.where(workload.path, number)
    return project.where(workload.path, workload.line)


def serving_modules(project: ProjectFacts) -> list[SourceModule]:
    """Own modules that make an application, a route or a server with a web or model-serving library.

    A notebook may try one, a plugin of a scheduler adds a page to it, a client calls one: none of them serves.
    """
    return project.derived(
        "serving modules", lambda whole: [module for module in whole.own_modules.values() if _serves(module)]
    )


def _serves(module: SourceModule) -> bool:
    if module.is_notebook or "airflow" in module.imported:
        return False
    return bool(module.imported & _SERVES_BY_USE) or bool(
        module.imported & WEB_LIBRARIES and _SERVES.search(module.text)
    )


def is_deployed(project: ProjectFacts) -> bool:
    """Whether anything in the project is meant to run as a service."""
    return bool(serving_modules(project) or model_workloads(project))


def calls_into(module: SourceModule, libraries: frozenset[str]) -> int | None:
    """The first line that calls something imported from one of the libraries; None when none is called."""
    if not module.imported & libraries:
        return None
    return min((line for name, line in module.calls if name.partition(".")[0] in libraries), default=None)


def is_trivial(module: SourceModule) -> bool:
    """Whether a module has no statement that does anything: empty, only docstrings, `pass` or `...`."""
    return module.tree is None or not any(_does_something(node) for node in module.nodes)


def _does_something(node: ast.AST) -> bool:
    if isinstance(node, (ast.Return, ast.Call, ast.AugAssign, ast.For, ast.While, ast.Raise, ast.Yield)):
        return not (isinstance(node, ast.Return) and (node.value is None or isinstance(node.value, ast.Constant)))
    return False


def _workload(project: ProjectFacts, path: str, item: dict[str, Any]) -> Workload:
    spec = mapping(item.get("spec"))
    name = str(mapping(item.get("metadata")).get("name", ""))
    if item["kind"] == "InferenceService":
        spec = mapping(spec.get("predictor"))
        pod = spec
        containers = [
            *sequence(spec.get("containers")),
            *(mapping(spec.get(key)) for key in ("model", "sklearn", "xgboost")),
        ]
    else:
        pod = mapping(mapping(spec.get("template")).get("spec"))
        containers = sequence(pod.get("containers"))
    pattern = rf"^\s*name:\s*[\"']?{re.escape(name)}[\"']?\s*$"
    return Workload(
        path=path,
        kind=str(item["kind"]),
        name=name,
        line=project.at(path, pattern).line,
        spec=spec,
        pod=pod,
        containers=tuple(container for container in map(mapping, containers) if container),
    )


def _compose(project: ProjectFacts) -> Iterator[Workload]:
    for path, document in project.parsed():
        if not _COMPOSE.search(path) or _AT_HAND.search(path) or not is_own(path):
            continue
        for name, service in mapping(mapping(document).get("services")).items():
            spec = mapping(service)
            line = project.at(path, rf"^\s+{re.escape(name)}\s*:").line
            yield Workload(
                path=path, kind="ComposeService", name=name, line=line, spec=spec, pod=spec, containers=(spec,)
            )
