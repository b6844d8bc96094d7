"""Where a run's rows come from: a file below the roots, a data set inside scikit-learn, or the synthetic posts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlestar.core.pipeline import MARKETING, DataSpec, fingerprint
from mlestar.errors import Conflict, InputTooLarge, InvalidInput
from mlestar.evidence.datasets import is_builtin, read_builtin, read_table
from mlestar.evidence.roots import resolve_inside, root_of
from mlestar.stages.data import Source
from mlestar.stages.marketing import generate


def source_digest(spec: DataSpec, payload: Mapping[str, Any]) -> str:
    """What tells one source from another without reading its rows as a table: the file's SHA-256, or its name.

    Args:
        spec: The config's data section.
        payload: roots, max_bytes.

    Raises:
        NotFound: The file is not there.
        OutsideRoots: It may not be read.
        InputTooLarge: It is over the limit, so it is not even hashed.
    """
    if spec.source == MARKETING:
        return fingerprint(spec.source, spec.size, spec.seed, spec.drift)
    if is_builtin(spec.source):
        import sklearn

        return fingerprint(spec.source, sklearn.__version__)
    path = resolve_inside(spec.source, [Path(root) for root in payload["roots"]])
    if not path.is_file():
        raise InvalidInput(f"{spec.source} is no file", do="name a .csv, .tsv, .parquet or .jsonl file")
    if path.stat().st_size > payload["max_bytes"]:
        raise InputTooLarge(
            f"{spec.source} has {path.stat().st_size / 2**20:.0f} MiB, over {payload['max_bytes'] / 2**20:.0f} MiB",
            do="give a sample of its rows, or raise MLESTAR_MAX_FILE_MB",
        )
    with path.open("rb") as file:
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
