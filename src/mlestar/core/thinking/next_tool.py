"""Which tool of this server helps with a step, from the words of the step."""

from __future__ import annotations

from mlestar.core.search_terms import index_terms

_TOOLS = (
    ("cancel_run", "cancel abort kill stop"),
    ("get_run", "wait progress status monitor running finished poll"),
    ("context7_compact", "compact condense shorten"),
    ("get_score", "score ready readiness scorecard report summary overall production"),
    (
        "run_pipeline",
        (
            "train training fit tune tuning hyperparameter pipeline run deploy deployment baseline ensemble model"
            " retrain experiment execute build generate"
        ),
    ),
    (
        "evaluate_dimension",
        (
            "evaluate evaluation judge check checks audit review validate validation verify test leakage fairness"
            " leak bias drift quality security documentation slices error errors analyze analysis metric metrics"
        ),
    ),
    ("context7_update", "decide decision record note remember write store agree constraint goal define scope"),
    ("context7_read", "recall history historical find look earlier previous identify understand read gather"),
)
"""Tool -> words that call for it."""
_DIMENSIONS = (
    ("scoping", "goal scope scoping constraint stakeholder timeline success problem define"),
    ("training", "train training feature features tune tuning algorithm hyperparameter leak leakage split"),
    ("analysis", "analyze analyse analysis metric metrics error errors fairness bias slice slices evaluate"),
    ("reliability", "deploy deployment drift monitor monitoring rollback latency reliability production"),
    ("excellence", "documentation test tests security reproducibility review quality"),
)


def next_tool(step: str) -> str:
    """The call to make for a step, e.g. `evaluate_dimension(dimension="training")`; `sequential_think` to think on."""
    words = index_terms(step)
    tool = _best(words, _TOOLS)
    if tool == "evaluate_dimension":
        return f'evaluate_dimension(dimension="{_best(words, _DIMENSIONS) or "all"}")'
    return tool or "sequential_think"


def _best(words: list[str], table: tuple[tuple[str, str], ...]) -> str:
    """The name with most words in common, the earlier word in the step deciding a tie; empty when there is none."""
    ranked: list[tuple[int, int, str]] = []
    for name, listed in table:
        at = [place for place, word in enumerate(words) if word in listed.split()]
        if at:
            ranked.append((-len(at), at[0], name))
    return min(ranked)[2] if ranked else ""
