"""YAML, JSON and TOML as plain values: safe loaders only, and no document that unfolds beyond its size."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import yaml

MOST_NODES = 200_000
"""Values in one document once aliases are unfolded (ours): a bomb has millions, a large manifest some thousands."""
MOST_DEPTH = 200
MOST_MERGED = 20_000
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnfitDocument(ValueError):
    """Not parseable, or not safe to walk; the message says which."""


class _Loader(_BASE):  # pyright: ignore[reportUntypedBaseClass] - C loader when libyaml is there
    """The safe loader, with a bound on merge keys and unknown tags read as their plain value."""

    merged = 0

    def flatten_mapping(self, node: Any) -> None:
        super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > MOST_MERGED:
            raise UnfitDocument("merge keys unfold beyond the limit")


def _plain(loader: Any, _suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("", _plain)  # pyright: ignore[reportUnknownMemberType] - untyped base


def parse_manifest(path: str, text: str) -> tuple[Any, ...]:
    """The documents of one file, by its suffix.

    Raises:
        UnfitDocument: It does not parse, nests too deeply or unfolds beyond `MOST_NODES` values.
    """
    suffix = path.lower().rpartition(".")[2]
    try:
        if suffix in {"yaml", "yml", "dvc", "lock"}:
            documents = _yaml_documents(text)
        elif suffix == "toml":
            documents = (tomllib.loads(text),)
        else:
            documents = (json.loads(text),)
    except UnfitDocument:
        raise
    except (ValueError, yaml.YAMLError, RecursionError, TypeError, AttributeError, OverflowError) as error:
        raise UnfitDocument(f"does not parse ({type(error).__name__})") from error
    for document in documents:
        _bounded(document)
    return documents


def _yaml_documents(text: str) -> tuple[Any, ...]:
    if _flow_depth(text) > MOST_DEPTH:
        raise UnfitDocument("nests too deeply")
    return tuple(document for document in yaml.load_all(text, Loader=_Loader) if document is not None)


def _flow_depth(text: str) -> int:
    """Deepest nesting that brackets or compact block markers could reach: the C composer recurses without a guard."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth = max(0, depth - 1)
    longest_indent = max((len(line) - len(line.lstrip(" -?:")) for line in text.splitlines()), default=0)
    return max(deepest, longest_indent // 2)


def _bounded(document: object) -> None:
    """Refuse cycles, depth and unfolding: counts each shared value once, multiplied by its uses."""
    sizes: dict[int, int] = {}
    open_values: set[int] = set()

    def size(value: object, depth: int) -> int:
        if not isinstance(value, (dict, list, tuple)):
            return 1
        key = id(value)
        if key in open_values or depth > MOST_DEPTH:
            raise UnfitDocument("refers to itself or nests too deeply")
        if key not in sizes:
            open_values.add(key)
            parts = value.values() if isinstance(value, dict) else value
            sizes[key] = 1 + sum(size(part, depth + 1) for part in parts)
            open_values.discard(key)
        if sizes[key] > MOST_NODES:
            raise UnfitDocument("unfolds beyond the limit")
        return sizes[key]

    size(document, 0)
