"""What stays of a text at each level."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestar.core.compression.prose import clauses, graphemes, sentences, shorten, telegraphic
from mlestar.core.compression.views import view_of
from mlestar.core.tokens import Tokenizer

TOKENIZER = Tokenizer()
COUNT = TOKENIZER.count

NOTES = (
    "The team decided that the evaluation metric should be macro-F1 because the classes are very unbalanced.",
    "We did not use accuracy, since it is dominated by the majority class of 91.3% of the rows.",
    "It is stored in src/train.py, which was written by Anna on 2026-03-04, and the learning_rate is 0.001.",
    "I think that the model isn't ready for production yet, because the p95 latency is about 240 ms.",
    "There was a leak in the column cancel_date, so it has been removed from the features by the team.",
    "You should never shuffle the rows of this table: they are ordered by time and grouped by CustomerID.",
)
FACTS = (
    "metric macro-F1 classes unbalanced",
    "not accuracy majority 91.3%",
    "src/train.py Anna 2026-03-04 learning_rate 0.001",
    "isn't ready production p95 latency 240",
    "leak column cancel_date removed features",
    "never shuffle rows ordered time CustomerID",
)


def test_telegraphic_keeps_the_fact_words_and_saves_a_third_of_the_tokens() -> None:
    kept = total = 0
    for note, facts in zip(NOTES, FACTS, strict=True):
        short = telegraphic(note)
        kept += sum(word in short for word in facts.split())
        total += len(facts.split())
    assert kept / total >= 0.95
    assert sum(map(COUNT, map(telegraphic, NOTES))) <= 0.70 * sum(map(COUNT, NOTES))


@pytest.mark.parametrize("word", ["not", "never", "no", "without", "isn't", "cannot", "unless"])
def test_negations_stay(word: str) -> None:
    assert word in telegraphic(f"It is {word} the case that the model should be deployed to all of the users.").split()


@pytest.mark.parametrize(
    "text",
    [
        "Das Modell ist noch nicht bereit, weil die Latenz zu hoch ist und die Daten fehlen.",
        "\u6a21\u578b\u8fd8\u6ca1\u6709\u51c6\u5907\u597d\uff0c\u56e0\u4e3a\u5ef6\u8fdf\u592a\u9ad8\u3002",
    ],
)
def test_other_languages_skip_the_telegraphic_level(text: str) -> None:
    assert telegraphic(text) == text


def test_an_extract_is_about_half_and_keeps_most_fact_words() -> None:
    text = " ".join(NOTES)
    short = view_of(text, "note", 2, COUNT(text), COUNT)
    assert COUNT(short) <= 0.46 * COUNT(text)
    facts = " ".join(FACTS).split()
    assert sum(word in short for word in facts) / len(facts) >= 0.5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8) | st.just("long value " * 30),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=6), JSON, max_size=5) | st.lists(JSON, max_size=5), st.integers(1, 3))
def test_json_stays_valid_json_at_every_level(value: object, level: int) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    json.loads(view_of(text, "json", level, COUNT(text), COUNT))


def test_json_keeps_its_keys_and_short_values() -> None:
    report = {"auc": 0.91, "rows": 5000, "log": "line\n" * 400, "folds": list(range(50))}
    text = json.dumps(report, indent=2)
    short = json.loads(view_of(text, "json", 2, COUNT(text), COUNT))
    assert (short["auc"], short["rows"]) == (0.91, 5000)
    assert short["folds"][-1] == "\u2026 47 more"


def test_code_stays_code() -> None:
    code = (
        "import math\n\n\n"
        "class Model:\n    \n    def fit(self, x):\n\n        for row in x:\n            self.total += row\n"
        "        return self\n"
    )
    squeezed = view_of(code, "code", 1, COUNT(code), COUNT)
    assert ast.dump(ast.parse(squeezed)) == ast.dump(ast.parse(code))
    assert COUNT(squeezed) < COUNT(code)
    outline = view_of(code, "code", 2, COUNT(code), COUNT)
    assert "class Model:" in outline
    assert "self.total" not in outline


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])
    | st.sampled_from("\u0301\u200d\U0001f469\U0001f4bb\U0001f1e9\U0001f1ea .,!?\n\u3002"),
    max_size=120,
)


@settings(max_examples=120, deadline=None)
@given(TEXTS)
def test_sentences_and_clauses_join_to_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text
    assert "".join(clauses(text)) == text


@settings(max_examples=120, deadline=None)
@given(TEXTS, st.integers(3, 40))
def test_shortening_never_cuts_inside_a_grapheme(text: str, budget: int) -> None:
    short = shorten(text, budget, COUNT)
    if short != text:
        start = short.removesuffix("\u2026")
        assert text.startswith(start)
        assert graphemes(text)[: len(graphemes(start))] == graphemes(start)
        assert COUNT(short) <= budget
