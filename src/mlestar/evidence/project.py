"""Reads a project folder once, within limits, into the values that checks judge. Nothing of it is executed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.claims.text import readable
from mlestar.core.facts.project import FileKind, ModelFile, ProjectFacts, ProjectFile, Skipped
from mlestar.core.facts.source import SourceModule
from mlestar.errors import InvalidInput, NotFound
from mlestar.evidence.bounded import Found, Limits, file_digest, read_bytes, walk
from mlestar.evidence.data_hashes import read_data_hashes
from mlestar.evidence.git import read_git
from mlestar.evidence.manifests import UnfitDocument, parse_manifest
from mlestar.evidence.model_files import model_format, read_model
from mlestar.evidence.notebooks import read_notebook
from mlestar.evidence.reports import read_reports
from mlestar.evidence.scanners import scan

if TYPE_CHECKING:
    from mlestar.core.facts.reports import Reports

_KINDS: dict[FileKind, str] = {
    "python": "py pyi",
    "notebook": "ipynb",
    "config": "yaml yml json toml ini cfg conf env properties tf hcl xml dvc lock sarif timer service",
    "document": "md rst txt adoc",
    "script": "sh bash ps1 bat mk smk nf groovy sql r jl",
    "data": "csv tsv parquet jsonl ndjson feather arrow xls xlsx npy npz db sqlite avro orc",
    "binary": "png jpg jpeg gif svg pdf zip gz tar bz2 xz 7z whl so dll dylib exe bin ico woff woff2 ttf mp4 wav",
}
_BY_SUFFIX: dict[str, FileKind] = {suffix: kind for kind, suffixes in _KINDS.items() for suffix in suffixes.split()}
_SCRIPT_NAMES = re.compile(
    r"^(makefile|gnumakefile|dockerfile|containerfile|jenkinsfile|justfile|procfile|snakefile|noxfile|crontab|run|\.?env)(\..*)?$",
    re.IGNORECASE,
)
_MANIFEST = re.compile(r"\.(ya?ml|json|toml|dvc)$|(^|/)dvc\.lock$", re.IGNORECASE)


def read_project(root: Path, *, boundary: Path | None = None, limits: Limits | None = None) -> ProjectFacts:
    """Read the folder.

    Args:
        root: The project's folder, already resolved below an allowed root.
        boundary: The allowed root that holds it; the git repository may lie between the two. None = `root` itself.
        limits: Sizes and counts; beyond them things are named in `skipped`, and `truncated` says so.

    Raises:
        NotFound: No such folder.
        InvalidInput: It is a file.
    """
    if not root.exists():
        raise NotFound(f"there is no folder {root.name}", do="name an existing project folder")
    if not root.is_dir():
        raise InvalidInput(f"{root.name} is not a folder", do="name the project's folder")
    return _Reader(root.resolve(), (boundary or root).resolve(), limits or Limits()).read()


class _Reader:
    """The budgets and what was collected so far, of one reading."""

    def __init__(self, root: Path, boundary: Path, limits: Limits) -> None:
        self.root = root
        self.boundary = boundary
        self.limits = limits
        self.files: dict[str, ProjectFile] = {}
        self.texts: dict[str, str] = {}
        self.modules: dict[str, SourceModule] = {}
        self.manifests: dict[str, tuple[Any, ...]] = {}
        self.models: list[ModelFile] = []
        self.skipped: list[Skipped] = []
        self.text_left = limits.text_total
        self.hash_left = limits.hashed_total
        self.manifest_left = limits.manifest_total

    def read(self) -> ProjectFacts:
        found, self.skipped, truncated = walk(self.root, self.limits)
        for file in sorted(found, key=lambda file: (file.path.count("/"), file.path)):
            self._read_file(file)
        real = {file.path: file.real for file in found}
        return ProjectFacts(
            root=self.root.name,
            files=dict(sorted(self.files.items())),
            texts=dict(sorted(self.texts.items())),
            modules=dict(sorted(self.modules.items())),
            manifests=dict(sorted(self.manifests.items())),
            git=read_git(self.root, self.boundary, self.limits),
            models=tuple(sorted(self.models, key=lambda model: model.path)),
            data_hashes=read_data_hashes(self.manifests, self.texts, real, self.limits),
            reports=self._reports(),
            skipped=tuple(sorted(self.skipped, key=lambda skipped: skipped.path)),
            truncated=truncated,
        )

    def _reports(self) -> Reports:
        """What other tools left behind, and what the scanners installed here say."""
        reports = read_reports(self.texts, self.manifests)
        own = scan(self.root, [path for path, module in self.modules.items() if not module.is_notebook], self.limits)
        return replace(reports, static=(*own, *reports.static))

    def _read_file(self, found: Found) -> None:
        kind = kind_of(found.path)
        text: str | None = None
        sha256 = ""
        limit = self.limits.notebook_file if kind == "notebook" else self.limits.text_file
        if kind not in {"data", "model", "binary"} and self._affords_text(found, limit):
            raw = self._bytes(found, limit)
            self.text_left -= len(raw or b"")
            sha256 = hashlib.sha256(raw).hexdigest() if raw is not None else ""
            text = _decoded(raw) if raw is not None else None
            if raw is None:
                kind = "binary"
            elif text is None:
                self._skip(found, "not text")
                kind = "binary"
            else:
                self._keep_text(found.path, kind, text, raw, sha256)
        elif found.size <= min(self.limits.hashed_file, self.hash_left):
            sha256 = self._digest(found)
        else:
            self._skip(found, f"{found.size} bytes, over the limit")
        self.files[found.path] = ProjectFile(path=found.path, size=found.size, kind=kind, sha256=sha256)
        if model_format(found.path):
            self.models.append(read_model(found, sha256, self.limits))

    def _affords_text(self, found: Found, limit: int) -> bool:
        return found.size <= min(limit, self.text_left) and len(self.texts) < self.limits.text_files

    def _keep_text(self, path: str, kind: FileKind, text: str, raw: bytes, sha256: str) -> None:
        if kind == "notebook":
            module = read_notebook(path, raw, sha256)
            if module is None:
                self.skipped.append(Skipped(path=path, reason="not a notebook"))
            else:
                self.modules[path] = module
            return
        self.texts[path] = readable(text) if kind in {"text", "document"} else text
        if kind == "python":
            self.modules[path] = SourceModule(path=path, text=text, sha256=sha256)
        elif _MANIFEST.search(path) and len(raw) <= min(self.limits.manifest_file, self.manifest_left):
            self.manifest_left -= len(raw)
            try:
                self.manifests[path] = parse_manifest(path, text)
            except UnfitDocument as error:
                self.skipped.append(Skipped(path=path, reason=str(error)))

    def _bytes(self, found: Found, limit: int) -> bytes | None:
        try:
            return read_bytes(found.real, limit)
        except OSError as error:
            self._skip(found, f"unreadable ({type(error).__name__})")
            return None

    def _digest(self, found: Found) -> str:
        self.hash_left -= found.size
        try:
            return file_digest(found.real, "sha256")
        except OSError as error:
            self._skip(found, f"unreadable ({type(error).__name__})")
            return ""

    def _skip(self, found: Found, reason: str) -> None:
        self.skipped.append(Skipped(path=found.path, reason=reason))


def kind_of(path: str) -> FileKind:
    """The kind of a file by its name alone."""
    name = path.rpartition("/")[2]
    if model_format(path):
        return "model"
    suffix = name.lower().rpartition(".")[2] if "." in name else ""
    kind = _BY_SUFFIX.get(suffix, "text")
    return "script" if _SCRIPT_NAMES.match(name) and kind not in {"python", "notebook"} else kind


def _decoded(raw: bytes) -> str | None:
    if b"\0" in raw[:4096]:
        return None
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        text = raw.decode("latin-1").replace("\r\n", "\n")
        return text if raw.isascii() or text.isprintable() or _mostly_text(text) else None


def _mostly_text(text: str) -> bool:
    sample = text[:4096]
    odd = sum(not character.isprintable() and character not in "\n\t\r\f" for character in sample)
    return odd <= len(sample) * 0.02
