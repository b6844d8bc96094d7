"""Which checks do not apply: derived from artefacts by rule, never from what somebody says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.facts.project import is_own
from mlestar.core.project.batch_jobs import batch_jobs
from mlestar.core.project.deployment import serving_modules

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts
    from mlestar.core.facts.data import DataFacts
    from mlestar.core.facts.project import ProjectFacts

ONLINE_KINDS = frozenset({"Deployment", "StatefulSet", "InferenceService", "Service", "SeldonDeployment", "Ingress"})
REGRESSION = "the target is a number: there are no classes"
TEXT = "free text is all there is to predict from: there are no columns to weigh against each other"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What kind of system this is.

    Attributes:
        task: binary, multiclass or regression; empty when no data or predictions tell.
        modality: text (free text is all there is to predict from), mixed (free text beside other columns) or tabular;
            empty when no training data tell.
        serving: online or batch (jobs that end, nothing that answers requests: R2.1 to R2.3 then ask about the jobs);
            empty when no artefact tells, and then everything is asked as of a service.
        not_applicable: Check -> the reason why it does not apply.
    """

    task: str
    modality: str
    serving: str
    not_applicable: Mapping[str, str]


def profile_of(facts: Facts) -> Profile:
    """Derive the profile from the data and the project."""
    task = (facts.data.task if facts.data is not None else None) or ""
    serving = _serving(facts.project) if facts.project is not None else ""
    rules: dict[str, str] = {}
    if task == "regression":
        rules |= dict.fromkeys(("A1.5", "A2.2", "A3.1"), REGRESSION)
    modality = _modality(facts.data) if facts.data is not None else ""
    if modality == "text":
        rules |= dict.fromkeys(("T2.4", "A4.1", "A4.3"), TEXT)
    return Profile(task=task, modality=modality, serving=serving, not_applicable=rules)


def _modality(data: DataFacts) -> str:
    if data.train is None or not data.target:
        return ""
    from mlestar.core.statistics.prose import is_all_prose, prose_columns

    frame, known = data.train.frame, [data.target, data.time_column, *data.group_columns]
    if is_all_prose(frame, without=known):
        return "text"
    return "mixed" if prose_columns(frame, without=known) else "tabular"


def _serving(project: ProjectFacts) -> str:
    kinds = {
        str(document.get("kind", ""))
        for path, document in project.parsed()
        if isinstance(document, Mapping) and is_own(path)
    }
    if kinds & ONLINE_KINDS or serving_modules(project):
        return "online"
    return "batch" if batch_jobs(project) else ""
