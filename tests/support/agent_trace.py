"""A synthetic agent trace: notes, runs, decisions and questions of an ML project, with facts planted among them.

The same for the same seed. A planted fact says something about an entity that no other entry says; its question asks
for it in other words, sometimes answered in the entry after the question, the way conversations go.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

PEOPLE = ("Anna", "Priya", "Tomasz", "Wei", "Fatima", "Diego", "Yuki", "Lars", "Amara", "Noor")
COLUMNS = ("age", "tenure", "region", "plan", "usage", "support_calls", "discount", "channel", "device", "signup_date")
MODELS = ("gradient boosting", "logistic regression", "random forest", "extra trees", "the transformer", "LightGBM")
METRICS = ("accuracy", "macro-F1", "AUC", "recall", "precision", "log loss")
TOPICS = ("drift", "latency", "leakage", "fairness", "calibration", "missing values", "class imbalance", "rollback")
SYSTEMS = (
    "staging cluster",
    "feature store",
    "model registry",
    "billing database",
    "monitoring dashboard",
    "scheduler",
)

FACTS = (
    ("{person} agreed to take over the {system} from {day}.", "who is responsible for the {system} after {day}"),
    ("We will never use {column} as a feature since legal objected on {day}.", "why was {column} forbidden on {day}"),
    ("The password rotation of the {system} happens every {number} days.", "how often are {system} passwords rotated"),
    ("{person} found that {model} breaks when {column} exceeds {number}.", "what breaks {model} according to {person}"),
    (
        "The customer wants at most {number} ms for a single prediction on {day}.",
        "customer prediction time limit {day}",
    ),
    ("Backups of the {system} are kept in bucket mlb-{number}.", "where are {system} backups stored"),
    ("{person} moved the {topic} review to {day} because of the audit.", "when is the {topic} review of {person}"),
    (
        "Threshold for {metric} on segment {number} was set by {person}.",
        "who chose the {metric} threshold of segment {number}",
    ),
)
NOISE = (
    "Run {number}: {model} reached {metric} 0.{number} on fold {small}.",
    "Looked at {column} again; nothing new about {topic} today.",
    "{person} asked whether {topic} was checked for {model}. It was.",
    "Started a run with {model} and {column}, waiting for {metric}.",
    "The {system} was slow this morning, back to normal at {small} o'clock.",
    "Tried {small} folds instead of {number}: no change in {metric}.",
    "Could we drop {column}? Probably not before the {topic} question is settled.",
    "Reminder: report {metric} with its confidence interval.",
    '{{"run": {number}, "model": "{model}", "metric": "{metric}", "value": 0.{number}}}',
)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A fact in the trace: where it stands (from 0), and the question that asks for it."""

    at: int
    text: str
    question: str


def trace(seed: int, entries: int, planted: int) -> tuple[list[str], list[Planted]]:
    """Texts in order, and the facts among them."""
    chance = random.Random(seed)  # noqa: S311 - test data
    places = sorted(chance.sample(range(entries), planted))
    texts: list[str] = []
    facts: list[Planted] = []
    for at in range(entries):
        values = {
            "person": chance.choice(PEOPLE),
            "column": chance.choice(COLUMNS),
            "model": chance.choice(MODELS),
            "metric": chance.choice(METRICS),
            "topic": chance.choice(TOPICS),
            "system": chance.choice(SYSTEMS),
            "day": f"2026-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
            "number": chance.randint(10, 9999),
            "small": chance.randint(2, 9),
        }
        if places and places[0] == at:
            places.pop(0)
            fact, question = chance.choice(FACTS)
            text = fact.format(**values)
            facts.append(Planted(at=at, text=text, question=question.format(**values)))
        else:
            text = chance.choice(NOISE).format(**values)
        texts.append(f"{text} (note {at})" if text in texts[-50:] else text)
    return texts, facts
