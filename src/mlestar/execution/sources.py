"""Where a run's rows come from: a file below the roots, a data set inside scikit-learn, or the synthetic posts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlestar.core.pipeline import MARKETING, DataSpec, fingerprint
from mlestar.errors import Conflict
from mlestar.evidence.datasets import is_builtin, read_builtin, read_table
from mlestar.evidence.roots import resolve_inside, root_of
from mlestar.stages.data import Source
from mlestar.stages.marketing import generate


def source_digest(spec: DataSpec, roots: list[Path]) -> str:
    """What tells one source from another without reading its rows as a table: the file's SHA-256, or its name.

    Raises:
        NotFound, OutsideRoots: The file is not there, or may not be read.
    """
    if spec.source == MARKETING:
        return fingerprint(spec.source, spec.size, spec.seed, spec.drift)
    if is_builtin(spec.source):
        import sklearn

        return fingerprint(spec.source, sklearn.__version__)
    with resolve_inside(spec.source, roots).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_source(spec: DataSpec, payload: Mapping[str, Any], digest: str) -> Source:
    """Read the rows.

    Args:
        spec: The config's data section.
        payload: roots, max_rows, max_bytes.
        digest: `source_digest` of a moment ago.

    Raises:
        Conflict: The file has changed since then.
    """
    if spec.source == MARKETING:
        return generate(spec.size, spec.seed, spec.drift)
    if is_builtin(spec.source):
        table = read_builtin(spec.source)
        return Source(frame=table.frame, path=table.path, sha256=table.sha256, target="target")
    roots = [Path(root) for root in payload["roots"]]
    path = resolve_inside(spec.source, roots)
    shown = path.relative_to(root_of(path, roots)).as_posix()
    table = read_table(path, shown_as=shown, max_rows=payload["max_rows"], max_bytes=payload["max_bytes"])
    if table.sha256 != digest:
        raise Conflict(f"{shown} was changed while it was read", do="run again when it is no longer written to")
    return Source(frame=table.frame, path=shown, sha256=table.sha256)
