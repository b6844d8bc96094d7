"""Turns what a caller hands in into the text of an entry, and long important texts into parts."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from mlestar.core.compression.prose import Count, clauses, graphemes, sentences
from mlestar.errors import InputTooLarge, InvalidInput

MOST_BYTES = 1 << 20
"""Largest text of one entry: 1 MiB of UTF-8."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_RECALLED = re.compile(r"\s*- \[#(\d+)(?:\.(\d+))? p\d~?\] ?(.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Content:
    """A text that can be stored, with what had to be changed to make it so."""

    text: str
    kind: str
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Identity of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_content(value: Any, kind: str) -> Content:
    """The text of any JSON value; a string is taken as it is.

    Raises:
        InvalidInput: empty or blank, or not JSON.
        InputTooLarge: over 1 MiB.
    """
    if isinstance(value, str):
        text = value
    else:
        try:
            text = "" if value is None else json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"The content is not JSON: {error}.", do="send text or a JSON value") from error
        kind = "json" if isinstance(value, dict | list) and kind == "note" else kind
    if len(text) > MOST_BYTES:
        raise _too_large(len(text))
    notes: list[str] = []
    text, surrogates = _SURROGATE.subn("\ufffd", text)
    if surrogates:
        notes.append(f"{surrogates} lone surrogates are no characters and were replaced with U+FFFD.")
    if "\0" in text:
        notes.append(f"{text.count(chr(0))} NUL characters were replaced with U+FFFD.")
        text = text.replace("\0", "\ufffd")
    if not text.strip():
        raise InvalidInput("The content is empty or blank; nothing was stored.", do="send text or a JSON value")
    if len(text.encode()) > MOST_BYTES:
        raise _too_large(len(text.encode()))
    if kind == "note" and _is_json(text):
        kind = "json"
    return Content(text=text, kind=kind, notes=tuple(notes))


def recalled(text: str) -> tuple[int, int, str] | None:
    """Entry, part and text when `text` is an entry copied out of a window, tag and all; else None."""
    match = _RECALLED.fullmatch(text)
    return (int(match[1]), int(match[2] or 0), match[3].replace("\n  ", "\n").strip()) if match else None


def part_limit(cap: int) -> int:
    """Most rendered tokens of one part of an important entry.

    First-fit over seven windows leaves in each less room than the piece that did not fit, so with pieces up to p at
    least 7 (cap - 64 - p) tokens are placed. p <= 320 at a cap of 4,000 places 25,312 of the 26,600 that 95% load
    means: 95%, whatever the sizes.
    """
    return max(64, min(320, int(cap * 0.0975) - 64))


def parts(text: str, limit: int, count: Count) -> list[str]:
    """The text in slices of at most `limit` tokens, cut at paragraphs, sentences, clauses, words; joined: the text."""
    return _pack(text, limit, count, 0)


_CUTS = (
    lambda text: re.findall(r"(?s).+?(?:\n\s*\n|$)", text),
    sentences,
    clauses,
    lambda text: re.findall(r"\S*\s*", text),
    graphemes,
)


def _pack(text: str, limit: int, count: Count, cut: int) -> list[str]:
    if count(text) <= limit or cut >= len(_CUTS):
        return [text]
    found: list[str] = []
    open_tokens = limit + 1
    for unit in filter(None, _CUTS[cut](text)):
        size = count(unit)
        if size > limit:
            found.extend(_pack(unit, limit, count, cut + 1))
            open_tokens = limit + 1
        elif open_tokens + size <= limit:
            found[-1] += unit
            open_tokens += size
        else:
            found.append(unit)
            open_tokens = size
    return found


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _too_large(size: int) -> InputTooLarge:
    return InputTooLarge(
        f"The content has {size:,} bytes; one entry holds at most {MOST_BYTES:,}.",
        do="split it, or store a summary and the file's path",
    )
