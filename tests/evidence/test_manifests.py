"""Configuration files: what parses, and what must not take the machine down."""

from __future__ import annotations

import pytest

from mlestar.evidence.manifests import UnfitDocument, parse_manifest

CHAIN = "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))
MERGES = "".join(f"{chr(98 + n)}: &{chr(98 + n)}\n  <<: [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))
BOMBS = {
    "aliases of aliases": "a: &a [1, 1, 1]\n" + CHAIN,
    "merges of merges": "a: &a {x: 1, y: 2}\n" + MERGES,
    "a cycle": "a: &a [*a]\n",
    "brackets": "[" * 100_000,
    "blocks": "\n".join(" " * n + "a:" for n in range(3000)),
    "dashes": "- " * 5000 + "x",
    "not yaml": "a: [1\nb",
    "python object": "!!python/object/apply:os.system ['touch /tmp/x'\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_unfolds_beyond_bounds_is_refused(name: str) -> None:
    with pytest.raises(UnfitDocument):
        parse_manifest("a.yaml", BOMBS[name])


def test_unknown_tags_are_read_as_their_value() -> None:
    assert parse_manifest("a.yaml", "a: !Ref b\nc: !x [1]\nd: !!python/name:os.system ''\n") == (
        {"a": "b", "c": [1], "d": ""},
    )


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.yml", "a: 1\n---\nb: 2\n", ({"a": 1}, {"b": 2})),
        ("a.toml", "[t]\nx = 1\n", ({"t": {"x": 1}},)),
        ("a.json", "[1, 2]", ([1, 2],)),
        ("dvc.lock", "schema: '2.0'\n", ({"schema": "2.0"},)),
        ("shared.yaml", "a: &x {k: 1}\nb: *x\n", ({"a": {"k": 1}, "b": {"k": 1}},)),
    ],
)
def test_documents_are_plain_values(path: str, text: str, expected: tuple[object, ...]) -> None:
    assert parse_manifest(path, text) == expected


@pytest.mark.parametrize(("path", "text"), [("a.json", "{"), ("a.json", "[" * 100_000), ("a.toml", "= 1")])
def test_what_does_not_parse_is_refused(path: str, text: str) -> None:
    with pytest.raises(UnfitDocument):
        parse_manifest(path, text)
