"""Where files may be read: paths are resolved, symlinks included, and must lie below an allowed root."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from mlestar.errors import InvalidInput, NotFound, OutsideRoots

_MOST_SUGGESTIONS = 5


def resolve_inside(path: str, roots: Sequence[Path]) -> Path:
    """The real path of an existing file or folder below one of the roots.

    A relative path is tried below each root in turn. Existence is told only of what lies inside.

    Raises:
        InvalidInput: The path is empty or holds a NUL.
        OutsideRoots: It leads out of every root, by `..`, by being absolute or through a symlink.
        NotFound: Nothing is there; `valid` lists close names.
    """
    if not path or "\0" in path:
        raise InvalidInput("the path is empty or holds a NUL character", do="name a file or folder")
    allowed = [root.resolve() for root in roots]
    inside = [
        (candidate, root)
        for base in allowed
        for candidate in [_resolve(base / path)]
        for root in allowed
        if candidate.is_relative_to(root)
    ]
    if not inside:
        raise OutsideRoots(
            f"{path} is outside the folders that this server may read",
            valid=allowed,
            do="name a path below one of these, or start the server with --root" if allowed else "start with --root",
        )
    for candidate, _ in inside:
        if candidate.exists():
            return candidate
    candidate, root = inside[0]
    raise NotFound(f"there is no {path}", valid=_close_names(candidate, root), do="name an existing path")


def root_of(path: Path, roots: Sequence[Path]) -> Path:
    """The widest allowed root that holds an already resolved path."""
    holding = [root.resolve() for root in roots if path.is_relative_to(root.resolve())]
    return min(holding, key=lambda root: len(root.parts), default=path)


def _resolve(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # a symlink loop
        raise InvalidInput(f"{path.name} cannot be resolved: {type(error).__name__}") from error


def _close_names(path: Path, root: Path) -> list[str]:
    folder = path.parent
    if not folder.is_relative_to(root) or not folder.is_dir():
        return []
    names = sorted(entry.name for entry in folder.iterdir())
    return get_close_matches(path.name, names, n=_MOST_SUGGESTIONS, cutoff=0.5) or names[:_MOST_SUGGESTIONS]
