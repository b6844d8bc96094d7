"""Reading: windows, entries, queries, an overview; budgets, pages and hostile input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlestar.core.compression.prose import graphemes
from mlestar.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from mlestar.services.windows import WindowsService

CONVERSATION = (
    ("Where did Anna store the preprocessing script?", "It lives in src/prep/clean.py since March."),
    ("Which seed do we use for the folds?", "Seed 1729, agreed on Monday."),
    ("How long may a prediction take?", "At most 240 ms at the 95th percentile."),
    ("Who owns the on-call rota?", "Priya does, until the end of May."),
)


async def fill(windows: WindowsService) -> None:
    """Write a conversation, and what could be taken for it."""
    for question, answer in CONVERSATION:
        await windows.update(window=6, content=question)
        await windows.update(window=6, content=answer)
    for at in range(40):
        await windows.update(window=7, content=f"Run {at} finished with accuracy 0.{at:02d} on fold {at % 5}.")


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("where is Anna's preprocessing script stored", "src/prep/clean.py"),
        ("seed for folds", "1729"),
        ("latency limit of a prediction", "240 ms"),
        ("who is on call", "Priya"),
        ("clean.py", "src/prep/clean.py"),
    ],
)
async def test_a_natural_query_finds_the_answer_beside_its_question(
    windows: WindowsService, query: str, answer: str
) -> None:
    await fill(windows)
    found = (await windows.read(query=query)).entries
    assert any(answer in entry.text for entry in found[:5])
    assert [entry.score for entry in found] == sorted((entry.score for entry in found), reverse=True)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("\u6211\u4eec\u7528\u5b8f\u5e73\u5747\u4f5c\u4e3a\u8bc4\u4ef7\u6307\u6807", "\u8bc4\u4ef7"),
        ("\u30e2\u30c7\u30eb\u306e\u7cbe\u5ea6\u306f\u5341\u5206", "\u7cbe\u5ea6"),
        ("\u0e42\u0e21\u0e40\u0e14\u0e25\u0e1e\u0e23\u0e49\u0e2d\u0e21", "\u0e1e\u0e23\u0e49\u0e2d\u0e21"),
        (
            "\u041c\u043e\u0434\u0435\u043b\u044c \u043d\u0435 \u0433\u043e\u0442\u043e\u0432\u0430",
            "\u043c\u043e\u0434\u0435\u043b\u044c",
        ),
        ("Das Mod\u00e8le est pr\u00eat", "modele"),
        ("\u6a21\u578b\u5f88\u5927", "\u5927"),
        ("set max_depth to 7", "depth"),
        ("the learningRate is 0.001", "learning rate 0.001"),
    ],
)
async def test_every_script_and_identifier_is_found_by_a_part_of_it(
    windows: WindowsService, text: str, query: str
) -> None:
    await fill(windows)
    await windows.update(window=2, content=text)
    assert text in [entry.text for entry in (await windows.read(query=query)).entries]


@pytest.mark.parametrize(
    "query",
    [
        *("AND (", '"', "*", "NEAR(a b)", "own:", "a\0b", "^", "   ", "\ud800", "the of and", "{}", "'"),
        *("-1 OR 1=1; DROP TABLE entries", "x" * 100_000, "word " * 20_000),
    ],
)
async def test_a_hostile_query_is_data(windows: WindowsService, query: str) -> None:
    await fill(windows)
    await windows.read(query=query)
    assert (await windows.report()).entries > 0


async def test_an_archived_entry_is_found_and_says_so(windows: WindowsService) -> None:
    await windows.update(window=3, content="The zebra slice has recall 0.31")
    await windows.update(window=3, mode="replace", content="new start")
    await windows.compact(ids=["2"], summary="start")
    found = (await windows.read(query="start")).entries
    assert {entry.state for entry in found} == {"live", "archived"}
    assert next(entry for entry in found if entry.state == "archived").shown_in == 0


async def test_a_query_can_be_held_to_a_window_and_a_priority(windows: WindowsService) -> None:
    await windows.update(window=1, content="leak rule one", priority=5)
    await windows.update(window=2, content="leak rule two", priority=3)
    assert [entry.id for entry in (await windows.read(query="leak", window=2)).entries] == ["2"]
    assert [entry.id for entry in (await windows.read(query="leak", min_priority="high")).entries] == ["1"]


async def test_the_best_piece_of_a_long_entry_is_returned_with_its_place(windows: WindowsService) -> None:
    filler = "Nothing of note happened in this part of the log. " * 200
    text = filler + "The zebra column leaks the target. " + filler
    await windows.update(window=7, content=text)
    (entry,) = (await windows.read(query="zebra leaks")).entries
    assert "zebra" in entry.text
    assert len(entry.text) < 2000
    assert text[entry.offset :].startswith(entry.text)


async def test_an_entry_is_paged_byte_for_byte_within_the_budget(windows: WindowsService) -> None:
    text = "\U0001f469\u200d\U0001f4bb caf\u00e9 \u6a21\u578b " * 3000
    await windows.update(window=7, content=text)
    pages: list[str] = []
    offset = 0
    while offset >= 0:
        page = await windows.read(id="1", offset=offset, budget_tokens=5000)
        assert page.tokens <= 5000
        pages.append(page.entries[0].text)
        offset = page.entries[0].next_offset
    assert "".join(pages) == text
    assert sum(len(graphemes(page)) for page in pages) == len(graphemes(text))
    assert await windows.entry_text(id="1") == text


async def test_a_window_is_paged_within_the_budget(windows: WindowsService) -> None:
    for at in range(60):
        await windows.update(window=3, content=f"Slice {at} has recall 0.{at:02d} on the rows of that region.")
    seen: list[str] = []
    offset = 0
    while offset >= 0:
        page = await windows.read(window=3, offset=offset, budget_tokens=600)
        assert page.tokens <= 600
        seen += [entry.id for entry in page.entries]
        offset = page.next_offset
    assert seen == [str(at) for at in range(1, 61)]


async def test_no_reply_passes_20000_tokens(windows: WindowsService) -> None:
    for window in range(1, 8):
        for at in range(20):
            await windows.update(window=window, content=f"Window {window} line {at} with some words beside it " * 18)
    for window, query in ((0, ""), (0, "window line words"), (3, "")):
        reply = await windows.read(window=window, query=query, limit=100, budget_tokens=10**9)
        assert 3000 < reply.tokens <= 20_000


async def test_the_overview_shows_the_use_of_all_windows_and_what_matters_most(windows: WindowsService) -> None:
    await windows.update(window=7, content="scratch", priority=0)
    await windows.update(window=1, content="the goal", priority=5)
    overview = await windows.read()
    assert [use.window for use in overview.windows] == list(range(1, 8))
    assert [entry.text for entry in overview.entries] == ["the goal", "scratch"]


async def test_an_unknown_workspace_reads_as_empty(windows: WindowsService) -> None:
    reply = await windows.read(workspace="nobody-yet", query="x")
    assert (reply.entries, reply.total, reply.version) == ((), 0, 0)
    assert await windows.window_text(workspace="nobody-yet", window=1) == ""


@pytest.mark.parametrize("entry_id", ["99", "1.5"])
async def test_an_unknown_id_says_which_ids_there_are(windows: WindowsService, entry_id: str) -> None:
    await windows.update(window=1, content="only one")
    with pytest.raises(NotFound, match="1 to 1"):
        await windows.read(id=entry_id)


@pytest.mark.parametrize("arguments", [{"id": "x"}, {"window": 9}, {"offset": -1}, {"min_priority": 8}])
async def test_a_wrong_value_is_refused(windows: WindowsService, arguments: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        await windows.read(**arguments)  # pyright: ignore[reportArgumentType] - wrong on purpose
