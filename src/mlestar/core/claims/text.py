"""What was said, as a flat list of (key, text, place): out of free JSON, Markdown and configuration alike.

A key is the words of the path to a value, in lower case: `batchSize` and `batch_size` are both `batch size`; the
heading above a paragraph is its key, and so is the label of a line such as `Goal: ...`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlestar.core.claims.languages import in_english

MOST_STATEMENTS = 5_000
MOST_CHARACTERS = 20_000
MOST_DEPTH = 12
LARGEST = 1e15
_LONGEST_LINE = 2_000
_LONGEST_WORD = 250
_TOO_LONG = re.compile(rf"(\S{{{_LONGEST_WORD}}})\S+")
_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-./:]+")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.{1,200}?)[ \t#]*$")
_LABELLED = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?(?:\*\*|__)?([^\W\d_][\w /()'&-]{1,60}?)(?:\*\*|__)?[ \t]*:(?:\*\*|__)?[ \t]+(\S.*)$"
)
_NEXT_LABEL = re.compile(r"(?<=[.;])[ \t]+(?=(?:\*\*|__)?[A-ZÀ-Þ][\w /()'&-]{1,60}?(?:\*\*|__)?:(?:\*\*|__)?[ \t])")
_ROW = re.compile(r"^[ \t]*\|?[ \t]*([^|]{1,80}?)[ \t]*\|[ \t]*(\S.*?)[ \t]*\|?[ \t]*$")
_RULE = re.compile(r"^[\s|:+=-]+$")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NUMBER = re.compile(
    r"\s*[~<>=≥≤]*\s*([+-]?(?:\d{1,3}(?:[,_ ]\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d{1,2})?)\s*(%|percent\b|k\b|m\b)?",
    re.IGNORECASE,
)
_UNITS = {"%": 0.01, "percent": 0.01, "k": 1e3, "m": 1e6}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One value under a key. `path` and `line` are empty for what came in a request."""

    key: str
    text: str
    value: object = None
    path: str = ""
    line: int | None = None


def readable(text: str) -> str:
    """A text with no word beyond 250 characters: what no prose has would cost its patterns minutes."""
    if len(text) <= _LONGEST_WORD or max(map(len, text.split()), default=0) <= _LONGEST_WORD:
        return text
    return _TOO_LONG.sub(r"\1", text)


def words_of(name: object) -> str:
    """A name as lower-case words, the titles of other languages in English."""
    return in_english(" ".join(_WORD_BORDER.sub(" ", str(name)).lower().split()))


def from_json(value: object, *, key: str = "", path: str = "") -> list[Statement]:
    """Flatten a JSON value; bounded in depth, number and length."""
    found: list[Statement] = []
    for statement in _flatten(value, key, path, 0):
        found.append(statement)
        if len(found) >= MOST_STATEMENTS:
            break
    return found


def _flatten(value: object, key: str, path: str, depth: int) -> Iterator[Statement]:
    if depth > MOST_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flatten(item, f"{key} {words_of(str(name)[:200])}".strip(), path, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flatten(item, key, path, depth + 1)
    elif value is not None:
        yield Statement(key=key, text=readable(str(value)[:MOST_CHARACTERS]), value=value, path=path)


def from_markdown(text: str, *, path: str) -> list[Statement]:
    """Sections, labelled lines and table rows of a document. Fenced code is part of its section's text."""
    reader = _MarkdownReader(path)
    plain = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    for number, line in enumerate(plain.splitlines(), 1):
        reader.read(number, line)
        if len(reader.found) >= MOST_STATEMENTS:
            break
    reader.close()
    return reader.found


class _MarkdownReader:
    """The section that is being read, and what was found so far."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[Statement] = []
        self._key = ""
        self._start = 1
        self._body: list[str] = []
        self._fenced = False

    def read(self, number: int, line: str) -> None:
        if line.lstrip().startswith(("```", "~~~")):
            self._fenced = not self._fenced
        readable = not self._fenced and len(line) <= _LONGEST_LINE
        heading = _HEADING.match(line) if readable else None
        if heading:
            self.close()
            self._key = words_of(heading[2])
            self._start = number
            return
        if readable and "|" in line and _RULE.match(line):
            self._forget_head_of_table(number)
        self._body.append(line)
        if not readable or _RULE.match(line):
            return
        parts = _NEXT_LABEL.split(line) if _LABELLED.match(line) else [line]
        for part in parts:
            labelled = _LABELLED.match(part) or (_ROW.match(part) if "|" in part else None)
            if labelled:
                self._add(words_of(re.sub(r"[*_`]", "", labelled[1])), labelled[2].strip("*_ "), number)

    def _forget_head_of_table(self, number: int) -> None:
        """The line above a rule names columns, and states nothing unless a number stands in it."""
        if self._body and "|" in self._body[-1] and not re.search(r"\d", self._body[-1]):
            self._body[-1] = ""
            while self.found and self.found[-1].line == number - 1:
                self.found.pop()

    def close(self) -> None:
        content = "\n".join(self._body).strip()
        if content:
            self._add(self._key, content[:MOST_CHARACTERS], self._start)
        self._body.clear()

    def _add(self, key: str, text: str, line: int) -> None:
        self.found.append(Statement(key=key, text=text, value=text, path=self.path, line=line))


def under(statements: Iterable[Statement], pattern: str) -> list[Statement]:
    """The statements whose key the pattern finds."""
    wanted = re.compile(pattern)
    return [statement for statement in statements if wanted.search(statement.key)]


_SHARED = re.compile(
    r"^(docs?|documentation|reports?|data|models?|cards?|conf\w*|plans?|design|adrs?|\.\w+|notebooks?|src|app|api|"
    r"deploy\w*|infra\w*|ops|mlops|monitoring|runbooks?)/"
)
"""Folders that speak of the whole project (ours)."""


def by_part(statements: Iterable[Statement]) -> list[list[Statement]]:
    """The statements of each part of a project: what is said of the whole, and beside it one top folder's.

    What five projects in one repository say is not the statement of any one of them.
    """
    known = list(statements)
    tops = {s.path.partition("/")[0]: None for s in known if "/" in s.path and not _SHARED.match(s.path)}
    whole = [s for s in known if "/" not in s.path or _SHARED.match(s.path)]
    return [[*whole, *(s for s in known if s.path.startswith(f"{top}/"))] for top in tops] or [whole]


def first_number(statements: Iterable[Statement], pattern: str) -> float | None:
    """The first number under a key that the pattern finds."""
    return next((n for s in under(statements, pattern) if (n := number_of(s.value)) is not None), None)


def number_of(value: object) -> float | None:
    """A number, or the one a text starts with (`92%` is 0.92, `10k` and `10,000 rows` are 10000); else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < LARGEST else None
    match = _NUMBER.match(str(value)[:200])
    if match is None:
        return None
    number = float(re.sub(r"[,_ ]", "", match[1]))
    return number * _UNITS.get((match[2] or "").lower(), 1.0) if abs(number) < LARGEST else None
