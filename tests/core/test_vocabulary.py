"""Counting word by word gives tiktoken's counts, in a seventh of its memory."""

import lzma
import sys
from functools import cache
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken import Encoding

from mlestar.core.tokens import PATTERNS, Tokenizer
from mlestar.core.vocabulary import LONGEST_WORD, Vocabulary

ENCODINGS = tuple(PATTERNS)
OURS = {name: Tokenizer(name) for name in ENCODINGS}


def packed(name: str) -> bytes:
    """A vocabulary's file, unpacked."""
    return lzma.decompress(files("mlestar.data").joinpath("vocab", f"{name}.xz").read_bytes())


def tokens(raw: bytes) -> list[bytes]:
    """The tokens of a vocabulary in the order of their ranks."""
    count = int.from_bytes(raw[:4], "big")
    found: list[bytes] = []
    start = 4 + count
    for length in raw[4 : 4 + count]:
        found.append(raw[start : start + length])
        start += length
    return found


@cache
def reference(name: str) -> Encoding:
    """The library that the models' makers publish, with the same ranks."""
    ranks = {token: rank for rank, token in enumerate(tokens(packed(name)))}
    return Encoding(name=name, pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens={})


TEXTS = {
    "prose": "The model's macro-F1 rose to 0.8312 on 12,500 held-out rows; we DON'T know why, they'll check. " * 20,
    "code": "def fit(x, y):\n    '''Fit.'''\n\n    return solver(alpha=1e-3, n_jobs=-1).fit(x[:, 1:], y)\n\t\n" * 20,
    "scripts": "机器学习模型的准确率 точность модели मॉडल الدقة モデルの精度 chính xác 정확도 ศูนย์ ﬁnal e\u0301",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea ok\ufe0f",
    "white space": "a  b   c \t\n \r\n\r\n  d    \n\n   e\u00a0f\u3000g   ",
    "one long word": "antidisestablishmentarianismpneumonoultramicroscopicsilicovolcanoconiosis" * 10,
    "digits and signs": "3.14159265358979 {[(<!--=>&&||::...~~~---___)]}' 1234567890 $%^&*@#/\\ https://x.y/z?q=1#a",
    "a lone surrogate": "before \ud800 after \udfff",
    "one character": "a" * LONGEST_WORD,
}


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_kind_of_text_counts_as_the_published_library_counts_it(name: str, text: str) -> None:
    assert OURS[name].count(text) == len(reference(name).encode_ordinary(text))


# Letters of a fixed Unicode version: the two libraries split characters newer than that by their own tables.
SETTLED = st.characters(codec="utf-8", exclude_categories=["Cn", "Co"], max_codepoint=0x2FFF)
GATHERED = st.lists(st.one_of(st.text("abcdeinorst ", max_size=40), st.text(SETTLED, max_size=20)), max_size=6)


@settings(max_examples=300, deadline=None)
@given(GATHERED.map("".join))
def test_any_text_counts_as_the_published_library_counts_it(text: str) -> None:
    for name in ENCODINGS:
        assert OURS[name].count(text) == len(reference(name).encode_ordinary(text))


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_token_has_its_rank_and_nothing_else_has_one(name: str) -> None:
    raw = packed(name)
    vocabulary = Vocabulary(raw)
    listed = tokens(raw)
    assert all(vocabulary.rank(token) == rank for rank, token in enumerate(listed[::37]) for rank in (rank * 37,))
    assert vocabulary.rank(b"no token has these words in it") == -1
    assert vocabulary.rank(b"x" * 1000) == -1
    assert vocabulary.rank(b"") == -1


def test_a_word_longer_than_any_language_has_is_counted_in_slices() -> None:
    word = "a" * (3 * LONGEST_WORD + 5)
    whole = OURS["o200k_base"].count(word)
    assert whole == 3 * OURS["o200k_base"].count("a" * LONGEST_WORD) + OURS["o200k_base"].count("aaaaa")


@pytest.mark.parametrize("cut", [0, 3, 4, 100_000, -1])
def test_a_vocabulary_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="cut short"):
        Vocabulary(packed("cl100k_base")[:cut])


def test_a_vocabulary_takes_a_seventh_of_the_libraries_memory() -> None:
    vocabulary = Vocabulary(packed("o200k_base"))
    held = [value for value in vars(vocabulary).values() if not callable(value)]
    assert sum(map(sys.getsizeof, held)) < 6_000_000
