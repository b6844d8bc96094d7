"""S3, data requirements: what the data is, where it comes from, and what of it a prediction may use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from mlestar.checks.registry import check
from mlestar.checks.stated import stated
from mlestar.core.claims.documents import CARD, DATA, PROBLEM, README
from mlestar.core.claims.slots import DATE, PLACEHOLDER, Slot, slot_verdict
from mlestar.core.evidence import Level, Outcome, Verdict

if TYPE_CHECKING:
    from mlestar.core.claims.text import Statement
    from mlestar.core.facts.collected import Facts

DATA_KEYS = r"\bdata(set|sets)?\b|composition|corpus"
DATA_SLOTS = (
    Slot(
        name="type",
        keys=rf"{DATA_KEYS}|\b(data type|modality)\b|^instances?$",
        value=r"[a-z]{3,}(?: [a-z]{3,}){0,3}",
    ),
    Slot(
        name="volume",
        keys=rf"{DATA_KEYS}|\b(size|volume|rows|samples|records|examples|instances)\b",
        value=r"\b\d[\d,_.]*\s*(?:k\b|m\b|million|thousand|rows|samples|records|images|posts|documents|examples|tokens|[gmt]b\b)|"
        r"\b(?:\d{3,}|\d{1,3}(?:[,_]\d{3})+)\s+[a-z]+|^\d{2,}$",
    ),
    Slot(
        name="labels",
        keys=r"\b(labels?|target|annotations?|annotators?|ground truth|labell?ing|classes)\b",
    ),
    Slot(
        name="source",
        keys=r"\b(sources?|origin|provider|collection|collected|provenance|download|url)\b",
        value=r"[a-z]{3}",
        text=r"\b(?:collected|scraped|exported|downloaded|obtained|sourced|taken|drawn) "
        r"(?:from|by|via|in) \w+[^.\n]{0,40}",
        within=DATA_KEYS,
    ),
    Slot(
        name="period",
        keys=r"\b(period|time ?frame|date range|collected between|temporal|coverage dates)\b",
        value=r"\d{4}",
        text=rf"\b(?:from|between|since)\s+(?:{DATE}|20\d\d|19\d\d)[^.\n]{{0,30}}",
        within=DATA_KEYS,
    ),
    Slot(
        name="licence",
        keys=r"\b(licen[cs]es?|terms of use|consent|usage rights)\b",
        text=r"\b(?:CC[- ]BY[\w.-]*|CC0|MIT|Apache[- ]2\.0|ODbL|public domain)\b",
        within=DATA_KEYS,
    ),
    Slot(
        name="personal data basis",
        keys=r"\b(pii|privacy|personal data|gdpr|legal basis|anonymi[sz]ation|sensitive|confidential\w*)\b",
        text=r"\b(?:anonymi[sz]ed|pseudonymi[sz]ed|no personal data|hashed|legitimate interest|consent(?:ed)?)\b",
        within=DATA_KEYS,
    ),
)
DATASHEET_SLOTS = (
    Slot(name="motivation", keys=r"\bmotivation\b|why .*(created|collected)"),
    Slot(name="composition", keys=r"\bcomposition\b|what .*instances"),
    Slot(name="collection process", keys=r"\bcollection( process)?\b|how .*(collected|acquired)"),
    Slot(name="preprocessing and labelling", keys=r"pre ?processing|cleaning|labell?ing|annotation"),
    Slot(name="uses", keys=r"\buses?\b|intended use"),
    Slot(name="distribution", keys=r"distribution|licen[cs]"),
    Slot(name="maintenance", keys=r"maintenance|maintained|updates?|versions?"),
)
PERSONAL = r"\b(?:social media|users?|customers?|patients?|employees?|posts|tweets|profiles|people|persons)\b"
FEATURE_FILE = (
    r"(feature|data)[_-]?(list|dictionary|schema|spec|catalog(ue)?|definitions?)|features?\.(ya?ml|json|toml|csv|md)$"
)
FEATURE_PARTS = {
    "type": r"^(d?type|kind|data ?type)$",
    "meaning": r"^(meaning|description|desc|doc|definition|comment)$",
    "owner or source": r"^(owner|source|team|origin|system|table)$",
    "available at prediction time": r"avail|prediction time|serving|online|known at|point in time",
}


@check("S3.1")
def data_set_is_documented(facts: Facts) -> Iterable[Verdict]:
    """The data set is documented: what it is, how much, labels, source, period, licence, personal data.

    Why: Data that nobody described is used for what it does not show.
    How: The seven sections of a datasheet, or seven slots of a short description, are looked for; the better counts.
    Threshold: pass at 6 or more of 7; otherwise k of 7.
    Source: Datasheets for Datasets (Gebru et al. 2021); EU AI Act Art. 10.
    Fix: Write a data sheet: type, volume, labels, source, period, licence, basis for personal data.
    Limits: Reads what is said of the data; the data itself is looked at by T1 and S3.4.
    """
    for level, statements in stated(facts, "scoping", DATA, README, CARD, PROBLEM):
        own = [s for s in statements if re.search(DATA, s.path, re.IGNORECASE)]
        said = [s for s in statements if not _is_licence_of_code(s)]
        note = _personal(statements) if level is Level.CLAIMED else ""
        candidates = [slot_verdict(DATA_SLOTS, said, level, note=note), slot_verdict(DATASHEET_SLOTS, own, level)]
        verdicts = [verdict for verdict in candidates if verdict is not None]
        if verdicts:
            yield _passing_from(max(verdicts, key=lambda verdict: verdict.v), int(facts.limit("S3.1", "pass")))


def _is_licence_of_code(statement: Statement) -> bool:
    """A README's licence is that of the code, unless it speaks of the data."""
    return (
        re.search(README, statement.path, re.IGNORECASE) is not None
        and re.search(DATA, statement.path, re.IGNORECASE) is None
        and re.search(r"licen[cs]", statement.key) is not None
        and re.search(r"\bdata|corpus", f"{statement.key} {statement.text}", re.IGNORECASE) is None
    )


def _passing_from(verdict: Verdict, enough: int) -> Verdict:
    if verdict.v < Fraction(enough, len(DATA_SLOTS)):
        return verdict
    return Verdict(
        outcome=Outcome.PASS, level=verdict.level, observed=verdict.observed, where=verdict.where, value=Fraction(1)
    )


def _personal(statements: list[Statement]) -> str:
    for statement in statements:
        found = re.search(PERSONAL, statement.text, re.IGNORECASE)
        if found and re.search(DATA_KEYS, statement.key):
            return f"{found[0]!r} points to personal data: name the basis it is processed on"
    return ""


@check("S3.3")
def features_are_described(facts: Facts) -> Iterable[Verdict]:
    """Each feature has a type, a meaning, an owner or source, and whether it exists at prediction time.

    Why: A feature that is not yet known when the prediction is made leaks the answer; nobody notices without a list.
    How: A feature list is looked for (a YAML, JSON or TOML file of features); with the training data, its names are
        compared with the columns.
    Threshold: pass all features with all four parts, partial 80% or more; less fails.
    Source: Rules of Machine Learning, rule 11: give feature columns owners and documentation; Kapoor and Narayanan
        2023, leakage type L2.
    Fix: Commit a feature list with type, meaning, owner and available_at_prediction for each column.
    Limits: Whether the stated availability is true cannot be seen in the list.
    """
    project = facts.project
    if project is None:
        return
    for path, document in project.parsed():
        if not re.search(FEATURE_FILE, path, re.IGNORECASE):
            continue
        features = _features(document)
        if not features:
            continue
        described = [name for name, parts in features.items() if _complete(parts)]
        share = len(described) / len(features)
        columns = _columns(facts)
        absent = sorted(columns - set(features))
        observed = f"{len(described)} of {len(features)} features have type, meaning, owner and availability"
        if absent:
            share = len(described) / len(set(features) | columns)
            observed += f"; not listed: {', '.join(absent[:5])}"
        yield Verdict(
            outcome=Outcome.PASS
            if share == 1
            else Outcome.PARTIAL
            if share >= facts.limit("S3.3", "partial")
            else Outcome.FAIL,
            level=Level.INSPECTED if columns and not absent else Level.DOCUMENTED,
            observed=observed,
            where=project.where(path, column=absent[0] if absent else ""),
        )
        return


def _columns(facts: Facts) -> set[str]:
    if facts.data is None or facts.data.train is None:
        return set()
    return {str(column) for column in facts.data.train.frame.columns} - {facts.data.target}


def _features(document: object) -> dict[str, dict[str, str]]:
    """Feature name -> its parts, of a mapping of mappings or a list of mappings with a name."""
    if isinstance(document, dict):
        for key in ("features", "columns", "fields"):
            if isinstance(document.get(key), dict | list):
                return _features(document[key])
        return {
            str(name): {str(k).lower().replace("_", " "): str(v) for k, v in parts.items()}
            for name, parts in document.items()
            if isinstance(parts, dict)
        }
    if isinstance(document, list):
        return {
            str(item["name"]): {str(k).lower().replace("_", " "): str(v) for k, v in item.items()}
            for item in document
            if isinstance(item, dict) and "name" in item
        }
    return {}


def _complete(parts: dict[str, str]) -> bool:
    return all(
        any(re.search(pattern, key) and value.strip() and not PLACEHOLDER.search(value) for key, value in parts.items())
        for pattern in FEATURE_PARTS.values()
    )
