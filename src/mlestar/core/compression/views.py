"""The view of a text at each level, by its kind."""

from __future__ import annotations

from mlestar.core.compression.prose import Count, extract, shorten, telegraphic
from mlestar.core.compression.structured import minified, pruned, signatures, squeezed
from mlestar.core.windows.entry import EXTRACT, STUB, TELEGRAPHIC

EXTRACT_SHARE = 0.45
"""Level 2 aims at this share of the tokens of the whole text (94.5% of the answer words stay there)."""
EXTRACT_TOKENS = 400
"""And never takes more than this, however long the text."""
STUB_TOKENS = 14
"""A first line that says what was here."""
PROSE_CHARACTERS = 200_000
"""Of a longer text only the beginning is searched for telling sentences; all of it stays in the archive."""


def view_of(text: str, kind: str, level: int, verbatim_tokens: int, count: Count) -> str:
    """`text` at `level` (1 telegraphic, 2 extract, 3 stub); level 0 is the text itself.

    `text` may itself be a view of a lower level: each level can be made from the one before.
    """
    if level == TELEGRAPHIC:
        return _telegraphic(text, kind)
    if level == EXTRACT:
        budget = max(8, min(EXTRACT_TOKENS, int(verbatim_tokens * EXTRACT_SHARE)))
        return _extract(text, kind, budget, count)
    if level == STUB:
        return pruned(text, STUB_TOKENS, count) or shorten(" ".join(text[:2000].split()), STUB_TOKENS, count)
    return text


def _telegraphic(text: str, kind: str) -> str:
    if kind == "code":
        return squeezed(text)
    shorter = minified(text)
    return telegraphic(text) if shorter is None else shorter


def _extract(text: str, kind: str, budget: int, count: Count) -> str:
    if kind == "code":
        return signatures(squeezed(text), budget, count)
    shorter = pruned(text, budget, count)
    if shorter is not None:
        return shorter
    shorter = telegraphic(text[:PROSE_CHARACTERS])
    return shorter if count(shorter) <= budget else extract(shorter, budget, count)
