"""Finds credentials by the formats that their providers give them; never by entropy, which takes hashes for keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

PROVIDERS = {
    "AWS access key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}\b",
    "Slack token": r"\bxox[abeprs]-[A-Za-z0-9-]{20,}\b",
    "Slack webhook": r"https://hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}",
    "Google API key": r"\bAIza[A-Za-z0-9_-]{35}\b",
    "Stripe key": r"\b[sr]k_live_[A-Za-z0-9]{20,}\b",
    "OpenAI key": r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}|\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b",
    "Anthropic key": r"\bsk-ant-[A-Za-z0-9_-]{40,}",
    "Hugging Face token": r"\bhf_[A-Za-z]{34}\b",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI token": r"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "SendGrid key": r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b",
    "Databricks token": r"\bdapi[0-9a-f]{32}\b",
    "DigitalOcean token": r"\bdo[opr]_v1_[0-9a-f]{64}\b",
    "Azure storage key": r"AccountKey=[A-Za-z0-9+/]{86}==",
    "Telegram bot token": r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b",
    "Twilio key": r"\bSK[0-9a-f]{32}\b(?=[\"'\s])",
    "private key": (
        r"-----BEGIN (?:(?:RSA|EC|DSA|OPENSSH|ENCRYPTED|PGP) )?PRIVATE KEY(?: BLOCK)?-----"
        r"\s*(?:\\n)?[A-Za-z0-9+/=\\:\s-]{40,}"
    ),
}
"""Name -> pattern, after each provider's published format and detect-secrets' list of detectors."""
_ANY = re.compile("|".join(f"(?P<p{number}>{pattern})" for number, pattern in enumerate(PROVIDERS.values())))
_HINT = re.compile(
    r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|hooks\.slack|AIza|k_live_|sk-|hf_|npm_|pypi-|SG\.|dapi|"
    r"do[opr]_v1_|AccountKey|:AA|SK[0-9a-f]|PRIVATE KEY"
)
_EXAMPLE = re.compile(r"EXAMPLE|example|xxxx|XXXX|0000000|1234567890|abcdefghij|placeholder|your[_-]|dummy|<|\*\*\*")
_MADE_UP = re.compile(r"dummy|fake|placeholder", re.IGNORECASE)
_BESIDE = 200
"""Characters before a private key in which its account calls itself made up."""
_NAMES = tuple(PROVIDERS)


_BEFORE, _AFTER = 30, 300
"""Characters around a hint that hold the whole of any credential, or enough of a private key."""


def _near_hints(text: str) -> Iterator[re.Match[str]]:
    """Matches around the hints: going through a long text with every pattern would take a hundred times as long."""
    start = end = 0
    for hint in _HINT.finditer(text):
        if hint.start() - _BEFORE > end:
            yield from _ANY.finditer(text, start, end)
            start = hint.start() - _BEFORE
        end = hint.end() + _AFTER
    yield from _ANY.finditer(text, max(start, 0), end)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A credential in a text; `shown` hides the secret part, `said_to_be_fake` is what stands beside a private key."""

    provider: str
    line: int
    shown: str
    said_to_be_fake: bool


def find_secrets(text: str) -> Iterator[Secret]:
    """Each credential in a text, in its order."""
    for match in _near_hints(text):
        found = match[0]
        if _EXAMPLE.search(found) or len(set(found[-20:])) < 6:  # noqa: PLR2004 - a run of few characters is a stand-in
            continue
        name = _NAMES[int(str(match.lastgroup)[1:])]
        key = name == "private key"
        yield Secret(
            provider=name,
            line=text.count("\n", 0, match.start()) + 1,
            shown=found.splitlines()[0][:30] if key else f"{found[:8]}…({len(found)} characters)",
            said_to_be_fake=key and bool(_MADE_UP.search(text, max(0, match.start() - _BESIDE), match.start())),
        )
