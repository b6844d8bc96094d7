"""Hashes that a project recorded for its data (DVC, checksum lists, manifests), beside what the files hash to now."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlestar.core.facts.project import DataHash
from mlestar.evidence.bounded import Limits, file_digest

_HEX_LENGTHS = {32: "md5", 40: "sha1", 64: "sha256"}
_SUM_LINE = re.compile(r"^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})[ \t]+\*?(\S.*)$", re.MULTILINE)
_SUM_FILE = re.compile(r"(sha256|sha1|md5)(sums?)?(\.txt)?$|checksums?(\.txt)?$", re.IGNORECASE)
_MANIFEST_FILE = re.compile(
    r"(manifest|dataset|data_version|checksums?|hashes|data_card|croissant)[^/]*\.(json|ya?ml)$", re.IGNORECASE
)
_MOST = 500


def read_data_hashes(
    manifests: Mapping[str, tuple[Any, ...]], texts: Mapping[str, str], real: Mapping[str, Path], limits: Limits
) -> tuple[DataHash, ...]:
    """Every recorded hash, in path order, at most 500; a file too large to hash has an empty `actual`.

    Args:
        manifests: Parsed configuration by path.
        texts: Texts by path.
        real: Shown path -> file on disk.
        limits: Largest file and total to hash.
    """
    left = limits.hashed_total
    found: list[DataHash] = []
    for path, recorded_in, recorded in sorted(set(_recorded(manifests, texts, real)))[:_MOST]:
        algorithm = _HEX_LENGTHS[len(recorded)]
        file, actual = real.get(path), ""
        if file is not None:
            size = file.stat().st_size
            if size <= min(limits.hashed_file, left):
                left -= size
                actual = file_digest(file, algorithm)
        line = texts.get(recorded_in, "").partition(recorded)[0].count("\n") + 1
        found.append(
            DataHash(
                path=path, recorded_in=recorded_in, line=line, algorithm=algorithm, recorded=recorded, actual=actual
            )
        )
    return tuple(found)


def _located(source: str, path: str, real: Mapping[str, Path]) -> str:
    """The file that an entry means: relative to the listing's folder, or to one of the folders above it."""
    folder = posixpath.dirname(source)
    beside = posixpath.normpath(posixpath.join(folder, path))
    candidate = beside
    while candidate not in real and folder:
        folder = posixpath.dirname(folder)
        candidate = posixpath.normpath(posixpath.join(folder, path))
    return candidate if candidate in real else beside


def _recorded(
    manifests: Mapping[str, tuple[Any, ...]], texts: Mapping[str, str], real: Mapping[str, Path]
) -> Iterator[tuple[str, str, str]]:
    for source, documents in manifests.items():
        name = posixpath.basename(source)
        if name == "dvc.lock" or name.endswith(".dvc") or _MANIFEST_FILE.search(name):
            for document in documents:
                for path, recorded in _entries(document):
                    yield _located(source, path, real), source, recorded
    for source, text in texts.items():
        if _SUM_FILE.search(source):
            for match in _SUM_LINE.finditer(text):
                yield _located(source, match[2].strip(), real), source, match[1]


def _entries(value: Any, under: str = "") -> Iterator[tuple[str, str]]:
    """Objects with a path and a hash, at any depth; `{"a.csv": {"sha256": ...}}` and `{"a.csv": "..."}` count too."""
    if isinstance(value, dict):
        path = next(
            (
                value[key]
                for key in ("path", "file", "filename", "contentUrl", "name")
                if isinstance(value.get(key), str)
            ),
            under,
        )
        hashes = [value.get(key) for key in ("md5", "sha256", "sha1", "hash", "checksum", "digest")]
        recorded = next((text for text in map(_hex, hashes) if text), "")
        if path and recorded:
            yield path, recorded
        for key, part in value.items():
            if isinstance(key, str) and "." in key and _hex(part):
                yield key, _hex(part)
            elif isinstance(part, (dict, list)):
                yield from _entries(part, key if isinstance(key, str) and "." in key else "")
    elif isinstance(value, list):
        for part in value:
            yield from _entries(part)


def _hex(value: Any) -> str:
    text = value.lower().rpartition(":")[2] if isinstance(value, str) else ""
    return text if len(text) in _HEX_LENGTHS and all(character in "0123456789abcdef" for character in text) else ""
