"""Counting tokens from the shipped vocabularies."""

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken import Encoding

from mlestar.core import tokens
from mlestar.core.tokens import Tokenizer, estimate, pieces

O200K = Tokenizer()
CL100K = Tokenizer("cl100k_base")

KNOWN = [
    (O200K, "hello world", 2),
    (O200K, "antidisestablishmentarianism", 6),
    (CL100K, "hello world", 2),
    (CL100K, "tiktoken is great!", 6),
    (O200K, "", 0),
]


@pytest.mark.parametrize(("tokenizer", "text", "count"), KNOWN)
def test_counts_are_those_published_for_the_encoding(tokenizer: Tokenizer, text: str, count: int) -> None:
    assert tokenizer.count(text) == count


def test_a_count_never_touches_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the tokenizer opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert Tokenizer().count("no download") == 2
    assert Tokenizer("cl100k_base").count("no download") == 2


def test_special_token_text_is_plain_text() -> None:
    assert O200K.count("<|endoftext|>") > 1


@pytest.mark.parametrize("text", [" " * 1_000_000, "a" * 300_000, "\u0007" * 100_000, "\ud800"])
def test_texts_that_break_tokenizers_are_counted(text: str) -> None:
    assert O200K.count(text) >= 1


def test_pieces_are_cut_at_spaces_and_join_to_the_text() -> None:
    text = "word " * 30_000 + "x" * 70_000
    cut = list(pieces(text))
    assert "".join(cut) == text
    assert max(map(len, cut)) <= tokens.PIECE_CHARACTERS
    assert cut[1].startswith(" ")


@pytest.mark.parametrize("run", [" ", "\n", "\t", "a", "0", "\u00a0", "\ud800", "\x00", "e\u0301"])
def test_a_million_of_one_character_are_counted_exactly(run: str) -> None:
    tokenizer = Tokenizer()
    assert tokenizer.count(run * (1_000_000 // len(run))) > 0
    assert tokenizer.name == "o200k_base"


def test_a_text_that_the_library_refuses_is_estimated_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object, text: str) -> list[int]:
        raise ValueError(text)

    monkeypatch.setattr(Encoding, "encode_ordinary", refuse)
    tokenizer = Tokenizer()
    assert tokenizer.count("some words") == estimate("some words")
    assert tokenizer.name == "estimate"


def test_a_missing_vocabulary_gives_a_flagged_estimate() -> None:
    tokenizer = Tokenizer("no_such_vocabulary")
    assert tokenizer.count("Nothing was loaded here.") == estimate("Nothing was loaded here.")
    assert tokenizer.is_estimate
    assert tokenizer.name == "estimate"


@pytest.mark.parametrize(
    "text",
    [
        "The model reached macro-F1 0.83 on the held-out rows of 2026-03-04.",
        "def fit(x, y):\n    return solver(alpha=0.1).fit(x, y)\n",
        "\u673a\u5668\u5b66\u4e60\u6a21\u578b\u7684\u51c6\u786e\u7387",
    ],
)
def test_the_estimate_is_on_the_safe_side_of_ordinary_text(text: str) -> None:
    assert estimate(text) >= O200K.count(text)


ENTRY_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.lists(ENTRY_TEXT, min_size=1, max_size=5))
def test_tokens_of_rendered_entries_add_up_exactly(texts: list[str]) -> None:
    from mlestar.core.windows.rendering import body

    for tokenizer in (O200K, CL100K):
        parts = [piece for at, text in enumerate(texts) for piece in (f"- [#{at} p4]", body(text))]
        assert sum(map(tokenizer.count, parts)) == tokenizer.count("".join(parts))
