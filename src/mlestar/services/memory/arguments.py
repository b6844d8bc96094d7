"""What the windows' use cases are named by: workspaces, entry ids, keys."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from mlestar.errors import InvalidInput

MOST_KEY_CHARACTERS = 200
_WORKSPACE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ID = re.compile(r"#?(\d{1,15})(?:\.(\d{1,6}))?")


def checked_workspace(name: str) -> str:
    """A workspace name that can stand in a URI and a log line.

    Raises:
        InvalidInput: it cannot.
    """
    if _WORKSPACE.fullmatch(name):
        return name
    raise InvalidInput(
        f"{name[:80]!r} is not a workspace name.",
        valid=["1 to 64 of A-Z a-z 0-9 . _ -"],
        do="use default, or a name like churn-model",
    )


def parse_id(value: object) -> tuple[int, int]:
    """Entry and part of an id: `12`, `#12` or `12.1`.

    Raises:
        InvalidInput: it is none.
    """
    match = _ID.fullmatch(str(value).strip())
    if match and not isinstance(value, bool):
        return int(match[1]), int(match[2] or 0)
    raise InvalidInput(f"{str(value)[:80]!r} is not an entry id.", valid=["12", "#12", "12.1"])


def checked_key(key: str) -> str:
    """A key that fits its column.

    Raises:
        InvalidInput: it is too long.
    """
    if len(key) > MOST_KEY_CHARACTERS:
        raise InvalidInput(f"The key has {len(key)} characters.", valid=[f"up to {MOST_KEY_CHARACTERS} characters"])
    return key


def fingerprint_of(arguments: Sequence[object]) -> str:
    """Tells whether a retried request asks for the same."""
    return hashlib.sha256(json.dumps(arguments, default=str).encode()).hexdigest()
