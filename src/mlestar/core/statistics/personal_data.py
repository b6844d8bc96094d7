"""Personal data and sensitive attributes, by the shape of values and the names of columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_MIN_HITS = 3
_MIN_SHARE = 0.01  # [ours] a column is a container of such values, not one of chance
_CARD_SHARE = 0.5  # one in ten numbers of the right length has the check digit of a card by chance
_EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63})+\b")
_PHONE = re.compile(
    r"^\s*(?:\+|00)\d{1,3}[ ./-]?(?:\(?\d{1,5}\)?[ ./-]?){2,5}\d{2,4}\s*$|^\s*\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\s*$"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7} ?[A-Z0-9]{0,4}\b")
_CARD = re.compile(r"^\s*\d(?:[ -]?\d){12,18}\s*$")
_SOCIAL_SECURITY = re.compile(r"^\s*(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\s*$")
_FULL_NAME = re.compile(r"^\s*(?:[A-Z][\w'.-]+,? +){1,3}[A-Z][\w'.-]+\s*$")
_NAME_COLUMN = re.compile(
    r"(^|_)(first|last|full|middle|given|family|sur|maiden|patient|customer|person|user)_?name(_|$)|^names?$"
)
_IDENTITY_COLUMN = re.compile(
    r"(^|_)(ssn|passport(_?no|_?number)?|national_?id|tax_?id|social_security(_number)?|e_?mail|phone(_number)?|iban|street_address|home_address)(_|$)"
)
_SENSITIVE = re.compile(
    r"(^|_)(sex|gender|race|ethnic(ity)?|religion|nationality|national_origin|native_country|foreign_worker|disab\w+|"
    r"sexual_orientation|marital(_status)?|pregnan\w+|age|age_group|date_of_birth|dob|birth_?year|skin_colou?r)(_|$)"
)
_MASK = re.compile(r"^[\s*xX#•]+$|\*{3,}|[xX#•]{4,}|<[A-Z_]+>|^[0-9a-f]{32,128}$")


@dataclass(frozen=True, kw_only=True)
class PersonalData:
    """A column that holds personal data: what kind, in how many of the rows looked at, and the first of them.

    `masked`: the values are blanked or hashed. `certain`: False when only the column's name says so.
    """

    column: str
    kind: str
    count: int
    rows: tuple[int, ...]
    masked: bool = False
    certain: bool = True


def is_sensitive_name(name: str) -> bool:
    """Whether a column has the name of an attribute protected by law (EU Charter Art. 21, US Title VII)."""
    return bool(_SENSITIVE.search(_snake(name)))


def personal_data(frame: pd.DataFrame) -> Iterator[PersonalData]:
    """Columns with e-mail addresses, phone, card, account or identity numbers, or names of people.

    Check digits (Luhn for cards; ISO 13616 modulo 97 for IBAN) keep chance numbers out.
    """
    for name in map(str, frame.columns):
        column = frame[name]
        if column.dtype.kind in "bfcmM":
            continue
        present = column.notna().to_numpy()
        texts = [(row, str(value)) for row, value in enumerate(column) if present[row]]
        if texts:
            whole = column.dtype.kind in "iu"
            yield from _by_shape(name, texts, ("card number",) if whole else tuple(_DETECTORS)) or _by_name(name, texts)


def _by_shape(name: str, texts: list[tuple[int, str]], kinds: tuple[str, ...]) -> list[PersonalData]:
    for kind in kinds:
        matches, share = _DETECTORS[kind]
        rows = [row for row, text in texts if matches(text)]
        if len(rows) >= _MIN_HITS and len(rows) >= share * len(texts):
            return [PersonalData(column=name, kind=kind, count=len(rows), rows=tuple(rows[:5]))]
    return []


def _by_name(name: str, texts: list[tuple[int, str]]) -> list[PersonalData]:
    snake = _snake(name)
    is_name = bool(_NAME_COLUMN.search(snake))
    if not is_name and not _IDENTITY_COLUMN.search(snake):
        return []
    half = len(texts) / 2
    kind = "names" if is_name else "identity"
    if sum(bool(_MASK.search(text)) for _, text in texts) > half:
        return [PersonalData(column=name, kind=kind, count=len(texts), rows=(), masked=True)]
    looks = sum(bool(_FULL_NAME.match(text)) or text.istitle() for _, text in texts)
    if not is_name or looks <= half or len({text for _, text in texts}) <= half:
        return []
    certain = snake not in {"name", "names"}  # products have names too
    return [PersonalData(column=name, kind=kind, count=looks, rows=tuple(range(min(5, looks))), certain=certain)]


def _snake(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def luhn(text: str) -> bool:
    """Whether the digits of a card number add up (ISO/IEC 7812-1, annex B)."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004 - 2 x 5 has two digits
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether an account number has the right check digits (ISO 13616: modulo 97 is 1)."""
    match = _IBAN.search(text)
    if not match:
        return False
    plain = match[0].replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    return bool(_CARD.match(text)) and text.strip()[0] in "3456" and luhn(text)


_DETECTORS: dict[str, tuple[Callable[[str], bool], float]] = {
    "e-mail addresses": (lambda text: bool(_EMAIL.search(text)), _MIN_SHARE),
    "account number": (is_iban, _MIN_SHARE),
    "identity number": (lambda text: bool(_SOCIAL_SECURITY.match(text)), _MIN_SHARE),
    "phone number": (lambda text: bool(_PHONE.match(text)), _MIN_SHARE),
    "card number": (_is_card, _CARD_SHARE),
}
