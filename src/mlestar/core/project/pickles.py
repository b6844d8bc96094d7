"""Which imports of a pickle are harmless, which run code: the judgement over a scanned model file."""

from __future__ import annotations

import re

DANGEROUS = re.compile(
    r"^(_?io\.(open|open_code|FileIO)|codecs\.open|os|posix|nt|subprocess|sys|shutil|socket|runpy|pty|code|codeop|importlib|ctypes|marshal|webbrowser|requests|"
    r"urllib|http|httplib|ftplib|smtplib|telnetlib|asyncio|multiprocessing|bdb|pdb|trace|timeit|profile|cProfile|"
    r"doctest|pip|setuptools|ensurepip|venv|idlelib|tempfile|pathlib|commands|platform|signal|threading|_thread|aiohttp|"
    r"paramiko|builtins\.(eval|exec|execfile|compile|open|input|__import__|getattr|setattr|delattr|breakpoint|globals|"
    r"locals|vars|memoryview|apply)|__builtin__\.(eval|exec|execfile|compile|open|file|input|__import__|getattr|setattr|"
    r"apply|reload)|operator\.(attrgetter|itemgetter|methodcaller)|types\.(CodeType|FunctionType)|"
    r"pickle\.(loads?|Unpickler)|_pickle\.(loads?|Unpickler)|dill\.(loads?|_dill\._load_type)|joblib\.load|numpy\.load|"
    r"numpy\.testing\._private\.utils\.runstring|numpy\.f2py|torch\.load|torch\.hub|torch\.serialization\.load|"
    r"pandas\.read_pickle|pydoc\.(pipepager|locate)|test\.support|lib2to3|functools\.reduce|unittest\.mock)($|\.)"
)
"""After picklescan's and modelscan's lists of unsafe globals."""
HARMLESS = re.compile(
    r"^(numpy|sklearn|scipy|pandas|xgboost|lightgbm|catboost|joblib\.numpy_pickle|torch|collections|datetime|decimal|"
    r"fractions|uuid|copyreg|copy_reg|_codecs\.encode|builtins\.\w+|__builtin__\.\w+|array|enum|re|_sre|pyarrow|"
    r"imblearn|category_encoders|feature_engine|statsmodels|tensorflow|keras|functools\.partial|_loss|random\.Random)"
    r"($|\.)"
)
SAFE_FORMATS = frozenset(
    {
        "safetensors",
        "onnx",
        "skops",
        "keras",
        "tflite",
        "gguf",
        "pmml",
        "catboost",
        "xgboost",
        "lightgbm",
        "coreml",
        "hdf5",
    }
)


def dangerous(imports: tuple[str, ...]) -> list[str]:
    """Imports that run or fetch code."""
    return [name for name in imports if DANGEROUS.match(name)]


def unknown(imports: tuple[str, ...]) -> list[str]:
    """Imports that are neither on the harmless list nor on the dangerous one: the project's own classes, mostly."""
    return [name for name in imports if not HARMLESS.match(name) and not DANGEROUS.match(name)]
