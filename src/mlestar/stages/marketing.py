"""`marketing_dataset`: synthetic social posts whose truth is published, so the best reachable score is known.

Each post has a probability of being engaging, p = sigmoid(z), with z a fixed sum of effects (`EFFECTS`); the binary
target is drawn from p. The classifier that knows p is therefore the best possible one, and its scores on the same
rows are what no model can beat except by luck. `impressions`, `reach`, `clicks` and `engagement` are drawn after the
outcome: as features they would leak it. Nothing here is real data: every result says `synthetic`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mlestar.stages.data import Source

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TARGET = "engaged"
AFTER_OUTCOME = ("reach", "clicks", "engagement", "engagement_rate")
START = "2025-01-01"
DAYS = 365
TOPICS = {
    "launch": (0.55, ("new", "launch", "today", "introducing", "first", "finally", "ready")),
    "sale": (0.25, ("sale", "discount", "offer", "save", "deal", "off", "weekend")),
    "story": (0.75, ("story", "behind", "team", "journey", "thank", "together", "proud")),
    "tips": (0.35, ("tips", "learn", "guide", "how", "easy", "steps", "try")),
    "event": (-0.35, ("event", "join", "register", "webinar", "live", "speaker", "seat")),
    "notice": (-1.05, ("update", "notice", "terms", "service", "office", "hours", "holiday")),
}
"""Topic -> effect on z, and its words."""
FILLER = (
    "we",
    "our",
    "you",
    "the",
    "for",
    "with",
    "and",
    "this",
    "product",
    "brand",
    "customers",
    "week",
    "more",
    "see",
)
HASHTAGS = {
    "#love": 0.5,
    "#win": 0.65,
    "#tips": 0.15,
    "#ad": -0.7,
    "#news": -0.2,
    "#brand": 0.0,
    "#deal": 0.1,
    "#job": -0.5,
}
PLATFORMS = {"instagram": 0.45, "linkedin": -0.1, "x": -0.35, "facebook": 0.0}
MEDIA = {"video": 0.55, "image": 0.2, "carousel": 0.35, "none": -0.65}
AUDIENCES = {"18-24": 0.1, "25-34": 0.2, "35-54": 0.0, "55+": -0.15}
CALL_TO_ACTION = "comment below"
CALL_EFFECT = 0.4
"""The known effect of the randomised call to action on z: an A/B test of it has this answer."""
EVENING_EFFECT = 0.4
FOLLOWER_EFFECT = 0.45
INTERCEPT = -0.42
DRIFT_EFFECT = 2.0
"""With drift = 1 the effect of video on z falls by this much over the year."""


def generate(size: int, seed: int, drift: float = 0.0) -> Source:
    """`size` posts, the same for the same seed.

    Args:
        size: Number of rows.
        seed: Of the generator (numpy's PCG64).
        drift: 0 (none) to 1: how far the effect of video fades over the year.

    Returns:
        The rows, with the column `best_probability` kept out of them in `truth`.
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    day = np.sort(random.uniform(0, DAYS, size))
    posted = pd.Timestamp(START, tz="UTC") + pd.to_timedelta((day * 86_400).astype("int64"), unit="s")
    hour = ((day % 1) * 24).astype(int)
    topic, topic_effect = _pick(random, {name: effect for name, (effect, _) in TOPICS.items()}, size)
    platform, platform_effect = _pick(random, PLATFORMS, size)
    media, media_effect = _pick(random, MEDIA, size)
    audience, audience_effect = _pick(random, AUDIENCES, size)
    tags = random.random((size, len(HASHTAGS))) < 0.25  # noqa: PLR2004 - two of eight hashtags on average
    followers = np.exp(random.normal(8.0, 1.2, size)).astype("int64")
    mentions = random.poisson(0.6, size)
    call = random.random(size) < 0.5  # noqa: PLR2004 - a fair coin: the A/B assignment
    z = (
        INTERCEPT + topic_effect + platform_effect + media_effect + audience_effect
        + tags @ np.array(list(HASHTAGS.values()))
        + FOLLOWER_EFFECT * (np.log(followers) - 8.0) / 1.2
        + EVENING_EFFECT * ((hour >= 17) & (hour <= 22))  # noqa: PLR2004 - the evening
        + CALL_EFFECT * call
        - drift * DRIFT_EFFECT * (media == "video") * day / DAYS
    )  # fmt: skip
    probability = 1 / (1 + np.exp(-z))
    engaged = (random.random(size) < probability).astype("int64")
    reach = (followers * random.uniform(0.1, 0.6, size) * (1 + 0.8 * engaged)).astype("int64") + 20
    rate = np.clip(0.01 + 0.05 * engaged + 0.02 * probability + random.normal(0, 0.004, size), 0.001, 0.5)
    engagement = random.binomial(reach, rate)
    frame = pd.DataFrame({
        "content": _texts(random, topic, call),
        "hashtags": [" ".join(np.array(list(HASHTAGS))[row]) for row in tags],
        "mentions": mentions, "platform": platform, "posted_at": posted, "followers": followers, "media_type": media,
        "audience": audience, "reach": reach, "clicks": random.binomial(engagement, 0.3), "engagement": engagement,
        "engagement_rate": engagement / reach, TARGET: engaged,
    })  # fmt: skip
    digest = hashlib.sha256(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()).hexdigest()
    truth: dict[str, Any] = {"probability": probability, "call_effect": CALL_EFFECT, "drift": drift}
    return Source(
        frame=frame, path="marketing_dataset", sha256=digest, target=TARGET, after_outcome=AFTER_OUTCOME,
        synthetic=True, truth=truth,
    )  # fmt: skip


def _pick(random: np.random.Generator, effects: dict[str, float], size: int) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    chosen = random.integers(0, len(effects), size)
    return np.array(list(effects), dtype=object)[chosen], np.array(list(effects.values()))[chosen]


def _texts(random: np.random.Generator, topics: np.ndarray, call: np.ndarray) -> list[str]:
    import numpy as np

    filler = np.array(FILLER)
    words = {name: np.array(words) for name, (_, words) in TOPICS.items()}
    texts: list[str] = []
    for topic, asks in zip(topics, call, strict=True):
        own = words[topic][random.integers(0, len(words[topic]), random.integers(2, 6))]
        mixed = np.concatenate([own, filler[random.integers(0, len(filler), random.integers(4, 12))]])
        random.shuffle(mixed)
        texts.append(" ".join([*mixed, CALL_TO_ACTION] if asks else mixed))
    return texts


def best_reachable(probability: pd.Series | np.ndarray) -> np.ndarray:
    """The scores (n_rows, 2) of the classifier that knows the truth."""
    import numpy as np

    p = np.asarray(probability, dtype=float)
    return np.column_stack([1 - p, p])
