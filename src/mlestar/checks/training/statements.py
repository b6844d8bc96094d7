"""What a request states about training (modelConfig): architecture, search, sensitivity, freshness."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlestar.checks.registry import statement
from mlestar.checks.stated import claims
from mlestar.core.claims.slots import DURATION, Slot, is_concrete, slot_verdict
from mlestar.core.claims.text import Statement, first_number, number_of, under
from mlestar.core.evidence import Level, Outcome, Verdict

if TYPE_CHECKING:
    from mlestar.core.facts.collected import Facts

FAMILY = r"^(algorithm|model( type| family)?|estimator|family)$"
PARAMETERS = (
    r"\b(epochs?|batch size|learning rate|lr|max depth|num leaves|n estimators|alpha|c|gamma|dropout|weight decay|"
    r"regulari[sz]ation|hidden( size| units| layers)?|layers|heads|momentum|warm ?up( steps)?|min samples\w*|"
    r"subsample)$"
)
ARCHITECTURE_SLOTS = (
    Slot(name="family", keys=FAMILY),
    Slot(
        name="exact architecture",
        keys=r"\b(architecture|backbone|layers|hidden|heads|network)\b|^algorithm$",
        value=r"\w*\d\w*|\w+-\w+",
    ),
    Slot(
        name="size or checkpoint",
        keys=r"\b(checkpoint|pre ?trained|base model|parameters|num params|model size|revision)\b",
    ),
    Slot(name="two alternatives with scores", keys=r"\b(alternatives?|candidates|compared|leaderboard)\b", value=r"\d"),
    Slot(name="reason", keys=r"\b(reason|rationale|justification|why|because)\b"),
)
SEARCH_SLOTS = (
    Slot(name="parameters", keys=PARAMETERS, value=r"\d"),
    Slot(name="search space", keys=r"\b(search space|space|grid|ranges?|distributions?)\b", value=r"\d|\["),
    Slot(
        name="method and trials",
        keys=r"\b(trials?|n trials|iterations|n iter|budget|tuning|search)\b",
        value=r"\d+|\b(?:grid|random|bayes\w*|optuna|hyperband|tpe|asha)\b[^.\n]{0,40}\d",
    ),
    Slot(name="selection metric", keys=r"\b(selection metric|objective|scoring|optimi[sz]e|monitor|tuning metric)\b"),
)
KERAS_DEFAULTS = {"learning rate": 0.001, "batch size": 32}
FRESHNESS_SLOTS = (
    Slot(name="trigger", keys=r"\b(schedule|trigger|retrain\w*|cron|refresh)\b"),
    Slot(
        name="maximum age",
        keys=r"\b(max age|maximum age|model ttl|staleness|freshness|max staleness)\b",
        value=DURATION + r"|\d",
    ),
)
VALIDATION = r"\b(validation|cv|cross validation|folds|val split|validation split)\b"


@statement("T3.3")
def architecture(facts: Facts) -> Iterable[Verdict]:
    """Family, exact architecture, size or checkpoint, alternatives with scores, reason."""
    stated = claims(facts, "training")
    verdict = slot_verdict(ARCHITECTURE_SLOTS, stated, Level.CLAIMED, note=_from_scratch(stated))
    if verdict:
        yield verdict


def _from_scratch(stated: list[Statement]) -> str:
    families = [s.text for s in under(stated, FAMILY) if "transformer" in s.text.lower()]
    if families and not under(stated, r"checkpoint|pre ?trained|base model|fine ?tun"):
        return "no checkpoint is named: a transformer trained from scratch needs about 10 rows for each parameter"
    return ""


@statement("T4.1")
def search(facts: Facts) -> Iterable[Verdict]:
    """Parameters recorded, search space, method and trials, selection metric."""
    stated = claims(facts, "training")
    verdict = slot_verdict(SEARCH_SLOTS, stated, Level.CLAIMED, note=_defaults(stated))
    if verdict:
        yield verdict


def _defaults(stated: list[Statement]) -> str:
    same = [name for name, default in KERAS_DEFAULTS.items() if first_number(stated, rf"\b{name}$") == default]
    if same and not under(stated, r"trial|search|grid|tun"):
        return f"{' and '.join(same)} equal the Keras defaults: no tuning is evident"
    return ""


@statement("T4.2")
def tuning_data(facts: Facts) -> Iterable[Verdict]:
    """How many trials, chosen on which data. Chosen on the test data is a fail, whoever says it."""
    stated = claims(facts, "training")
    trials = first_number(stated, r"\b(n )?trials\b|\bn iter\b")
    chosen_on = [s for s in under(stated, VALIDATION) if is_concrete(s.text)]
    on_test = [
        s
        for s in under(stated, r"\b(tuned on|selected on|validation (data|set)|selection data)\b")
        if "test" in s.text.lower()
    ]
    enough, some = facts.limit("T4.2", "pass"), facts.limit("T4.2", "partial")
    if on_test:
        yield Verdict(
            outcome=Outcome.FAIL,
            level=Level.CLAIMED,
            observed=f"{on_test[0].key} is {on_test[0].text!r}: the test data chooses",
        )
    elif trials is not None and trials >= some:
        both = trials >= enough and bool(chosen_on)
        yield Verdict(
            outcome=Outcome.PASS if both else Outcome.PARTIAL,
            level=Level.CLAIMED,
            observed=f"{trials:.0f} trials"
            + (f", chosen on {chosen_on[0].text!r}" if chosen_on else "; chosen on what is not stated"),
        )


@statement("T4.3")
def sensitivity(facts: Facts) -> Iterable[Verdict]:
    """Score ranges of parameters."""
    found = [
        s for s in under(claims(facts, "training"), r"\b(sensitivity|score range)\b") if number_of(s.value) is not None
    ]
    if found:
        enough = len({s.key for s in found}) >= facts.limit("T4.3", "pass")
        yield Verdict(
            outcome=Outcome.PASS if enough else Outcome.PARTIAL,
            level=Level.CLAIMED,
            observed=f"score ranges of {len({s.key for s in found})} parameters",
        )


@statement("T5.3")
def freshness(facts: Facts) -> Iterable[Verdict]:
    """Trigger and maximum age."""
    verdict = slot_verdict(FRESHNESS_SLOTS, claims(facts, "training"), Level.CLAIMED)
    if verdict:
        yield verdict
