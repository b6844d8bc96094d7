"""The deployment stage: a model as bytes that are the same for the same model, and safe to load.

skops writes memory addresses as ids and the current time into its archive, so two saves of one model differ. Here
ids are counted in the order of the document and times are fixed: the file's hash is the model's hash.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

TRUSTED = frozenset({
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "mlestar.stages.blend.Blend",
    "mlestar.stages.boosted.SteadyClassifier",
    "mlestar.stages.boosted.SteadyRegressor",
    "mlestar.stages.columns.Columns",
    "mlestar.stages.columns.Components",
    "mlestar.stages.columns.DateParts",
    "mlestar.stages.columns.Texts",
    "mlestar.stages.embeddings.Embeddings",
    "mlestar.stages.transformer.TextEncoder",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
})  # fmt: skip
"""The only types a package may hold beside those that skops itself trusts."""
FIXTURE_ROWS = 32
_EPOCH = (1980, 1, 1, 0, 0, 0)


def dump_model(model: Any) -> bytes:
    """The model in skops form, canonical.

    Raises:
        InvalidInput: It holds a type that this version would not load again.
    """
    from skops.io import dumps, get_untrusted_types

    raw = dumps(model)
    unknown = sorted(set(get_untrusted_types(data=raw)) - TRUSTED)
    if unknown:
        raise InvalidInput(f"the model holds types that cannot be packaged safely: {', '.join(unknown)}")
    return _canonical(raw)


def load_model(data: bytes) -> Any:
    """A model from its package; nothing but trusted types is ever built.

    Raises:
        InvalidInput: Not such a package, or it names a type outside `TRUSTED`.
    """
    from skops.io import get_untrusted_types, loads

    try:
        unknown = sorted(set(get_untrusted_types(data=data)) - TRUSTED)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidInput(f"not a model package: {error}") from error
    if unknown:
        raise InvalidInput(f"the package holds untrusted types: {', '.join(unknown)}", do="do not load it")
    return loads(data, trusted=sorted(TRUSTED))


def _canonical(raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        schema = archive.read("schema.json").decode()
        members = {name: archive.read(name) for name in archive.namelist() if name != "schema.json"}
    numbers: dict[str, str] = {}
    for match in re.finditer(r'"__id__": (\d+)|"file": "(\w+)\.npy"|"file": "([\w-]+)\.', schema):
        for found in match.groups():
            if found:
                numbers.setdefault(found, str(len(numbers) + 1))
    schema = re.sub(r'("__id__": )(\d+)', lambda m: m[1] + numbers[m[2]], schema)
    schema = re.sub(r'("file": ")([\w-]+)(\.)', lambda m: m[1] + numbers.get(m[2], m[2]) + m[3], schema)
    renamed = {_renamed(name, numbers): data for name, data in members.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in [("schema.json", schema.encode()), *sorted(renamed.items())]:
            archive.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), data)
    return out.getvalue()


def _renamed(name: str, numbers: Mapping[str, str]) -> str:
    stem, dot, suffix = name.partition(".")
    return numbers.get(stem, stem) + dot + suffix


def fixture_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The test rows that are predicted again, alone, wherever the package is loaded."""
    return rows.head(FIXTURE_ROWS)
