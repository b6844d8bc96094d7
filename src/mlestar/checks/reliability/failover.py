"""R2 and R3.4: what happens when a replica, a node or an input goes bad."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mlestar.checks.inspected import absent, graded, inspected
from mlestar.checks.registry import check
from mlestar.checks.trial import not_settled, tried, undeclared
from mlestar.core.code.service import input_checks
from mlestar.core.evidence import Level, Outcome, Verdict, slots
from mlestar.core.project.deployment import Workload, mapping, model_workloads, objects, place, serving_modules
from mlestar.core.wording import listed

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.trial import PredictTrial

_NO_MANIFEST = "no Kubernetes or Compose manifest in the project"
_PROTECTIONS = ("typed input", "finite values", "typed errors")


def replicas(project: ProjectFacts, workload: Workload) -> int:
    """The fewest replicas that the manifests keep up: a scaler's minimum wins over the workload's own number."""
    for _, scaler in objects(project, "HorizontalPodAutoscaler", "ScaledObject"):
        spec = mapping(scaler.get("spec"))
        if mapping(spec.get("scaleTargetRef")).get("name") == workload.name:
            return _count(spec.get("minReplicas", spec.get("minReplicaCount", 1)))
    if workload.kind == "ComposeService":
        return _count(mapping(workload.spec.get("deploy")).get("replicas", workload.spec.get("scale", 1)))
    return _count(workload.spec.get("replicas", workload.spec.get("minReplicas", 1)))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 1


@check("R2.1")
def enough_replicas(facts: Facts) -> Iterator[Verdict]:
    """Every serving workload keeps at least three replicas.

    Why: With two, one failure during one deployment is an outage.
    How: replicas of Deployments, StatefulSets, Rollouts and inference services, minReplicas of their autoscaler,
        deploy.replicas of Compose services; the weakest of the workloads counts. The same name in several overlays
        counts by its largest.
    Threshold: pass from 3, partial for 2, fail for 1.
    Source: kube-linter minimum-three-replicas; kube-score (2).
    Fix: Set replicas: 3, or minReplicas: 3 on the autoscaler.
    Limits: Configuration, not what runs; templates that do not parse are not read.
    """
    project = facts.project
    if project is None:
        return
    found = model_workloads(project)
    if not found:
        yield absent(_NO_MANIFEST)
        return
    best: dict[str, tuple[int, Workload]] = {}
    for workload in found:
        count = replicas(project, workload)
        if workload.name not in best or count > best[workload.name][0]:
            best[workload.name] = (count, workload)
    count, weakest = min(best.values(), key=lambda pair: pair[0])
    outcome = graded(count, facts.limit("R2.1", "pass"), facts.limit("R2.1", "partial"))
    yield inspected(
        outcome, f"{weakest.kind} {weakest.name} keeps {count}", place(project, weakest, "replicas"), n=len(best)
    )


@check("R2.2")
def probes_are_set(facts: Facts) -> Iterator[Verdict]:
    """Every serving container has a liveness and a readiness probe.

    Why: Without them traffic goes to a process that hangs or has not loaded its model.
    How: livenessProbe and readinessProbe of each container; a Compose health check counts as liveness.
    Threshold: pass for both, partial for one, fail for none.
    Source: kube-linter no-liveness-probe, no-readiness-probe.
    Fix: Add both probes, with readiness true only once the model is loaded.
    Limits: That a probe is set, not that it tells the truth.
    """
    project = facts.project
    if project is None:
        return
    found = [workload for workload in model_workloads(project) if workload.containers]
    if not found:
        yield absent(_NO_MANIFEST)
        return
    weakest, missing = max(((workload, _missing_probes(workload)) for workload in found), key=lambda pair: len(pair[1]))
    outcome = (Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL)[len(missing)]
    hasty = [
        probe
        for probe in ("livenessProbe", "readinessProbe")
        if any(probe in c and "timeoutSeconds" not in mapping(c[probe]) for c in weakest.containers)
    ]
    observed = f"{weakest.kind} {weakest.name}: " + (
        f"no {' and no '.join(missing)}" if missing else "liveness and readiness"
    )
    observed += f"; default timeout of 1 s on {listed(hasty)}" if hasty else ""
    yield inspected(
        outcome,
        observed,
        place(project, weakest, "containers" if outcome is Outcome.FAIL else "livenessProbe"),
        n=len(found),
    )


def _missing_probes(workload: Workload) -> list[str]:
    if workload.kind == "ComposeService":
        return ["readiness probe"] if workload.spec.get("healthcheck") else ["liveness probe", "readiness probe"]
    main = workload.containers[0]
    names = {"liveness probe": ("livenessProbe", "startupProbe"), "readiness probe": ("readinessProbe",)}
    return [name for name, keys in names.items() if not any(main.get(key) for key in keys)]


@check("R2.3")
def disruptions_are_planned(facts: Facts) -> Iterator[Verdict]:
    """Replicas are spread, protected in disruptions, and replaced one by one.

    Why: Three replicas on one node, or all replaced at once, are one replica.
    How: A PodDisruptionBudget; pod anti-affinity or topology spread; a RollingUpdate strategy or an autoscaler.
    Threshold: v = share of the three.
    Source: kube-linter no-anti-affinity, no-rolling-update-strategy; Kubernetes documentation on disruptions.
    Fix: Add a PodDisruptionBudget, topologySpreadConstraints and strategy.type: RollingUpdate.
    Limits: Configuration only.
    """
    project = facts.project
    if project is None:
        return
    found = model_workloads(project)
    if not found:
        yield absent(_NO_MANIFEST)
        return
    budget = any(objects(project, "PodDisruptionBudget"))
    spread = any(
        mapping(workload.pod.get("affinity")).get("podAntiAffinity") or workload.pod.get("topologySpreadConstraints")
        for workload in found
    )
    rolling = any(objects(project, "HorizontalPodAutoscaler", "ScaledObject")) or any(
        mapping(workload.spec.get("strategy", workload.spec.get("updateStrategy"))).get("type") == "RollingUpdate"
        or mapping(workload.spec.get("strategy")).get("canary")
        or mapping(mapping(workload.spec.get("deploy")).get("update_config"))
        for workload in found
    )
    parts = {
        "a disruption budget": budget,
        "anti-affinity or spread": spread,
        "a rolling update or autoscaler": rolling,
    }
    missing = [name for name, there in parts.items() if not there]
    observed = f"{3 - len(missing)} of 3" + (f"; missing: {', '.join(missing)}" if missing else "")
    where = project.where(found[0].path, found[0].line)
    yield slots(3 - len(missing), 3, Level.INSPECTED, observed, where=where, fix=f"add {', '.join(missing)}")


@check("R2.4")
def bad_input_meets_a_safe_answer(facts: Facts) -> Iterator[Verdict]:
    """Bad input gets a typed error or a finite prediction, never a crash.

    Why: The first NaN in production should not be the first one ever tried.
    How: In serving code, by AST: a typed request model, a check for missing or infinite values, and an error path that
        answers. With execute, the project's declared predict function is called with eight kinds of bad input.
    Threshold: v = share of the three protections; measured: pass for 8 of 8 probes, partial from 6, fail
        below or when one ends the process.
    Source: EU AI Act Article 15; ML Test Score, Monitoring 5.
    Fix: Validate the request with a typed model, refuse NaN and infinity, answer 4xx with a reason.
    Limits: Without execute static: that the protections exist, not that they cover every field.
    """
    project = facts.project
    if project is None or not project.files:
        return
    if facts.trial is not None and facts.trial.predict is not None:
        yield _probed(facts, facts.trial.predict)
    serving = serving_modules(project)
    if not serving:
        yield undeclared(facts, "R2.4") or absent("no serving code in the project")
        return
    found = input_checks(project)
    missing = [name for name in _PROTECTIONS if name not in found]
    observed = f"{len(found)} of 3 protections" + (f"; missing: {', '.join(missing)}" if missing else "")
    where = project.where(*next(iter(found.values()))) if found else project.where(serving[0].path)
    yield inspected(
        Outcome.PASS if not missing else Outcome.PARTIAL if found else Outcome.FAIL,
        observed,
        where,
        value=Fraction(len(found), len(_PROTECTIONS)),
        fix=f"add {', '.join(missing)} to the serving code",
    )


def _probed(facts: Facts, trial: PredictTrial) -> Verdict:
    if trial.problem or not trial.answers:
        return not_settled(facts, trial.function, trial.problem or "gave no answer", trial.log)
    unsafe = [f"{kind}: {said}" for kind, (safe, said) in trial.answers.items() if not safe]
    safe = len(trial.answers) - len(unsafe)
    outcome = graded(safe, facts.limit("R2.4", "pass"), facts.limit("R2.4", "partial"))
    outcome = Outcome.FAIL if trial.crashes else outcome
    observed = f"{trial.function}: {safe} of {len(trial.answers)} bad inputs met a finite prediction or a typed error"
    observed += f"; not so {'; '.join(unsafe)}" if unsafe else ""
    fix = f"answer or refuse with ValueError in {trial.function}: {unsafe[0]}" if unsafe else ""
    return tried(facts, outcome, observed, fix=fix, n=len(trial.answers))


@check("R3.4")
def resources_are_bounded(facts: Facts) -> Iterator[Verdict]:
    """Every serving container has CPU and memory requests and limits.

    Why: Without them one model starves its neighbours, or is killed for theirs.
    How: resources.requests and resources.limits (Compose: deploy.resources) of each container, cpu and memory in each.
    Threshold: pass for both, partial for one, fail for none.
    Source: kube-linter unset-cpu-requirements, unset-memory-requirements.
    Fix: Set requests to the measured use and limits above it.
    Limits: Defaults of a LimitRange in the cluster are not seen.
    """
    project = facts.project
    if project is None:
        return
    found = [workload for workload in model_workloads(project) if workload.containers]
    if not found:
        yield absent(_NO_MANIFEST)
        return
    weakest, missing = max(
        ((workload, _missing_resources(workload)) for workload in found), key=lambda pair: len(pair[1])
    )
    outcome = (Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL)[len(missing)]
    observed = f"{weakest.kind} {weakest.name}: " + (
        f"no complete {' and '.join(missing)}" if missing else "requests and limits"
    )
    yield inspected(outcome, observed, place(project, weakest, "resources"), n=len(found))


def _missing_resources(workload: Workload) -> list[str]:
    if workload.kind == "ComposeService":
        resources = mapping(mapping(workload.spec.get("deploy")).get("resources"))
        keys = {"requests": ("reservations", ("cpus", "memory")), "limits": ("limits", ("cpus", "memory"))}
        return [
            name
            for name, (key, parts) in keys.items()
            if not all(mapping(resources.get(key)).get(part) for part in parts)
        ]
    return [
        key
        for key in ("requests", "limits")
        if not all(
            mapping(mapping(container.get("resources")).get(key)).get(part)
            for container in workload.containers
            for part in ("cpu", "memory")
        )
    ]
