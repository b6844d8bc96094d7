"""Which English words carry grammar rather than content.

The lists are closed classes of English (articles, auxiliaries, pronouns, most prepositions and conjunctions), and
fillers. Negations are in none of them: dropping one turns a sentence into its opposite.
"""

from __future__ import annotations

import re

FUNCTION_WORDS = frozenset(
    """
    a an the this that these those there here it its itself he him his she her hers they them their theirs we us our
    ours you your yours i me my mine myself yourself himself herself themselves ourselves who whom whose which what
    am is are was were be been being do does did doing done have has had having will would shall should can could may
    might must ought 'm 're 've 'll 'd 's
    of to in on at by for with from into onto upon about as than and or but so if then because since while though
    although however therefore thus also too both either each such some any other another same own
    let lets let's i'm i've i'd i'll it's that's there's what's we're we've we'll you're you've you'll they're he's
    she's
    """.split()  # noqa: SIM905 - a list of a hundred quoted words is not easier to read
)
FILLERS = frozenset(
    """
    really very quite rather just simply basically actually literally essentially generally usually perhaps maybe
    please thanks thank okay ok well anyway indeed certainly definitely probably obviously clearly somewhat fairly
    pretty much even still already now hey hi hello oh um uh yeah yes sure
    """.split()  # noqa: SIM905 - as above
)
NEGATIONS = frozenset(
    """
    no not nor none never neither nothing nobody nowhere without cannot can't don't doesn't didn't won't wouldn't
    shouldn't couldn't isn't aren't wasn't weren't hasn't haven't hadn't mustn't unless except only
    """.split()  # noqa: SIM905 - as above
)
DROPPED = (FUNCTION_WORDS | FILLERS) - NEGATIONS
WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*(?:[._/-][^\W_]+)*", re.UNICODE)
"""A word with its apostrophes, and identifiers, versions and paths as one piece."""
ENGLISH_SHARE = 0.12
"""Running English text is a third to a half function words; notes drop to an eighth; other languages share few."""


def is_english(text: str) -> bool:
    """Whether the text reads as English, so that its function words are known."""
    words = [match[0].lower() for match in WORD.finditer(text[:4000])]
    if not words:
        return False
    return sum(word in FUNCTION_WORDS for word in words) / len(words) >= ENGLISH_SHARE


def is_telling(word: str) -> bool:
    """Whether a word is kept whatever its class: a number, a name or an identifier, a negation."""
    if not word.isalpha() and ("_" in word or any(character.isdigit() for character in word)):
        return True
    rest = word[1:]
    return rest != rest.lower() or word.lower() in NEGATIONS


def content_words(text: str) -> list[str]:
    """The words of a text that carry content, lower-cased, in order."""
    return [word for match in WORD.finditer(text) if (word := match[0].lower()) not in DROPPED]
