"""What a caller names for an evaluation, checked before any work is started."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar.core.claims.evidence_input import asked_dimensions, claims_of
from mlestar.errors import InputTooLarge, InvalidInput
from mlestar.evidence.datasets import is_builtin
from mlestar.evidence.roots import resolve_inside, root_of

if TYPE_CHECKING:
    from mlestar.settings import Settings

MAX_EVIDENCE_BYTES = 1 << 20
FOLDER = "project"
MIB = 1 << 20


def request_of(
    settings: Settings,
    *,
    dimension: str,
    evidence: object,
    files: Mapping[str, str],
    target: str,
    groups: str | Iterable[str],
    time: str,
    execute: bool,
) -> dict[str, Any]:
    """The payload of `execution.judge`, every path resolved below an allowed root.

    Raises:
        InvalidInput: An unknown dimension or evidence key.
        OutsideRoots: A path outside the roots.
        NotFound: A path that is not there.
    """
    letters = [asked.id for asked in asked_dimensions(dimension)]
    try:
        text = json.dumps(claims_of(dimension, evidence), sort_keys=True)  # the order of keys must not matter
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("evidence is not JSON", do="give an object of JSON values") from error
    if len(text) > MAX_EVIDENCE_BYTES:
        raise InputTooLarge(
            f"evidence has {len(text) / MIB:.1f} MiB, over the limit of {MAX_EVIDENCE_BYTES // MIB} MiB",
            do="state facts in evidence; name files by their paths",
        )
    places = {}
    if files.get(FOLDER):
        places[FOLDER] = _place(files[FOLDER], settings.roots)
    for name, path in files.items():
        if path and name != FOLDER:
            places[name] = _place(path, settings.roots, base=places.get(FOLDER, {}).get("path", ""))
    columns = groups.split(",") if isinstance(groups, str) else groups
    return {
        "dimensions": letters,
        "claims": json.loads(text),
        "places": places,
        "target": target,
        "groups": [column.strip() for column in columns if column.strip()],
        "time": time,
        "execute": execute,
        "max_rows": settings.max_rows,
        "max_bytes": settings.max_file_mb * MIB,
    }


def _place(path: str, roots: tuple[Path, ...], *, base: str = "") -> dict[str, str]:
    """Resolve one name; a relative one is looked for in the project first, then below each root."""
    if is_builtin(path):
        return {"path": path, "shown": path, "boundary": ""}
    inside = Path(base) / path
    resolved = resolve_inside(str(inside) if base and inside.exists() else path, roots)
    boundary = root_of(resolved, roots)
    shown_from = Path(base) if base and resolved.is_relative_to(base) else boundary
    shown = resolved.relative_to(shown_from).as_posix() if resolved != shown_from else resolved.name
    return {"path": str(resolved), "shown": shown, "boundary": str(boundary)}
