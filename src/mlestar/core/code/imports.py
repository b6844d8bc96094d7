"""What a module imports and calls, by full name, without running it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from mlestar.core.code.library_names import dotted

_TRIPLE_QUOTED = re.compile(r'""".*?"""|\'\'\'.*?\'\'\'', re.DOTALL)
_IMPORT = re.compile(r"^[ \t]*(?:import[ \t]+([\w., \t]+)|from[ \t]+(\w[\w.]*)[ \t]+import\b)", re.MULTILINE)
_FULL_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^()]*\)|[^\n#;]+)|import[ \t]+([\w., \t]+))", re.MULTILINE
)
DISTRIBUTIONS: Mapping[str, str] = {
    "sklearn": "scikit-learn", "yaml": "pyyaml", "cv2": "opencv-python", "PIL": "pillow", "bs4": "beautifulsoup4",
    "dotenv": "python-dotenv", "attr": "attrs", "dateutil": "python-dateutil", "jwt": "pyjwt", "git": "gitpython",
    "skimage": "scikit-image", "umap": "umap-learn", "imblearn": "imbalanced-learn", "psycopg2": "psycopg2-binary",
    "OpenSSL": "pyopenssl", "Crypto": "pycryptodome", "serial": "pyserial", "docx": "python-docx", "fitz": "pymupdf",
    "jose": "python-jose", "multipart": "python-multipart", "magic": "python-magic", "lightning": "lightning",
    "pytorch_lightning": "pytorch-lightning", "sentence_transformers": "sentence-transformers", "faiss": "faiss-cpu",
    "category_encoders": "category-encoders", "google": "google-cloud-storage", "MySQLdb": "mysqlclient",
    "pkg_resources": "setuptools", "tensorflow_hub": "tensorflow-hub", "dash_bootstrap_components":
    "dash-bootstrap-components", "win32api": "pywin32", "Levenshtein": "levenshtein", "kfp": "kfp", "dvc": "dvc",
    "hydra": "hydra-core", "ruamel": "ruamel-yaml", "box": "python-box", "gridfs": "pymongo", "bson": "pymongo",
    "mpl_toolkits": "matplotlib", "grpc": "grpcio", "absl": "absl-py", "ignite": "pytorch-ignite", "dbt": "dbt-core",
    "googleapiclient": "google-api-python-client", "pptx": "python-pptx", "telegram": "python-telegram-bot",
    "zmq": "pyzmq", "community": "python-louvain", "snowflake": "snowflake-connector-python", "Bio": "biopython",
    "slugify": "python-slugify", "nacl": "pynacl", "websocket": "websocket-client", "usb": "pyusb",
    "rest_framework": "djangorestframework", "pl_bolts": "lightning-bolts",
}  # fmt: skip
"""Import name -> distribution, where they differ by more than `_` and `-` (PyPI's own names)."""


def imports(nodes: Iterable[ast.AST]) -> Mapping[str, str]:
    """Local name -> full dotted name of what it was imported from; relative imports keep their dots."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    found[alias.asname] = alias.name
                else:
                    found[alias.name.partition(".")[0]] = alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}.{alias.name}"
    return found


def imported_names(text: str) -> frozenset[str]:
    """Top-level names of the absolute imports, read line by line: thousands of files must not be parsed for this."""
    names: set[str] = set()
    for match in _IMPORT.finditer(_TRIPLE_QUOTED.sub('""', text)):
        listed = match[1] or match[2]
        names |= {part.split()[0].partition(".")[0] for part in listed.split(",") if part.strip()}
    return frozenset(name for name in names if name.isidentifier())


def import_targets(text: str) -> frozenset[str]:
    """Full dotted names of what is imported, relative ones with their dots; by line, as `imported_names` reads."""
    found: set[str] = set()
    for match in _FULL_IMPORT.finditer(_TRIPLE_QUOTED.sub('""', text).replace("\\\n", " ")):
        origin, names = match[1] or "", match[2] or match[3]
        plain = re.sub(r"#[^\n]*|[()]", " ", names)
        imported = [part.split()[0] for part in plain.split(",") if part.split()]
        found |= {f"{origin}.{name}" for name in imported} if match[2] else set(imported)
    return frozenset(found)


def called_names(every: Iterable[ast.AST]) -> tuple[tuple[str, int], ...]:
    """(full name, line) of each call whose function or receiver was imported."""
    kept = (ast.Import, ast.ImportFrom, ast.Assign, ast.Call)
    nodes = [node for node in every if isinstance(node, kept)]
    known = imports(nodes)
    made: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            origin = _resolved(dotted(node.value.func), known)
            for target in node.targets:
                if origin and isinstance(target, (ast.Name, ast.Attribute)):
                    made[dotted(target)] = origin
    return tuple(_calls(nodes, known, made))


def third_party(imported: frozenset[str], own: frozenset[str]) -> frozenset[str]:
    """Imported names that are neither the standard library's nor the project's own."""
    return frozenset(
        name
        for name in imported
        if name not in sys.stdlib_module_names and name not in own and not name.startswith("_")
    )


def distribution(name: str) -> str:
    """The normalized distribution name (PEP 503) of an import name."""
    return normalized(DISTRIBUTIONS.get(name, name))


def normalized(name: str) -> str:
    """PEP 503: lower case, runs of `-_.` as one dash."""
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)


def _calls(nodes: Iterable[ast.AST], known: Mapping[str, str], made: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            full = _resolved(name, known) or _resolved(name, made)
            if not full and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
                full = _resolved(dotted(node.func.value.func), known)
            if full:
                yield full, node.lineno


def _resolved(name: str, known: Mapping[str, str]) -> str:
    """`self.x.inc` by its longest known beginning."""
    head, tail = name, ""
    while head:
        if head in known:
            return known[head] + tail
        head, _, last = head.rpartition(".")
        tail = f".{last}{tail}"
    return ""
