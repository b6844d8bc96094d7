"""Slots: the pieces a complete statement has, each filled only by concrete content.

A number, a date, an identifier, a name or a path fills a slot; a placeholder, an empty adjective ("complete",
"enabled", "audited") or a bare yes fills none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mlestar.core.claims.languages import EMPTY, MONTHS, TO_BE_WRITTEN, UNITS
from mlestar.core.claims.text import Statement, by_part
from mlestar.core.evidence import Level, Outcome, Verdict, Where

HTML_TAGS = "br|b|i|p|a|img|div|span|sub|sup|code|em|strong|table|tr|td|th|ul|li|ol|h\\d|details|summary|kbd"
PLACEHOLDER = re.compile(
    r"\b(?:todo|tbd|tba|tbc|fixme|xxx+|lorem|ipsum|placeholder|coming soon|work in progress|wip|n/a|"
    r"to be (?:defined|determined|decided|added|written|completed|confirmed)|fill (?:this|me|in)|"
    rf"{TO_BE_WRITTEN}|"
    r"more information needed|insert .{0,30}here|your .{0,30} here|description here)\b|"
    rf"<(?!/?(?:{HTML_TAGS})\b|https?:|[\w.+-]+@|[\s\d=/-])[^<>\n]{{1,80}}>|"
    r"\{\{|\[\s*(?:…|\.\.\.|insert|your|name|date)[^\]\n]*\]",
    re.IGNORECASE,
)
EMPTY_WORDS = frozenset(
    [
        "complete", "completed", "full", "fully", "enabled", "disabled", "audited", "yes", "no", "true", "false", "ok",
        "okay", "done", "good", "great", "excellent", "best", "none", "null", "nil", "na", "available", "active", "on",
        "off", "high", "low", "medium", "standard", "default", "implemented", "present", "exists", "existing", "passed",
        "passing", "ready", "defined", "documented", "tested", "planned", "included", "supported", "configured",
        "secure", "robust", "scalable", "comprehensive", "extensive", "appropriate", "sufficient", "adequate",
        "required", "monitored", "monitoring", "tracked", "covered", "in", "place", "is", "are", "was", "be", "been",
        "the", "a", "an", "and", "or", "of", "to", "for", "with", "all", "very", "we", "it", "this", "that", "will",
        "has", "have", "as", "by", "our", "set", "well", "everything", "various", "several", "some", "many",
        "production", "grade", "state", "art", "world", "class", "industry", "practices", "etc", "and/or",
        *EMPTY.split(),
    ]
)  # fmt: skip
MOST_WORDS_OF_A_LABEL = 6
"""A heading of more words is a sentence that happens to hold one of the words looked for (ours)."""
_MARKUP = re.compile(r"\s*(```|~~~|!\[|\[!\[|:::|<[^>]+>\s*$)")
"""Fences, pictures, badges and tags."""
_WORD = re.compile(r"[^\W_][\w'./%+-]*")
DATE = (
    r"\b(?:20\d\d[-/](?:1[0-2]|0?[1-9])(?:[-/]\d{1,2})?(?!\d)|"
    r"(?:[12]\d|3[01]|0?[1-9])[./](?:1[0-2]|0?[1-9])[./]20\d\d|q[1-4][ /-]?20\d\d|20\d\d[ -]?q[1-4]|"
    rf"(?:{'|'.join(MONTHS.split())})[a-zà-ÿ]*\.?,? (?:de )?(?:\d{{1,2}},? )?20\d\d)"
)
DURATION = rf"\b\d+(?:\.\d+)?[ -]?(?:{'|'.join(UNITS.values())})\b"
_SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?=\S))+[.!?]?")


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One piece of a complete statement.

    Attributes:
        name: As named to the reader.
        keys: Pattern of keys under which any concrete content (that `value` finds, if given) fills the slot.
        value: Pattern that content under `keys` must hold.
        text: Pattern that fills the slot wherever it stands under `within`.
        within: Pattern of keys where `text` is looked for; empty = everywhere.
        adjective: An empty word under `keys` fills it too: the one slot "mentioned".
    """

    name: str
    keys: str = ""
    value: str = ""
    text: str = ""
    within: str = ""
    adjective: bool = False


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A slot with the statement that fills it and the words that do."""

    slot: str
    statement: Statement
    words: str


def is_concrete(text: str) -> bool:
    """Whether a text says something: a number, or a word beyond empty adjectives, and no placeholder."""
    if PLACEHOLDER.search(text):
        return False
    return any(_says_something(word) for word in _WORD.findall(text[:2_000]))


def _says_something(word: str) -> bool:
    bare = word.strip(".'-").lower()
    return bool(re.search(r"\d", bare)) or (len(bare) > 1 and bare not in EMPTY_WORDS and not bare.startswith("non-"))


def fill(slots: Sequence[Slot], statements: Iterable[Statement]) -> list[Filled]:
    """The slots that one part of the project fills, in the slots' order; each by the first statement that does."""
    parts = by_part(statements)
    return max(([found for slot in slots if (found := _fill(slot, part)) is not None] for part in parts), key=len)


def _fill(slot: Slot, statements: Sequence[Statement]) -> Filled | None:
    for statement in statements:
        words = _words_in(slot, statement)
        if words:
            return Filled(slot=slot.name, statement=statement, words=words)
    return None


def _words_in(slot: Slot, statement: Statement) -> str:
    text = statement.text
    is_label = not statement.path or statement.key.count(" ") < MOST_WORDS_OF_A_LABEL
    if slot.keys and is_label and re.search(slot.keys, statement.key):
        if slot.adjective and statement.value not in (False, None) and text.strip():
            return _short(text)
        found = re.search(slot.value, text, re.IGNORECASE) if slot.value else None
        if (found or not slot.value) and is_line_of_content(_line_around(text, found)):
            return _short(_line_around(text, found))
    if slot.text and (not slot.within or re.search(slot.within, statement.key)):
        for found in re.finditer(slot.text, text, re.IGNORECASE):
            if is_line_of_content(_line_around(text, found)):
                return _short(found[0])
    return ""


def _line_around(text: str, found: re.Match[str] | None) -> str:
    """The line that holds a match, so that a placeholder elsewhere in a long section does not spoil it."""
    if found is None:
        return next((line for line in text.splitlines() if is_line_of_content(line)), "")
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end())
    return text[start : end if end >= 0 else len(text)]


def is_line_of_content(line: str) -> bool:
    """Whether a line is more than markup, and not a placeholder."""
    words = _WORD.findall(line)
    return not _MARKUP.match(line) and not PLACEHOLDER.search(line) and any(map(_says_something, words))


def _short(text: str, most: int = 60) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= most else one_line[: most - 1].rstrip() + "…"


def items_of(statements: Iterable[Statement]) -> list[Statement]:
    """Concrete single points: bullets and sentences of sections, elements of lists."""
    found: list[Statement] = []
    for statement in statements:
        lines = [line.strip(" \t-*+•|") for line in statement.text.splitlines()]
        parts = lines if len([line for line in lines if line]) > 1 else _SENTENCE.findall(statement.text)
        found += [
            Statement(key=statement.key, text=part.strip(), path=statement.path, line=statement.line)
            for part in parts
            if len(part.split()) > 1 and is_concrete(part)
        ]
    return found


def slot_verdict(
    slots: Sequence[Slot],
    statements: Iterable[Statement],
    level: Level,
    *,
    fix: str = "",
    note: str = "",
    where: Where | None = None,
) -> Verdict | None:
    """Filled of required / required, with what was understood and what is missing; None when not one slot is filled."""
    filled = fill(slots, statements)
    if not filled:
        return None
    got = ", ".join(f"{item.slot} ({item.words!r})" for item in filled)
    names = {item.slot for item in filled}
    missing = [slot.name for slot in slots if slot.name not in names]
    observed = f"{len(filled)} of {len(slots)}: {got}" + (f"; missing: {', '.join(missing)}" if missing else "")
    first = filled[0].statement
    return Verdict(
        outcome=Outcome.PARTIAL if missing else Outcome.PASS,
        level=level,
        observed=observed + (f"; {note}" if note else ""),
        value=Fraction(len(filled), len(slots)),
        where=where or Where(path=first.path, line=first.line),
        fix=fix or (f"state {', '.join(missing)}" if missing else ""),
    )
