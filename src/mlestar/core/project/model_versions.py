"""Versions of models that a project keeps: registry entries, versioned files, tagged releases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.facts.project import is_own
from mlestar.core.project.deployment import mapping, sequence

if TYPE_CHECKING:
    from mlestar.core.facts.project import ModelFile, ProjectFacts

_MLFLOW = re.compile(r"mlruns/models/([^/]+)/version-(\d+)/meta\.ya?ml$")
_REGISTRY = re.compile(r"(registry|model_versions|models)[^/]*\.(json|ya?ml)$", re.IGNORECASE)
_VERSIONED = re.compile(r"(^|[/_.-])v?(\d+([._]\d+)*|20\d{6}|[0-9a-f]{7,40})([/_.-])", re.IGNORECASE)
_FILE_KEYS = ("path", "file", "artifact", "uri", "model")
_SHA256_DIGITS = 64
_NEAR = 3
"""Parts of a path in which a version is looked for: a year or a week further up is the project's order (ours)."""
_RELEASE = re.compile(r"^(model[-_/]|[\w.-]+@)?v?\d+(\.\d+)+", re.IGNORECASE)
"""`v1.2`, `model-1.2`, and `churn@v1.2` as GTO writes it."""


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """One kept version; `hash` is empty when none is recorded.

    `here` is True when the hash was made here of a file in the tree, or git vouches for it; `file` and `actual` are the
    file that a registry names and its hash, when it is in the tree and another one than recorded.
    """

    name: str
    path: str
    hash: str = ""
    here: bool = True
    file: str = ""
    actual: str = ""


def model_versions(project: ProjectFacts) -> list[ModelVersion]:
    """The versions of the best source: a registry, else versioned files, else the model files themselves."""
    for found in (list(_registered(project)), list(_files(project)), list(_tagged(project))):
        if len(found) > 1:
            return found
    return [ModelVersion(name=model.path, path=model.path, hash=model.sha256) for model in _kept(project)[:1]]


def _kept(project: ProjectFacts) -> list[ModelFile]:
    """Model files that are no fixtures of tests or examples."""
    return [model for model in project.models if is_own(model.path)]


def _registered(project: ProjectFacts) -> Iterator[ModelVersion]:
    for path in project.paths(_MLFLOW.pattern):
        match = _MLFLOW.search(path)
        document = mapping(next(iter(project.manifests.get(path, ())), None))
        if match:
            yield ModelVersion(
                name=f"{match[1]} {match[2]}", path=path, hash=str(document.get("run_id", "")), here=False
            )
    hashes = {file.sha256 for file in project.files.values() if file.sha256}
    for path, document in project.parsed():
        if not _REGISTRY.search(path):
            continue
        entries = (
            sequence(document)
            or sequence(mapping(document).get("versions"))
            or sequence(mapping(document).get("models"))
        )
        for entry in map(mapping, entries):
            recorded = next(
                (str(entry[key]) for key in ("sha256", "hash", "digest", "md5", "checksum") if entry.get(key)), ""
            )
            version = entry.get("version", entry.get("name") if recorded else None)
            if version is not None:
                named = next((str(entry[key]) for key in _FILE_KEYS if str(entry.get(key, "")) in project.files), "")
                actual = project.files[named].sha256 if named and len(recorded) == _SHA256_DIGITS else ""
                yield ModelVersion(
                    name=str(version),
                    path=path,
                    hash=recorded,
                    here=recorded.lower() in hashes,
                    file=named if actual not in {"", recorded.lower()} else "",
                    actual=actual if actual not in {"", recorded.lower()} else "",
                )


def _files(project: ProjectFacts) -> Iterator[ModelVersion]:
    """The largest family of files whose paths are equal but for one version: two models are not two versions."""
    families: dict[str, list[ModelVersion]] = {}
    for model in _kept(project):
        near = len(model.path) - len("/".join(model.path.split("/")[-_NEAR:]))
        versions = list(_VERSIONED.finditer(model.path, near))
        if versions:
            last = versions[-1]
            family = f"{model.path[: last.start(2)]}*{model.path[last.end(2) :]}"
            version = ModelVersion(name=model.path, path=model.path, hash=model.sha256)
            families.setdefault(family, []).append(version)
    yield from max((families[family] for family in sorted(families)), key=len, default=[])


def _tagged(project: ProjectFacts) -> Iterator[ModelVersion]:
    """A release tag pins a model only when the tree tracks one, or its recorded hash."""
    recorded = next(
        (entry for entry in project.data_hashes if re.search(r"model|\.(pkl|joblib|onnx|pt|skops)$", entry.path)), None
    )
    tracked = next((model for model in _kept(project) if project.git and model.path in project.git.tracked), None)
    source = recorded.recorded_in if recorded else tracked.path if tracked else ""
    if source and project.git:
        of_model: dict[str, list[ModelVersion]] = {}
        for tag in project.git.tags:
            if match := _RELEASE.match(tag.name):
                version = ModelVersion(name=tag.name, path=source, hash=f"{tag.name}@{tag.time}")
                of_model.setdefault(match[1] or "", []).append(version)
        yield from max((of_model[name] for name in sorted(of_model)), key=len, default=[])
