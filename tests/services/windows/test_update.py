"""Every mode of a write, its receipt, and every way it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.errors import Conflict, InputTooLarge, InvalidInput, MlestarError, NotFound

if TYPE_CHECKING:
    from mlestar.services.windows import WindowsService
    from support.clock import Clock


async def ids_in(windows: WindowsService, window: int) -> list[str]:
    """Ids of what a window shows."""
    return [entry.id for entry in (await windows.read(window=window)).entries]


def bytes_under(folder: Path) -> str:
    """Everything the database's files hold, readable or not."""
    return "".join(path.read_bytes().decode("latin-1") for path in sorted(folder.glob("memory.db*")))


async def test_a_write_answers_with_id_version_and_use(windows: WindowsService) -> None:
    receipt = await windows.update(window="Scoping", content="Predict churn, macro-F1 >= 0.8")
    assert (receipt.workspace, receipt.version, receipt.status, receipt.ids) == ("default", 1, "stored", ("1",))
    (use,) = receipt.windows
    assert (use.window, use.name, use.cap, use.version) == (1, "Scoping", 4000, 1)
    assert use.used == 64 + windows.tokenizer.count("- [#1 p5] Predict churn, macro-F1 >= 0.8\n")
    assert receipt.tokenizer == "o200k_base"


async def test_the_same_text_is_merged_with_the_highest_priority(windows: WindowsService) -> None:
    await windows.update(window=7, content="p95 is 240 ms", priority=2)
    receipt = await windows.update(window=7, content="p95 is 240 ms", priority=4)
    assert (receipt.status, receipt.merged_into) == ("merged", "1")
    (entry,) = (await windows.read(window=7)).entries
    assert entry.priority == 4
    await windows.update(window=3, content="p95 is 240 ms")
    assert await ids_in(windows, 3) == ["2"]


async def test_recalled_text_written_back_with_its_tag_is_merged(windows: WindowsService) -> None:
    await windows.update(window=2, content="Group split by customer_id\nnever shuffle")
    copied = (await windows.window_text(window=2)).split("\n", 1)[1]
    assert (await windows.update(window=7, content=copied)).merged_into == "1"


async def test_an_archived_entry_written_again_comes_back_verbatim(make: Callable[[int], WindowsService]) -> None:
    windows = make(256)
    await windows.update(window=7, content="The first note of all, about the leak in cancel_date", priority=1)
    for at in range(12):
        await windows.update(window=7, content=f"Run {at} had accuracy 0.{at} on the held-out rows of the fold")
    assert (await windows.read(id="1")).entries[0].state == "archived"
    receipt = await windows.update(window=7, content="The first note of all, about the leak in cancel_date", priority=4)
    assert receipt.merged_into == "1"
    entry = (await windows.read(id="1")).entries[0]
    assert (entry.state, entry.level, entry.priority) == ("live", 0, 4)


async def test_the_same_key_supersedes_and_links(windows: WindowsService) -> None:
    await windows.update(window=1, key="goal", content="Goal: AUC 0.8")
    receipt = await windows.update(window=1, key="goal", content="Goal: AUC 0.9")
    assert receipt.superseded == ("1",)
    assert await ids_in(windows, 1) == ["2"]
    old = (await windows.read(id="1")).entries[0]
    assert (old.state, old.superseded_by, old.text) == ("superseded", "2", "Goal: AUC 0.8")
    assert [entry.id for entry in (await windows.read(query="goal AUC")).entries] == ["2"]


async def test_replace_by_id_and_of_a_whole_window_spares_what_is_pinned(windows: WindowsService) -> None:
    for text in ("alpha one", "beta two", "gamma three"):
        await windows.update(window=3, content=text)
    await windows.update(window=3, mode="replace", id="2", content="beta again")
    assert await ids_in(windows, 3) == ["1", "3", "4"]
    await windows.update(window=3, mode="pin", id="1")
    receipt = await windows.update(window=3, mode="replace", content="all new")
    assert await ids_in(windows, 3) == ["1", "5"]
    assert receipt.superseded == ("3", "4")
    assert await windows.entry_text(id="3") == "gamma three"


async def test_pin_and_unpin(windows: WindowsService) -> None:
    await windows.update(window=7, content="keep me", priority=1)
    await windows.update(window=7, mode="pin", id="#1")
    assert (await windows.read(id="1")).entries[0].pinned
    await windows.update(window=7, mode="unpin", id="1")
    assert not (await windows.read(id="1")).entries[0].pinned
    await windows.update(window=7, mode="remove", id="1")
    with pytest.raises(Conflict, match="restore it first"):
        await windows.update(window=7, mode="pin", id="1")


async def test_a_removed_entry_is_found_by_id_only_and_restored(windows: WindowsService) -> None:
    await windows.update(window=2, content="Drop the zebra column")
    await windows.update(window=2, mode="remove", id="1")
    assert await ids_in(windows, 2) == []
    assert (await windows.read(query="zebra")).total == 0
    assert (await windows.read(id="1")).entries[0].state == "removed"
    await windows.restore(id="1")
    assert await ids_in(windows, 2) == ["1"]
    assert (await windows.read(query="zebra")).total == 1


async def test_a_purged_entry_leaves_a_tombstone_and_no_byte_of_its_text(
    windows: WindowsService, tmp_path: Path
) -> None:
    await windows.update(window=2, content="secretword stands here")
    await windows.update(window=2, content="The next note")
    await windows.purge(id="1")
    for query in ("secretword", "stands"):
        assert (await windows.read(query=query)).total == 0
    with pytest.raises(NotFound, match="purged"):
        await windows.read(id="1")
    with pytest.raises(Conflict, match="purged"):
        await windows.restore(id="1")

    windows.database.close()
    assert "secretword" not in bytes_under(tmp_path)
    assert [event.action for event in await windows.history(id="1")] == ["purged", "written"]


async def test_an_entry_expires_at_its_time(windows: WindowsService, clock: Clock) -> None:
    await windows.update(window=7, content="Only for a minute", ttl_s=60)
    await windows.update(window=7, content="For good")
    clock.now += 61
    assert await ids_in(windows, 7) == ["2"]
    receipt = await windows.update(window=7, content="Another")
    assert receipt.expired == ("1",)
    assert "minute" not in await windows.window_text(window=7)
    assert (await windows.read(id="1")).entries[0].state == "expired"


async def test_compacted_originals_stay_archived_linked_and_searchable(windows: WindowsService) -> None:
    await windows.update(window=3, content="AUC was 0.71 on fold one", priority=4)
    await windows.update(window=3, content="AUC was 0.74 on fold two")
    receipt = await windows.compact(ids=["1", "2"], summary="AUC rose to 0.74")
    assert await ids_in(windows, 3) == list(receipt.ids) == ["3"]
    assert (await windows.read(id="3")).entries[0].priority == 4
    assert (await windows.read(id="1")).entries[0].superseded_by == "3"
    assert {entry.id for entry in (await windows.read(query="fold one")).entries} >= {"1"}
    assert receipt.important_retention == 1.0


async def test_a_stale_version_is_a_conflict_that_names_what_changed(windows: WindowsService) -> None:
    await windows.update(window=1, content="first")
    await windows.update(window=1, content="second", expected_version=1)
    with pytest.raises(Conflict) as refused:
        await windows.update(window=1, content="third", expected_version=1)
    assert refused.value.details == {"current": 2, "changed": ["2"]}
    assert await ids_in(windows, 1) == ["1", "2"]


async def test_a_retried_request_gets_the_same_receipt_and_stores_once(windows: WindowsService) -> None:
    first = await windows.update(window=7, content="once", request_id="r-1")
    assert await windows.update(window=7, content="once", request_id="r-1") == first
    assert (await windows.read()).version == 1
    with pytest.raises(Conflict, match="another write"):
        await windows.update(window=7, content="other", request_id="r-1")


async def test_replies_are_forgotten_after_a_week(windows: WindowsService, clock: Clock) -> None:
    await windows.update(window=7, content="once", request_id="r-1")
    clock.now += 8 * 24 * 3600
    for at in range(256):
        await windows.update(window=7, content=f"filler {at}", priority=0)
    assert (await windows.update(window=7, content="other", request_id="r-1")).status == "stored"


async def test_findings_of_a_window_are_replaced_by_key(windows: WindowsService) -> None:
    await windows.update(window=2, content="A note of the agent stays")
    old = [
        {"key": "T1.3", "text": "T1.3 fail: leak", "priority": 4},
        {"key": "T1.5", "text": "T1.5 pass", "priority": 3},
    ]
    await windows.replace_findings(window=2, items=old)
    new = [{"key": "T1.3", "text": "T1.3 pass: no leak", "priority": 3}]
    receipt = await windows.replace_findings(window=2, items=new)
    shown = (await windows.read(window=2)).entries
    assert [entry.text for entry in shown] == ["A note of the agent stays", "T1.3 pass: no leak"]
    assert receipt.version == 3
    same = await windows.replace_findings(window=2, items=new)
    assert (same.merged_into, same.superseded) == ("4", ())


async def test_workspaces_do_not_mix(windows: WindowsService) -> None:
    await windows.update(workspace="a", window=1, content="zebra in a")
    await windows.update(workspace="b", window=1, content="zebra in b")
    assert [entry.text for entry in (await windows.read(workspace="a", query="zebra")).entries] == ["zebra in a"]
    with pytest.raises(NotFound):
        await windows.read(workspace="b", id="2")


async def test_history_and_a_window_restored_to_a_version(windows: WindowsService) -> None:
    await windows.update(window=4, content="first plan")
    await windows.update(window=4, content="second plan")
    await windows.update(window=4, mode="replace", content="third plan")
    receipt = await windows.restore(window=4, version=2)
    assert await ids_in(windows, 4) == ["1", "2"]
    assert receipt.status == "changed"
    actions = [(event.action, event.id) for event in await windows.history(window=4)]
    assert actions[-2:] == [("written", "2"), ("written", "1")]
    with pytest.raises(InvalidInput, match="no version 99"):
        await windows.restore(window=4, version=99)


async def test_initialize_keeps_what_is_there_unless_reset_which_archives(windows: WindowsService) -> None:
    await windows.update(window=1, content="the goal")
    assert (await windows.initialize()).status == "unchanged"
    assert await ids_in(windows, 1) == ["1"]
    await windows.initialize(reset=True)
    assert (await windows.report()).total_tokens == 0
    assert await windows.entry_text(id="1") == "the goal"
    assert (await windows.read(query="goal")).total == 1


async def test_the_listener_hears_of_each_window_that_a_commit_changed(windows: WindowsService) -> None:
    heard: list[tuple[str, list[int]]] = []
    listening = type(windows)(
        database=windows.database,
        tokenizer=windows.tokenizer,
        clock=windows.clock,
        on_change=lambda workspace, changed: heard.append((workspace, list(changed))),
    )
    await listening.update(window=5, content="note")
    with pytest.raises(MlestarError):
        await listening.update(window=9, content="note")
    assert heard == [("default", [5])]


REFUSED: dict[str, tuple[dict[str, Any], type[MlestarError], str]] = {
    "blank": ({"window": 1, "content": " \n "}, InvalidInput, "empty or blank"),
    "window 8": ({"window": 8, "content": "x"}, InvalidInput, "1 (Scoping)"),
    "priority 9": ({"window": 1, "content": "x", "priority": 9}, InvalidInput, "5 (critical)"),
    "mode": ({"window": 1, "content": "x", "mode": "apend"}, InvalidInput, "use append"),
    "kind": ({"window": 1, "content": "x", "kind": "nots"}, InvalidInput, "use note"),
    "workspace": ({"workspace": "../x", "window": 1, "content": "x"}, InvalidInput, "A-Z"),
    "too large": ({"window": 1, "content": "x" * (2**20 + 1)}, InputTooLarge, "1,048,576"),
    "unknown id": ({"window": 1, "mode": "remove", "id": "77"}, NotFound, "no entry 77"),
    "no id": ({"window": 1, "mode": "pin", "id": "abc"}, InvalidInput, "not an entry id"),
    "nothing to remove": ({"window": 1, "mode": "remove"}, InvalidInput, "needs the id or key"),
    "unknown key": ({"window": 1, "mode": "unpin", "key": "nope"}, NotFound, "nope"),
    "ttl": ({"window": 1, "content": "x", "ttl_s": -1}, InvalidInput, "ttl_s"),
    "long key": ({"window": 1, "content": "x", "key": "k" * 201}, InvalidInput, "200"),
    "pin of nothing": ({"window": 1, "mode": "pin", "id": "5"}, NotFound, "no entry 5"),
    "stale": ({"window": 1, "content": "x", "expected_version": 5}, Conflict, "version 0"),
}


@pytest.mark.parametrize(("arguments", "error", "says"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_write_says_what_is_valid_and_stores_nothing(
    windows: WindowsService, arguments: dict[str, Any], error: type[MlestarError], says: str
) -> None:
    with pytest.raises(error) as refused:
        await windows.update(**arguments)
    assert says in str(refused.value)
    report = await windows.report()
    assert (report.entries, report.active_windows) == (0, 0)
    assert await windows.history() == []


async def test_odd_characters_are_replaced_and_said_so(windows: WindowsService) -> None:
    receipt = await windows.update(window=7, content="lone \ud800 and \0 byte")
    assert len(receipt.notes) == 2
    assert await windows.entry_text(id="1") == "lone \ufffd and \ufffd byte"


async def test_a_million_spaces_are_stored_byte_for_byte(windows: WindowsService) -> None:
    text = "start" + " " * 1_000_000 + "end"
    receipt = await windows.update(window=7, content=text)
    assert receipt.windows[0].used <= 4000
    assert await windows.entry_text(id="1") == text
