"""The catalogue: `@check("T1.3")` puts a function in it, the function's docstring is its documentation.

A check is pure: it takes the collected `Facts` and yields a `Verdict` for each piece of evidence it found (a claim,
a document, a measurement). Missing input yields nothing: the check is then unknown. Its docstring has a first line
(what is claimed) and the sections Why, How, Threshold, Source, Fix, Limits. These texts stand there alone; weights and
titles stand in `core/score/rubric.py`, the numbers in `core/score/limits.py` (read by `facts.limit(check_id, name)`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

from mlestar.core.evidence import Verdict

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

CheckFunction = Callable[["Facts"], Iterable[Verdict]]
SECTIONS = ("Why", "How", "Threshold", "Source", "Fix", "Limits")


@dataclass(frozen=True, kw_only=True)
class CheckDoc:
    """A check's documentation, read from its docstring."""

    claim: str
    why: str
    how: str
    threshold: str
    source: str
    fix: str
    limits: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """One entry of the catalogue."""

    id: str
    run: CheckFunction
    doc: CheckDoc


_catalogue: dict[tuple[str, str], Check] = {}
_statements: dict[tuple[str, str], list[CheckFunction]] = {}


def check(check_id: str, *, serving: str = "") -> Callable[[CheckFunction], CheckFunction]:
    """Register a check under its rubric id; with `serving`, the question that replaces it in that profile.

    A second one of the same id and profile is a programming error.
    """

    def register(function: CheckFunction) -> CheckFunction:
        if (check_id, serving) in _catalogue:
            raise ValueError(f"check {check_id} is registered twice")
        doc = parse_doc(function.__doc__ or "", check_id)
        _catalogue[check_id, serving] = Check(id=check_id, run=function, doc=doc)
        return function

    return register


def statement(check_id: str, *, serving: str = "") -> Callable[[CheckFunction], CheckFunction]:
    """Register a reader of what callers state about a check: it yields verdicts at the level `claimed` only."""

    def register(function: CheckFunction) -> CheckFunction:
        _statements.setdefault((check_id, serving), []).append(function)
        return function

    return register


def functions_of(check_id: str, serving: str = "") -> tuple[CheckFunction, ...]:
    """The readers of a check's statements, then the check itself, as the profile asks it."""
    asked = serving if (check_id, serving) in _catalogue else ""
    own = (_catalogue[check_id, asked].run,) if (check_id, asked) in _catalogue else ()
    return (*_statements.get((check_id, asked), ()), *own)


def registered(serving: str = "") -> dict[str, Check]:
    """Every check imported so far, by id, as the profile asks it; `catalogue.load()` imports them all."""
    chosen = {check_id: entry for (check_id, asked), entry in _catalogue.items() if not asked}
    chosen |= {check_id: entry for (check_id, asked), entry in _catalogue.items() if serving and asked == serving}
    return dict(sorted(chosen.items()))


def parse_doc(docstring: str, check_id: str) -> CheckDoc:
    """Split a docstring into its claim and its sections; each must be there and say something."""
    first, _, rest = dedent("    " + docstring).strip().partition("\n")
    parts: dict[str, str] = dict.fromkeys(SECTIONS, "")
    for match in re.finditer(
        r"^\s*(\w+):[ \t]*(.*?)(?=^\s*(?:" + "|".join(SECTIONS) + r"):|\Z)", rest, re.MULTILINE | re.DOTALL
    ):
        if match[1] in parts:
            parts[match[1]] = " ".join(match[2].split())
    missing = [name for name, text in parts.items() if not text]
    if not first or missing:
        raise ValueError(f"check {check_id}: its docstring lacks {', '.join(missing) or 'its first line'}")
    return CheckDoc(claim=first.strip(), **{name.lower(): text for name, text in parts.items()})
