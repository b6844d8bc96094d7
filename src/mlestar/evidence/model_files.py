"""Looks into serialized models without loading them: the pickle's opcodes are listed, never run."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickletools
import re
import zipfile
import zlib

from mlestar.core.facts.project import ModelFile
from mlestar.core.project.pickles import dangerous, unknown
from mlestar.evidence.bounded import Found, Limits, read_bytes

FORMATS = {
    "pkl": "pickle", "pickle": "pickle", "dill": "pickle", "joblib": "joblib", "pt": "torch", "pth": "torch",
    "ckpt": "torch", "safetensors": "safetensors", "onnx": "onnx", "skops": "skops", "keras": "keras", "h5": "hdf5",
    "hdf5": "hdf5", "cbm": "catboost", "ubj": "xgboost", "tflite": "tflite", "gguf": "gguf", "pmml": "pmml",
    "mlmodel": "coreml",
}  # fmt: skip
_NAMED_MODEL = re.compile(
    r"(model|clf|classifier|regressor|estimator|pipeline|booster|weights)[^/]*\.(bin|json|txt|sav|npy)$", re.IGNORECASE
)
_STRING_OPS = {"SHORT_BINUNICODE", "BINUNICODE", "UNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING", "STRING"}
_CALLING_OPS = {"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"}
_DILL_TYPE = "dill._dill._load_type"
_CODE_TYPE = re.compile(r"\w*Type$")
"""dill looks a type up by its name: `slice` is data, FunctionType and CodeType build code (dill's own table)."""
_GLOBAL_TEXT = re.compile(rb"(?=[ci]([A-Za-z_][\w.]{0,80})\n([A-Za-z_][\w.]{0,80})\n)")
"""Looking ahead, so that a `c` among the bytes before an opcode does not swallow it."""
_STACK_GLOBAL_TEXT = re.compile(
    rb"\x8c.([A-Za-z_][\w.]{0,80})(?:\x94|q.|r....)?\x8c.([A-Za-z_][\w.]{0,80})(?:\x94|q.|r....)?\x93", re.DOTALL
)


def model_format(path: str) -> str:
    """The format by file name, or "" when the name is not a model's."""
    suffix = path.lower().rpartition(".")[2]
    if suffix in FORMATS:
        return FORMATS[suffix]
    return "unknown" if _NAMED_MODEL.search(path) and suffix in {"bin", "sav", "npy"} else ""


def read_model(found: Found, sha256: str, limits: Limits) -> ModelFile:
    """Scan one model file, at most `limits.model_scan` bytes of it, unpacked."""
    kind = model_format(found.path) or "unknown"
    try:
        raw = read_bytes(found.real, limits.model_scan)
    except OSError:
        return ModelFile(path=found.path, format=kind, size=found.size, sha256=sha256, complete=False)
    imports: set[str] = set()
    calls, complete = False, found.size <= limits.model_scan
    for pickled in _pickles(raw, kind, limits):
        names, called, reached_end = scan_pickle(pickled)
        imports |= names
        calls |= called
        complete &= reached_end
    return ModelFile(
        path=found.path,
        format=kind,
        size=found.size,
        sha256=sha256,
        imports=tuple(sorted(imports)),
        calls=calls,
        complete=complete,
    )


def scan_pickle(raw: bytes) -> tuple[set[str], bool, bool]:
    """What loading would import, whether it would call something, and whether the scan reached the end.

    joblib writes array bytes between opcodes, so the walk can lose the thread; what it has not seen is then searched
    for the byte patterns of both import opcodes, which finds too much rather than too little.
    """
    imports: set[str] = set()
    calls = False
    stream = io.BytesIO(raw)
    while stream.tell() < len(raw):
        start = stream.tell()
        try:
            found, called = _walk_opcodes(stream)
        except _Lost as lost:
            imports |= lost.imports | _by_pattern(raw[start:])
            return imports, calls or lost.calls, False
        imports |= found
        calls |= called
    return imports, calls, True


class _Lost(Exception):
    def __init__(self, imports: set[str], calls: bool) -> None:
        super().__init__()
        self.imports = imports
        self.calls = calls


def _walk_opcodes(stream: io.BytesIO) -> tuple[set[str], bool]:
    imports: set[str] = set()
    calls = False
    strings: list[str] = []
    memo: dict[int, str] = {}
    memo_size = 0
    last = ""
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            name = opcode.name
            if name in _STRING_OPS:
                last = argument if isinstance(argument, str) else str(argument)
                strings.append(last)
            elif name == "MEMOIZE":
                memo[memo_size] = last
                memo_size += 1
            elif name in {"PUT", "BINPUT", "LONG_BINPUT"}:
                memo[int(str(argument))] = last
                memo_size = max(memo_size, int(str(argument)) + 1)
            elif name in {"GET", "BINGET", "LONG_BINGET"}:
                last = memo.get(int(str(argument)), "")
                strings.append(last)
            elif name in {"GLOBAL", "INST"}:
                imports.add(str(argument).replace(" ", ".", 1))
            elif name == "STACK_GLOBAL":
                module, member = (["?", "?", *strings])[-2:]
                imports.add(f"{module}.{member}")
            if (
                name not in _STRING_OPS
                and name not in {"GET", "BINGET", "LONG_BINGET", "MEMOIZE"}
                and "PUT" not in name
            ):
                last = ""
            calls |= name in _CALLING_OPS
    except (ValueError, EOFError, IndexError, UnicodeError, MemoryError, OverflowError) as error:
        raise _Lost(imports, calls) from error
    return _told_apart(imports, strings), calls


def _told_apart(imports: set[str], strings: list[str]) -> set[str]:
    """Dill's look-up of types under another name where no type that holds code is named in the whole pickle."""
    if _DILL_TYPE not in imports or any(_CODE_TYPE.match(text) for text in strings):
        return imports
    return imports - {_DILL_TYPE} | {f"{_DILL_TYPE}_of_data"}


def _by_pattern(raw: bytes) -> set[str]:
    ending: dict[int, list[str]] = {}
    for match in _GLOBAL_TEXT.finditer(raw):
        ending.setdefault(match.end(2), []).append(f"{match[1].decode('ascii')}.{match[2].decode('ascii')}")
    found = {name for names in ending.values() for name in _likely(names)}
    return found | {
        f"{module.decode('ascii')}.{name.decode('ascii')}" for module, name in _STACK_GLOBAL_TEXT.findall(raw)
    }


def _likely(names: list[str]) -> list[str]:
    """Of the names that end at one byte, any that is dangerous; else a known one; else the longest."""
    tainted = dangerous(tuple(names))
    return tainted or [name for name in names if name not in unknown((name,))][:1] or names[:1]


def _pickles(raw: bytes, kind: str, limits: Limits) -> list[bytes]:
    if raw.startswith(b"PK\x03\x04"):
        return [] if kind in {"skops", "keras"} else _zipped_pickles(raw, limits.model_scan)
    if kind == "unknown" and not raw.startswith((b"\x80", b"\x93NUMPY")):
        return []
    if kind not in {"pickle", "joblib", "torch", "unknown"}:
        return []
    return [_unpacked(raw, limits.model_scan)]


def _zipped_pickles(raw: bytes, limit: int) -> list[bytes]:
    pickles: list[bytes] = []
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for member in archive.infolist()[:1000]:
                if member.filename.endswith((".pkl", ".pickle")) and limit > 0:
                    with archive.open(member) as file:
                        pickles.append(file.read(limit))
                    limit -= len(pickles[-1])
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError, NotImplementedError, zlib.error):
        return [raw]
    return pickles


def _unpacked(raw: bytes, limit: int) -> bytes:
    """Joblib compresses whole files; the size after unpacking is bounded, whatever the archive promises."""
    source = io.BytesIO(raw)
    try:
        if raw.startswith(b"\x1f\x8b"):
            return gzip.GzipFile(fileobj=source).read(limit)
        if raw.startswith(b"BZh"):
            return bz2.BZ2File(source).read(limit)
        if raw.startswith((b"\xfd7zXZ", b"\x5d\x00")):
            return lzma.LZMAFile(source).read(limit)
        if raw[:1] == b"\x78":
            return zlib.decompressobj().decompress(raw, limit)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError):
        return raw
    return raw
