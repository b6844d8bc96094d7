"""The newest model file of a project and the one before it, in the order of their versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlestar.core.project.deployment import mapping, sequence

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

_REGISTRY = re.compile(r"(registry|model_versions|models)[^/]*\.(json|ya?ml)$", re.IGNORECASE)
_VERSION = re.compile(r"(?<![0-9A-Za-z])v?(\d+(?:[._]\d+)*)(?=[/_.-])", re.IGNORECASE)
_PATH_KEYS = ("path", "file", "artifact", "uri", "location")
_HASH_KEYS = ("sha256", "hash", "digest", "checksum")
_SHA256 = re.compile(r"^(?:sha256:)?([0-9a-f]{64})$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class KeptModel:
    """A model file that is there. `recorded` is the SHA-256 that a registry holds of it, `sha256` its own."""

    version: str
    path: str
    sha256: str
    recorded: str = ""


def newest_two(project: ProjectFacts) -> tuple[KeptModel, KeptModel] | None:
    """(the one before, the newest) of a registry's files, else of files that differ in a version only."""
    for found in (list(_registered(project)), _versioned(project)):
        ordered = sorted(found, key=lambda kept: (_order(kept.version), kept.path))
        if len({kept.path for kept in ordered}) > 1:
            return ordered[-2], ordered[-1]
    return None


def _registered(project: ProjectFacts) -> Iterator[KeptModel]:
    models = {model.path: model for model in project.models}
    for source, document in project.parsed():
        if not _REGISTRY.search(source):
            continue
        listed = sequence(document) or sequence(mapping(document).get("versions"))
        for entry in map(mapping, listed or sequence(mapping(document).get("models"))):
            folder = source.rpartition("/")[0]
            named = [str(entry[key]).removeprefix("./") for key in _PATH_KEYS if entry.get(key)]
            places = [place for path in named for place in (path, f"{folder}/{path}") if place in models]
            if places and entry.get("version") is not None:
                yield KeptModel(
                    version=str(entry["version"]),
                    path=places[0],
                    sha256=models[places[0]].sha256,
                    recorded=_sha256_of(entry),
                )


def _sha256_of(entry: dict[str, Any]) -> str:
    found = (_SHA256.match(str(entry[key])) for key in _HASH_KEYS if entry.get(key))
    return next((match[1].lower() for match in found if match), "")


def _versioned(project: ProjectFacts) -> list[KeptModel]:
    """The largest family of model files whose paths are equal but for one version."""
    families: dict[str, list[KeptModel]] = {}
    for model in project.models:
        versions = list(_VERSION.finditer(model.path))
        if versions:
            last = versions[-1]
            family = f"{model.path[: last.start()]}*{model.path[last.end() :]}"
            families.setdefault(family, []).append(KeptModel(version=last[1], path=model.path, sha256=model.sha256))
    return max((families[family] for family in sorted(families)), key=len, default=[])


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
