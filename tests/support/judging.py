"""Services for tests of the judge: an own data folder, and the one tokenizer that all tests share."""

from __future__ import annotations

from pathlib import Path

from mlestar.app import Services
from mlestar.settings import Settings
from support.boards import TOKENIZER


def services_over(data: Path, root: Path, *, cap_tokens: int = 4000, database_url: str = "") -> Services:
    """Services that keep in `data` and may read `root`; loading the vocabulary again would cost 0.3 s a test."""
    made = Services(Settings(data_dir=data, roots=(root,), window_cap_tokens=cap_tokens, database_url=database_url))
    made.tokenizer = TOKENIZER
    return made
