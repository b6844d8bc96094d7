"""The free JSON of an evaluation, sorted into the five dimensions' statements."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from mlestar.core.score.rubric import DIMENSIONS, Dimension, dimension_of
from mlestar.errors import InvalidInput

ALL = "all"
DIMENSION_NAMES = (*(dimension.key for dimension in DIMENSIONS), ALL)
_BY_KEY = {name: dimension for dimension in DIMENSIONS for name in (dimension.evidence_key, dimension.key)}


def asked_dimensions(name: str) -> list[Dimension]:
    """The dimensions that a call names: one, or all five.

    Raises:
        InvalidInput: There is no such dimension.
    """
    if name == ALL:
        return list(DIMENSIONS)
    dimension = dimension_of(name)
    if dimension is None or name != dimension.key:
        close = get_close_matches(str(name), DIMENSION_NAMES, n=1)
        raise InvalidInput(
            f"there is no dimension {name!r}",
            valid=DIMENSION_NAMES,
            do=f"did you mean {close[0]}?" if close else "name one of these",
        )
    return [dimension]


def claims_of(dimension: str, evidence: object) -> dict[str, Mapping[str, Any]]:
    """Dimension key -> what was stated for it.

    `evidence` is the guide's object of the dimension asked for, bare or under its key (`projectDetails`, ...); for
    `all` an object of several such keys.

    Raises:
        InvalidInput: Not an object, or keys that name no dimension where they must.
    """
    asked = asked_dimensions(dimension)
    if not isinstance(evidence, Mapping):
        raise InvalidInput(
            f"evidence must be a JSON object, not {type(evidence).__name__}",
            do=f'for example {{"{asked[0].evidence_key}": {{...}}}}',
        )
    keyed = [key for key in evidence if key in _BY_KEY and (len(asked) > 1 or isinstance(evidence[key], Mapping))]
    others = [str(key) for key in evidence if key not in keyed]
    if others and (keyed or dimension == ALL):
        valid = [known.evidence_key for known in DIMENSIONS]
        close = get_close_matches(others[0], valid, n=1, cutoff=0.4)
        raise InvalidInput(
            f"evidence has {', '.join(map(repr, others[:5]))}, which name no dimension",
            valid=valid,
            do=f"did you mean {close[0]}?" if close else "put each statement under one of these",
        )
    if not keyed:
        return {asked[0].key: dict(evidence)} if evidence else {}
    claims: dict[str, Mapping[str, Any]] = {}
    for key in keyed:
        stated = evidence[key]
        if not isinstance(stated, Mapping):
            raise InvalidInput(f"evidence.{key} must be a JSON object, not {type(stated).__name__}")
        claims[_BY_KEY[key].key] = {**claims.get(_BY_KEY[key].key, {}), **stated}
    return claims
