"""R4 of the design: a planted fact is among the first ten results of a natural question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.storage import full_text

if TYPE_CHECKING:
    from mlestar.storage.database import Database

from support.agent_trace import trace


def test_planted_facts_are_found_by_natural_questions(database: Database) -> None:
    texts, facts = trace(3, 2000, 80)
    with database.write() as connection:
        for number, (text, before) in enumerate(zip(texts, ["", *texts], strict=False), start=1):
            full_text.add(connection, 1, number, text, before)
        found = 0
        for fact in facts:
            hits = full_text.search(connection, 1, fact.question, limit=10, newest=len(texts))
            found += fact.at + 1 in [hit.number for hit in hits]
    assert found >= 0.95 * len(facts)


def test_a_query_in_a_large_workspace_leaves_out_the_commonest_words_only(database: Database) -> None:
    with database.write() as connection:
        for number in range(1, full_text.FEW_ENTRIES + 2):
            text = "common note" if number != 4000 else "common zebra note"
            connection.exec_driver_sql(
                "INSERT INTO entry_terms (rowid, own, neighbour) VALUES (?, ?, '')", ((1 << 44) | (number << 12), text)
            )
        newest = full_text.FEW_ENTRIES + 1
        assert full_text.search(connection, 1, "common zebra", limit=5, newest=newest)[0].number == 4000
        assert len(full_text.search(connection, 1, "common note", limit=5, newest=newest)) == 5
        assert full_text.search(connection, 1, "unheard", limit=5, newest=newest) == []
