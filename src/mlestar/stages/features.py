"""The features stage: one ColumnTransformer, fitted on training rows only, with its own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mlestar.core.run import StageCheck
from mlestar.stages import table

if TYPE_CHECKING:
    import pandas as pd

View = Literal["sparse", "dense", "embedded"]
"""How columns are laid out: wide and scaled for linear models, narrow and raw for trees; embedded: as for linear
models, with sentence embeddings in the place of terms."""

TERMS = 20_000
"""Most terms of one text column and one kind (words, characters)."""
COMPONENTS = 24
"""Dense text columns for trees, by truncated SVD of the words."""
RARE = 5
"""A category with fewer training rows joins the others that are rare."""
WIDE = 30
"""Most one-hot columns of one category in a dense layout."""
CHECK_ROWS = 500


def build_transformer(
    kinds: dict[str, str], view: View, *, n_rows: int, seed: int, without: frozenset[str] = frozenset()
) -> Any:
    """An unfitted ColumnTransformer (`Columns`) for features of these kinds.

    Args:
        kinds: Feature -> kind (see `table`).
        view: Layout for linear models ("sparse", "embedded") or trees ("dense").
        n_rows: Rows it will be fitted on.
        seed: Of the truncated SVD.
        without: Steps of the sparse layout that are left out, for an ablation: "scaling", "characters".
    """
    from mlestar.stages.columns import Columns

    of_kind = {kind: [name for name, own in kinds.items() if own == kind] for kind in set(kinds.values())}
    parts: list[tuple[str, Any, Any]] = []
    if table.NUMERIC in of_kind:
        parts.append(("numeric", _numeric(view, without), of_kind[table.NUMERIC]))
    if table.CATEGORICAL in of_kind:
        parts.append(("categorical", _categorical(view, n_rows), of_kind[table.CATEGORICAL]))
    if table.DATE in of_kind:
        parts.append(("date", _dates(view), of_kind[table.DATE]))
    parts.extend(
        (f"text_{place}", _texts(view, seed, without), name) for place, name in enumerate(of_kind.get(table.TEXT, ()))
    )
    return Columns(parts, sparse_threshold=1.0 if view == "sparse" else 0.0, verbose_feature_names_out=True)


def _numeric(view: View, without: frozenset[str]) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if view == "dense":
        return "passthrough"
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    return imputer if "scaling" in without else make_pipeline(imputer, StandardScaler())


def _categorical(view: View, n_rows: int) -> Any:
    from sklearn.preprocessing import OneHotEncoder

    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=min(RARE, max(1, n_rows // 20)),
        max_categories=None if view == "sparse" else WIDE,
        sparse_output=view == "sparse",
    )


def _dates(view: View) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from mlestar.stages.columns import DateParts

    return DateParts() if view == "dense" else make_pipeline(DateParts(), SimpleImputer(), StandardScaler())


def _texts(view: View, seed: int, without: frozenset[str]) -> Any:
    from sklearn.pipeline import FeatureUnion, make_pipeline

    from mlestar.stages.columns import Components, Texts

    if view == "embedded":
        from mlestar.stages.embeddings import Embeddings

        return Embeddings()
    words = Texts(ngram_range=(1, 2), min_df=2, max_features=TERMS, sublinear_tf=True, strip_accents="unicode")
    if view == "dense":
        return make_pipeline(words, Components(n_components=COMPONENTS, random_state=seed))
    if "characters" in without:
        return words
    characters = Texts(analyzer="char_wb", ngram_range=(3, 4), min_df=3, max_features=TERMS, sublinear_tf=True)
    return FeatureUnion([("words", words), ("characters", characters)])


def check_features(
    fitted: Any, train: pd.DataFrame, test: pd.DataFrame, kinds: dict[str, str]
) -> tuple[StageCheck, ...]:
    """The stage's own tests on a transformer that was fitted on `train` alone."""
    import numpy as np

    columns = list(kinds)
    asked = test[columns].head(CHECK_ROWS)
    first, again = (_sparse(fitted.transform(asked)) for _ in range(2))
    finite = bool(np.isfinite(first.data).all())
    equal = first.shape == again.shape and (first != again).nnz == 0
    alone = _sparse(fitted.transform(asked.head(1)))
    row_wise = np.allclose(alone.toarray(), first[:1].toarray(), equal_nan=True)
    width = fitted.transform(train[columns].head(1)).shape[1]
    return (
        _check("no NaN or infinity", finite, f"{width} columns from {len(columns)} features, all finite"),
        _check("same output twice", equal, "the same rows give the same numbers"),
        _check("fitted on train only", row_wise, "a held-out row's features do not depend on other held-out rows"),
    )


def _check(name: str, holds: bool, says: str) -> StageCheck:
    return StageCheck(name=name, outcome="pass" if holds else "fail", says=says if holds else f"not so: {says}")


def _sparse(matrix: Any) -> Any:
    """(n_rows, n_columns) in compressed rows: dense, 500 rows of 40,000 terms are 160 MB."""
    from scipy.sparse import csr_matrix

    return csr_matrix(matrix, dtype=float)
