"""What was read of a project folder: files, text, code, configuration, history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from mlestar.core.evidence import Where
from mlestar.core.facts.derived import Derived
from mlestar.core.facts.reports import Reports

if TYPE_CHECKING:
    from mlestar.core.facts.git import GitFacts
    from mlestar.core.facts.source import SourceModule

FileKind = Literal["python", "notebook", "config", "document", "script", "text", "data", "model", "binary"]
TEST_PATH = re.compile(
    r"(^|/)((?:(?:integrat|unit|func|smoke|system|accept|regress)\w*[-_])?tests?|testing|testdata|spec|e2e)/|"
    r"(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$"
)
VENDORED_PATH = re.compile(
    r"(^|/)(vendor|third_party|node_modules|site-packages|dbt_packages|examples?|docs?|archived?|deprecated|attic)/|"
    r"(^|/)build/lib/|\{\{|\.pyi$|_pb2(_grpc)?\.py$"
)
"""Code that nobody of the project wrote, or that was put away; `{{` in a path marks the template of another project."""


def is_own(path: str) -> bool:
    """Whether a path is neither a test nor vendored, an example, documentation or put away."""
    return not TEST_PATH.search(path) and not VENDORED_PATH.search(path)


@dataclass(frozen=True, kw_only=True)
class ProjectFile:
    """One regular file. `sha256` is empty when the file was too large to hash; `size` is in bytes."""

    path: str
    size: int
    kind: FileKind
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Something that was left unread, and why."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A serialized model, judged by its bytes alone: it is never loaded.

    Attributes:
        format: pickle, joblib, torch, safetensors, onnx, skops, keras, hdf5, lightgbm, xgboost, ...
        imports: `module.name` of everything that loading it would import (pickles only).
        calls: Whether loading it would call something (REDUCE and kin).
        complete: The scan reached the end; False when the bytes could not be followed to it.
    """

    path: str
    format: str
    size: int
    sha256: str = ""
    imports: tuple[str, ...] = ()
    calls: bool = False
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class DataHash:
    """A hash that the project recorded for a data file, and what the file hashes to now.

    `actual` is empty when the file is not there or too large to hash.
    """

    path: str
    recorded_in: str
    line: int | None
    algorithm: str
    recorded: str
    actual: str = ""


@dataclass(frozen=True, kw_only=True)
class ProjectFacts(Derived):
    """One project folder, read once. Paths are relative to `root`, with forward slashes, and sorted.

    Attributes:
        root: As the caller named it.
        files: Every regular file seen (caches and virtual environments are not walked).
        texts: Path -> text of documents, configuration, scripts and source within the size limit.
        modules: Path -> Python source, notebooks included.
        manifests: Path -> parsed YAML, JSON or TOML documents of the file.
        git: None when there is no readable repository.
        truncated: A limit was hit: what is not here may still exist.
    """

    root: str
    files: Mapping[str, ProjectFile] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, SourceModule] = field(default_factory=dict)
    manifests: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    git: GitFacts | None = None
    models: tuple[ModelFile, ...] = ()
    data_hashes: tuple[DataHash, ...] = ()
    reports: Reports = field(default_factory=Reports)
    skipped: tuple[Skipped, ...] = ()
    truncated: bool = False

    def where(self, path: str, line: int | None = None, column: str = "") -> Where:
        """A place in one of the files, with the file's hash."""
        file = self.files.get(path)
        return Where(path=path, line=line, column=column, sha256=file.sha256 if file else "")

    def at(self, path: str, pattern: str) -> Where:
        """The first line of a text that matches the pattern (multi-line, case-insensitive); else the file."""
        match = re.search(pattern, self.texts.get(path, ""), re.IGNORECASE | re.MULTILINE)
        line = self.texts[path].count("\n", 0, match.start()) + 1 if match else None
        return self.where(path, line)

    def in_code(self, module: SourceModule, line: int) -> Where:
        """A line of a module or notebook."""
        inner, cell = module.place(line)
        return self.where(module.path, inner, cell)

    def paths(self, pattern: str) -> list[str]:
        """Every file path that the regular expression finds, case-insensitive."""
        found = re.compile(pattern, re.IGNORECASE)
        return [path for path in self.files if found.search(path)]

    def documents(self, pattern: str = r"\.(md|rst|txt|adoc)$") -> dict[str, str]:
        """Path -> text of the texts whose path matches."""
        return {path: self.texts[path] for path in self.paths(pattern) if path in self.texts}

    def parsed(self) -> Iterator[tuple[str, Any]]:
        """Every parsed configuration document with its path."""
        for path, documents in self.manifests.items():
            for document in documents:
                yield path, document

    @cached_property
    def own_modules(self) -> dict[str, SourceModule]:
        """Modules and notebooks that are neither tests nor vendored."""
        return {path: module for path, module in self.modules.items() if is_own(path)}

    @cached_property
    def test_modules(self) -> dict[str, SourceModule]:
        """Modules that hold tests."""
        return {path: module for path, module in self.modules.items() if TEST_PATH.search(path)}

    def is_tracked(self, path: str) -> bool:
        """Whether git tracks the file; without git every file counts."""
        return self.git is None or path in self.git.tracked
