"""Where the code draws random numbers, and whether each source is seeded."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlestar.core.code.library_names import last_name

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts
    from mlestar.core.facts.source import SourceModule

_SKLEARN_RANDOM = re.compile(
    r"^(train_test_split|RandomForest\w+|ExtraTrees?\w+|GradientBoosting\w+|HistGradientBoosting\w+|Bagging\w+|AdaBoost\w+|"
    r"DecisionTree\w+|SGD\w+|MLP\w+|KMeans|MiniBatchKMeans|ShuffleSplit|StratifiedShuffleSplit|GroupShuffleSplit|"
    r"RandomizedSearchCV|HalvingRandomSearchCV|IsolationForest|permutation_importance|RepeatedStratifiedKFold|"
    r"RepeatedKFold|GaussianMixture|SMOTE\w*|ADASYN|RandomOverSampler|RandomUnderSampler|make_classification|TSNE)$"
)
_MAY_DRAW = re.compile(
    r"train_test_split|Forest|Tree|Boost|Bagging|SGD|MLP|KMeans|Split|Random|Fold|Forest|importance|SMOTE|"
    r"ADASYN|Mixture|make_|TSNE|\.sample\("
)
_SHUFFLED = frozenset({"KFold", "StratifiedKFold", "StratifiedGroupKFold"})
_GLOBAL_SEEDS = {
    "random": re.compile(
        r"(^|\.)random\.(seed|Random)$|(^|\.)(seed_everything|set_random_seed|enable_full_determinism)$"
    ),
    "numpy": re.compile(
        r"numpy\.random\.(seed|default_rng|RandomState|SeedSequence|Generator|PCG64)$|(^|\.)(seed_everything|set_random_seed)$"
    ),
    "torch": re.compile(r"torch(\.\w+)*\.manual_seed(_all)?$|(^|\.)(seed_everything|enable_full_determinism)$"),
    "tensorflow": re.compile(r"tensorflow\.(compat\.v\d\.)?(random\.)?set_(random_)?seed$|(^|\.)set_random_seed$"),
}
_DRAWS = {
    "random": re.compile(r"^random\.(?!seed|Random|SystemRandom|getstate|setstate)\w+$"),
    "numpy": re.compile(r"^numpy\.random\."),
    "torch": re.compile(
        r"^torch\.(rand\w*|nn\.\w+|utils\.data\.(DataLoader|random_split)|normal|multinomial|bernoulli|empty)$"
    ),
    "tensorflow": re.compile(r"^tensorflow\.(random\.(?!set)\w+|keras\.\w+)|^keras\."),
}
_RELEVANT = re.compile(r"\brandom\b|torch|tensorflow|keras|seed|full_determinism")  # random_state is no generator
_PANDAS_SAMPLE = "sample"


@dataclass(frozen=True, kw_only=True)
class RandomSource:
    """One library that draws random numbers, and the first unseeded place, if any."""

    library: str
    draws: int
    unseeded: tuple[tuple[str, int, str], ...] = ()


def random_sources(project: ProjectFacts) -> list[RandomSource]:
    """Each library that is used for randomness in the project's own code.

    Global generators count as seeded when any own module seeds them with an argument; scikit-learn calls when they pass
    `random_state` (or `seed`), take it from a configuration (`**params`), or draw from NumPy's seeded generator.
    """
    modules = list(project.own_modules.values())
    calls = [(module, name, line) for module in modules if _RELEVANT.search(module.text) for name, line in module.calls]
    helper = any(
        re.search(r"(^|\.)(set_seeds?|fix_seeds?|seed_all|seed_everything|set_random_seeds?)$", name)
        for _, name, _ in calls
    )
    seeded = {
        library: helper or any(pattern.search(name) for _, name, _ in calls)
        for library, pattern in _GLOBAL_SEEDS.items()
    }
    found: list[RandomSource] = []
    for library, pattern in _DRAWS.items():
        draws = [(module, name, line) for module, name, line in calls if pattern.search(name)]
        if draws:
            loose = () if seeded[library] else tuple((module.path, line, name) for module, name, line in draws)
            found.append(RandomSource(library=library, draws=len(draws), unseeded=loose))
    sklearn = _sklearn(modules, numpy_seeded=_legacy_seed(calls))
    return [*found, sklearn] if sklearn else found


def _legacy_seed(calls: list[tuple[SourceModule, str, int]]) -> bool:
    """scikit-learn falls back on NumPy's global generator, which only `numpy.random.seed` reaches."""
    return any(
        re.search(r"numpy\.random\.seed$|(^|\.)(seed_everything|set_random_seed)$", name) for _, name, _ in calls
    )


def _sklearn(modules: list[SourceModule], *, numpy_seeded: bool) -> RandomSource | None:
    draws = 0
    loose: list[tuple[str, int, str]] = []
    for module in modules:
        if not module.imported & {"sklearn", "imblearn", "pandas"} or not _MAY_DRAW.search(module.text):
            continue
        for node in module.nodes:
            if isinstance(node, ast.Call) and _draws(node):
                draws += 1
                if not (numpy_seeded or _passes_seed(node)):
                    loose.append((module.path, node.lineno, last_name(node.func)))
    return RandomSource(library="scikit-learn", draws=draws, unseeded=tuple(loose)) if draws else None


def _draws(node: ast.Call) -> bool:
    name = last_name(node.func)
    words = {word.arg: word.value for word in node.keywords}
    if name == _PANDAS_SAMPLE:
        return bool({"frac", "n"} & set(words)) and isinstance(node.func, ast.Attribute)
    if name in _SHUFFLED or name == "train_test_split":
        shuffle = words.get("shuffle")
        off = isinstance(shuffle, ast.Constant) and shuffle.value is False
        return not off and (name == "train_test_split" or shuffle is not None)
    return bool(_SKLEARN_RANDOM.match(name)) and isinstance(node.func, (ast.Name, ast.Attribute))


def _passes_seed(node: ast.Call) -> bool:
    for word in node.keywords:
        if word.arg is None:
            return True
        if word.arg in {"random_state", "seed", "random_seed"}:
            return not (isinstance(word.value, ast.Constant) and word.value.value is None)
    return False
