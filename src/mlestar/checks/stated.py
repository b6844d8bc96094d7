"""Where statements come from: the request (claimed) and the project's documents (documented)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlestar.core.claims.documents import statements_in
from mlestar.core.claims.text import Statement, from_json
from mlestar.core.evidence import Level

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts


def claims(facts: Facts, dimension: str) -> list[Statement]:
    """What the request states for one dimension."""
    return from_json(facts.claims.get(dimension, {}))


def stated(facts: Facts, dimension: str, *documents: str) -> Iterator[tuple[Level, list[Statement]]]:
    """The statements of the request, then those of the documents of these kinds; what is empty is left out."""
    if found := claims(facts, dimension):
        yield Level.CLAIMED, found
    if found := statements_in(facts.project, *documents):
        yield Level.DOCUMENTED, found
