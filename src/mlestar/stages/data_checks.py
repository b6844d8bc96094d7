"""The data stage's own tests: `fail` stops the run, `warn` is passed on with what was seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlestar.core.run import StageCheck
from mlestar.stages import table

if TYPE_CHECKING:
    import pandas as pd

FEW_NULLS, MANY_NULLS = 0.05, 0.30
"""Null share of a column: deepchecks' PercentOfNulls condition, and this project's own upper bound."""
DUPLICATE_SHARE = 0.01
CONFLICT_SHARE = 0.005
LEAK_AUC = 0.995
"""One column alone that tells the target this well (3-fold, depth-4 tree) is taken for the target itself..."""
LEAK_MARGIN = 0.05
"""...when all other columns together stay at least this far behind (rubric T2.1)."""
SAMPLE_ROWS = 3_000
_WORD = re.compile(r"\b\w\w+\b")
"""What the words of a text column are counted by (scikit-learn's default pattern)."""
_PII = {"e-mail address": r"[\w.+-]{2,}@[\w-]+\.[a-z]{2,}", "phone number": r"(?<!\d)\+\d{2}[\d ()-]{8,14}\d(?!\d)"}


def check_data(
    *, train: pd.DataFrame, test: pd.DataFrame, target: str, task: str, kinds: dict[str, str], time: str, group: str,
    dropped: int, seed: int,
) -> tuple[StageCheck, ...]:  # fmt: skip
    """Every test of the data stage, in a fixed order."""
    features = list(kinds)
    return (
        StageCheck(
            name="columns", outcome="pass", says=f"{len(features)} features and the target {target!r} are there"
        ),
        _targets_known(dropped, len(train) + len(test)),
        _words(train, kinds),
        _nulls(train, features),
        _duplicates(train, features, target),
        _overlap(train, test, features, target),
        _leakage(train, target, task, kinds, seed),
        _order(train, test, time),
        _groups(train, test, group),
        _personal(train, kinds),
    )


def _targets_known(dropped: int, kept: int) -> StageCheck:
    outcome = "pass" if not dropped else "warn"
    return StageCheck(
        name="target known", outcome=outcome, says=f"{dropped} rows without a target left out, {kept} kept"
    )


def _words(train: pd.DataFrame, kinds: dict[str, str]) -> StageCheck:
    texts = [name for name, kind in kinds.items() if kind == table.TEXT]
    bare = next((name for name in texts if not _shares_a_word(train[name])), "")
    if bare:
        says = f"{bare!r} has no word that two rows share: list it under features.exclude"
        return StageCheck(name="words", outcome="fail", says=says)
    return StageCheck(name="words", outcome="pass", says=f"each of {len(texts)} text columns repeats its words")


def _shares_a_word(texts: pd.Series) -> bool:
    seen: set[str] = set()
    for text in texts.dropna().astype(str):
        words = set(_WORD.findall(text.lower()))
        if words & seen:
            return True
        seen |= words
    return False


def _nulls(train: pd.DataFrame, features: list[str]) -> StageCheck:
    shares = train[features].isna().mean().sort_values(ascending=False)
    worst, share = str(shares.index[0]), float(shares.iloc[0])
    outcome = "pass" if share <= FEW_NULLS else "warn"
    limit = "over" if share > MANY_NULLS else "within"
    return StageCheck(
        name="nulls", outcome=outcome, says=f"most nulls: {worst!r} {share:.1%} ({limit} {MANY_NULLS:.0%})"
    )


def _duplicates(train: pd.DataFrame, features: list[str], target: str) -> StageCheck:
    keys = _row_keys(train, features)
    twice = float(keys.duplicated().mean())
    labels = train[target].groupby(keys.to_numpy()).transform("nunique")
    conflicts = float((labels > 1).mean())
    outcome = "warn" if twice > DUPLICATE_SHARE or conflicts > CONFLICT_SHARE else "pass"
    return StageCheck(
        name="duplicates", outcome=outcome, says=f"{twice:.1%} repeated rows, {conflicts:.1%} with differing targets"
    )


def _overlap(train: pd.DataFrame, test: pd.DataFrame, features: list[str], target: str) -> StageCheck:
    columns = [*features, target]
    seen = _row_keys(test, columns).isin(_row_keys(train, columns))
    outcome = "warn" if seen.mean() > DUPLICATE_SHARE else "pass"
    return StageCheck(
        name="overlap", outcome=outcome, says=f"{int(seen.sum())} of {len(test)} test rows equal a training row"
    )


def _row_keys(rows: pd.DataFrame, columns: list[str]) -> pd.Series:
    import pandas as pd

    return pd.util.hash_pandas_object(rows[columns].astype("string"), index=False)


def _leakage(train: pd.DataFrame, target: str, task: str, kinds: dict[str, str], seed: int) -> StageCheck:
    candidates = [name for name, kind in kinds.items() if kind in {table.NUMERIC, table.CATEGORICAL}]
    rows = train.sample(min(len(train), SAMPLE_ROWS), random_state=seed)
    told = {name: _told_by(rows[[name]], rows[target], task, depth=4, seed=seed) for name in candidates}
    suspect = max(told, key=told.__getitem__, default="")
    if not suspect or told[suspect] < LEAK_AUC:
        best = f"; the best single one, {suspect!r}, reaches {told[suspect]:.3f}" if suspect else ""
        return StageCheck(name="target leakage", outcome="pass", says=f"no column alone gives the target away{best}")
    others = [name for name in candidates if name != suspect]
    rest = _told_by(rows[others], rows[target], task, depth=8, seed=seed) if others else 0.5
    leaks = told[suspect] - rest >= LEAK_MARGIN
    return StageCheck(
        name="target leakage",
        outcome="fail" if leaks else "warn",
        says=f"{suspect!r} alone tells the target with {told[suspect]:.3f} (all others together {rest:.3f}): "
        + ("drop it, or list it under features.exclude" if leaks else "check when it is known"),
    )


def _told_by(columns: pd.DataFrame, target: pd.Series, task: str, *, depth: int, seed: int) -> float:
    """How well columns tell the target: 3-fold AUC (one against the rest) or R2 of a tree, 0 to 1."""
    import pandas as pd
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    codes = columns.apply(
        lambda column: column if pd.api.types.is_numeric_dtype(column) else pd.factorize(column, sort=True)[0]
    ).to_numpy(dtype="float64")
    if task == "regression":
        model, scoring = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=5, random_state=seed), "r2"
    else:
        model, scoring = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=5, random_state=seed), "roc_auc_ovr"
        if target.value_counts().min() < 3:  # noqa: PLR2004 - one row a fold
            return 0.0
    return float(cross_val_score(model, codes, target.to_numpy(), cv=3, scoring=scoring).mean())


def _order(train: pd.DataFrame, test: pd.DataFrame, time: str) -> StageCheck:
    if not time:
        return StageCheck(name="time order", outcome="pass", says="rows are not split by time")
    last, first = train[time].max(), test[time].min()
    outcome = "pass" if last <= first else "fail"
    return StageCheck(name="time order", outcome=outcome, says=f"training ends {last}, testing begins {first}")


def _groups(train: pd.DataFrame, test: pd.DataFrame, group: str) -> StageCheck:
    if not group:
        return StageCheck(name="groups apart", outcome="pass", says="no group column was named")
    shared = set(train[group].dropna()) & set(test[group].dropna())
    outcome = "warn" if shared else "pass"
    return StageCheck(
        name="groups apart", outcome=outcome, says=f"{len(shared)} values of {group!r} stand on both sides"
    )


def _personal(train: pd.DataFrame, kinds: dict[str, str]) -> StageCheck:
    rows = train.head(SAMPLE_ROWS)
    hits = [
        f"{what} in {name!r}"
        for name, kind in kinds.items()
        if kind in {table.TEXT, table.CATEGORICAL}
        for what, pattern in _PII.items()
        if rows[name].dropna().astype(str).str.contains(pattern, regex=True).any()
    ]
    says = "; ".join(hits) or f"no e-mail address or phone number in {len(rows)} rows"
    return StageCheck(name="personal data", outcome="warn" if hits else "pass", says=says)
