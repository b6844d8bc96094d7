"""R4 of the design: a planted fact is among the first ten results of a natural question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.storage import full_text

if TYPE_CHECKING:
    from pathlib import Path

    from support.postgres import Server

from mlestar.storage.database import Database
from support.agent_trace import trace

WRITINGS = (
    "El análisis de la sesión falló", "Größe der Stichprobe", "東京の天気は晴れ", "東北大学 학습 데이터",
    "the getUserName call of src/train_model.py", "p95 latency 1,240.5 ms", "x" * 900,
    "generally general generalizations, generic", "The runs were running; a runner ran", "наблюдения й",
)  # fmt: skip
QUESTIONS = (
    "analisis", "groesse größe", "東京", "학습", "user name", "train model", "1240.5", "x" * 900, "general",
    "run", "наблюдения", "\"'); DROP TABLE entries; --", "generic OR NOT run*", "the of and",
)  # fmt: skip


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
            full_text.add(connection, 1, number, text, "")
        newest = full_text.FEW_ENTRIES + 1
        assert full_text.search(connection, 1, "common zebra", limit=5, newest=newest)[0].number == 4000
        assert len(full_text.search(connection, 1, "common note", limit=5, newest=newest)) == 5
        assert full_text.search(connection, 1, "unheard", limit=5, newest=newest) == []


def test_the_beginning_of_a_pair_finds_every_pair_that_begins_so(database: Database) -> None:
    with database.write() as connection:
        for number, text in enumerate(("東京の天気", "東北大学", "京都", "東"), start=1):
            full_text.add(connection, 1, number, text, "")
        found = [full_text.search(connection, 1, asked, limit=9, newest=4) for asked in ("東", "京", "都")]
    assert [{hit.number for hit in hits} for hits in found] == [{1, 2, 4}, {1, 3}, {3}]


def test_both_databases_find_the_same_entries_with_the_same_scores(postgres_server: Server, tmp_path: Path) -> None:
    texts, facts = trace(5, 300, 30)
    everything = [*texts, *WRITINGS]
    questions = [*QUESTIONS, *(fact.question for fact in facts)]
    found: list[list[dict[int, float]]] = []
    with postgres_server.database() as url:
        for database in (Database(url), Database(f"sqlite:///{tmp_path / 'memory.db'}")):
            with database.write() as connection:
                for number, (text, before) in enumerate(zip(everything, ["", *everything], strict=False), start=1):
                    full_text.add(connection, 1, number, text, before)
                full_text.remove(connection, 1, 17)
                full_text.erase(connection, 1, 20, 21)
                hits = [full_text.search(connection, 1, asked, limit=20, newest=310) for asked in questions]
            database.close()
            found.append([{hit.number: round(hit.score, 3) for hit in best} for best in hits])
    assert [sorted(best.values()) for best in found[0]] == [sorted(best.values()) for best in found[1]]
    worst = [min(best.values(), default=0) for best in found[0]]  # entries of equal score at the end may differ
    above = [
        [{number for number, score in best.items() if score > least} for best, least in zip(part, worst, strict=True)]
        for part in found
    ]
    assert above[0] == above[1]
    assert sum(map(bool, found[0])) > 40
